"""Parts taken away: what must break breaks, what must not does not, and the model is whole afterwards."""

import pytest
import torch

from mi_course.data import repeated_tokens
from mi_course.errors import UnknownName
from mi_course.methods import metrics
from mi_course.methods.ablation import ablate, ablated, ablation_hooks
from mi_course.methods.direct_logit_attribution import attribute
from tests.methods.planted import BOS, N_TOKENS, STRENGTH, induction_model, random_model, random_tokens

KINDS = ("zero", "mean", "resample")
REPEATED = repeated_tokens.batch(N_TOKENS, 6, 8, bos=BOS)


def fingerprint(logits):
    """One number an example that every logit has a share in."""
    weights = torch.linspace(-1, 1, logits[0].numel()).view_as(logits[0])
    return (logits * weights).sum(dim=(1, 2))


def second_copy_top1(logits):
    """The share of tokens of the second copy, but for its first, that the model foresees."""
    hits = logits[:, 9:-1].argmax(-1) == REPEATED[:, 10:]
    return hits.float().mean(dim=1)


@pytest.fixture
def model():
    return random_model()


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_previous_token_head_induction_dies_and_without_another_it_lives(kind):
    result = ablate(induction_model(), REPEATED, "heads", metric=second_copy_top1, kind=kind)
    assert result.clean.tolist() == [1.0] * 6
    effect = dict(zip(result.labels, result.mean_effect.tolist()))
    assert effect["L0H0"] < -0.6
    assert effect["L1H0"] < -0.6
    assert effect["L0H1"] == effect["L1H1"] == 0
    assert result.heads()["L0H0"] == pytest.approx(effect["L0H0"])


def test_without_layer_norm_the_last_layers_zero_ablation_takes_away_its_direct_contribution():
    """Two methods, one number: nothing comes after the last layer that could change the direct effect."""
    model = random_model(norm=None)
    tokens = random_tokens(model)
    result = ablate(
        model, tokens, ["L2H1", "L2H3", "L2 MLP"], metric=lambda logits: metrics.logit_diff(logits, 3, 4)
    )
    direct = attribute(model, tokens, 3, 4)
    assert torch.allclose(result.of("L2 MLP"), -direct.of("L2 MLP"), atol=1e-3)
    model.blocks[2].mlp.W_out.zero_()  # a head's output is read by the MLP of its own layer
    result = ablate(model, tokens, ["L2H1"], metric=lambda logits: metrics.logit_diff(logits, 3, 4))
    assert torch.allclose(result.of("L2H1"), -attribute(model, tokens, 3, 4).of("L2H1"), atol=1e-3)


def test_the_planted_answer_is_lost_by_just_its_strength():
    tokens, correct = REPEATED[:, :-1], REPEATED[:, -1]
    result = ablate(
        induction_model(),
        tokens,
        ["L1H0"],
        metric=lambda logits: metrics.logit_diff(logits, correct, tokens[:, 1]),
    )
    assert result.of("L1H0").tolist() == [-STRENGTH] * 6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "component", ["L0H2", "L1 attn", "L2 MLP", "L1", "blocks.1.hook_resid_mid", "hook_embed"]
)
def test_each_name_replaces_what_it_says(model, kind, component):
    """By hand: the named activations are set to zero, to the mean, or to another run's, in a run from the start."""
    tokens, reference = random_tokens(model), random_tokens(model, seed=2)
    sites = {
        "L0H2": ["blocks.0.attn.hook_z"],
        "L1 attn": ["blocks.1.hook_attn_out"],
        "L2 MLP": ["blocks.2.hook_mlp_out"],
        "L1": ["blocks.1.hook_attn_out", "blocks.1.hook_mlp_out"],
    }.get(component, [component])
    _, cache = model.run_with_cache(reference, sites)

    def replace(activation, name):
        other = cache[name]
        new = {"zero": 0 * other, "mean": other.mean(0, keepdim=True), "resample": other}[kind]
        new = new.expand_as(activation)
        if component != "L0H2":
            return new.clone()
        changed = activation.clone()
        changed[:, :, 2] = new[:, :, 2]
        return changed

    by_hand = model.run_with_hooks(tokens, [(name, replace) for name in sites])
    with ablated(model, component, kind=kind, reference=reference):
        assert torch.allclose(model(tokens), by_hand, atol=1e-5)
    hooks = ablation_hooks(model, component, kind=kind, reference=reference)
    assert torch.allclose(model.run_with_hooks(tokens, hooks), by_hand, atol=1e-5)
    result = ablate(model, tokens, [component], metric=fingerprint, kind=kind, reference=reference)
    assert torch.allclose(result.values[0], fingerprint(by_hand), rtol=1e-4)
    assert result.effect.abs().min() > 1e-4


def test_resampling_from_the_same_prompts_changes_nothing(model):
    tokens = random_tokens(model)
    for components in (
        "heads",
        "MLPs",
        "attention",
        "layers",
        ["blocks.1.attn.hook_pattern", "hook_pos_embed"],
    ):
        result = ablate(
            model, tokens, components, metric=fingerprint, kind="resample", reference=tokens, positions=None
        )
        assert result.effect.abs().max() < 1e-4 * result.clean.abs().max()


def test_the_mean_over_equal_prompts_changes_nothing(model):
    tokens = random_tokens(model)[:1].repeat(3, 1)
    result = ablate(model, tokens, "layers", metric=fingerprint, kind="mean")
    assert result.effect.abs().max() < 1e-3
    over_positions = ablate(
        model, tokens, "layers", metric=fingerprint, kind="mean", mean_over="prompts and positions"
    )
    assert over_positions.effect.abs().max() > 1e-2


def test_taking_away_nothing_changes_nothing(model):
    """A head that writes nothing, and positions that are none."""
    model.blocks[1].attn.W_O[2].zero_()
    tokens = random_tokens(model)
    result = ablate(model, tokens, ["L1H2"], metric=fingerprint)
    assert not result.effect.any()
    assert not ablate(model, tokens, ["L1H0"], metric=fingerprint, positions=[]).effect.any()


def test_without_a_reference_every_prompt_gets_another_ones_activation(model):
    """The whole residual stream resampled: each row then answers as another row does, and none as itself."""
    tokens = random_tokens(model, 7)
    for seed in range(5):
        result = ablate(
            model, tokens, ["blocks.0.hook_resid_pre"], metric=fingerprint, kind="resample", seed=seed
        )
        taken = (result.values[0][:, None] - result.clean).abs().argmin(dim=1)
        assert sorted(taken.tolist()) == list(range(7))
        assert (taken != torch.arange(7)).all()
        assert torch.allclose(result.values[0], result.clean[taken], rtol=1e-4)


def test_the_mean_is_taken_by_position_or_over_all(model):
    tokens, reference = random_tokens(model), random_tokens(model, 6, 5, seed=2)
    z = model.run_with_cache(reference)[1]["z", 0]
    with ablated(model, "L0H1", kind="mean", reference=reference, mean_over="prompts and positions"):
        found = model.run_with_cache(tokens)[1]["z", 0]
    assert torch.allclose(found[:, :, 1], z[:, :, 1].mean(dim=(0, 1)).expand(4, 9, -1), atol=1e-6)
    with ablated(model, "L0H1", kind="mean", reference=random_tokens(model, 6, 9, seed=2)):
        found = model.run_with_cache(tokens)[1]["z", 0][:, :, 1]
    assert torch.equal(found[0], found[3])
    assert not torch.allclose(found[0, 1], found[0, 2])


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_chosen_positions_are_ablated(model, kind):
    tokens = random_tokens(model)
    with ablated(model, "L0 MLP", kind=kind, reference=random_tokens(model, seed=2), positions=[2, -1]):
        _, cache = model.run_with_cache(tokens)
    _, clean = model.run_with_cache(tokens)
    changed = (cache["mlp_out", 0] != clean["mlp_out", 0]).any(dim=-1)
    assert changed.all(dim=0).nonzero().flatten().tolist() == [2, 8]
    assert changed.sum() == 4 * 2


def test_what_stands_in_a_tuple_is_ablated_together(model):
    tokens = random_tokens(model)
    result = ablate(
        model, tokens, ["L0H1", ("L0H1", "L2 MLP"), ("L1H0", "L1H1", "L1H2", "L1H3")], metric=fingerprint
    )
    assert result.labels == ("L0H1", "L0H1 + L2 MLP", "L1H0 + L1H1 + L1H2 + L1H3")
    with ablated(model, ["L2 MLP", "L0H1"]):
        assert torch.allclose(result.values[1], fingerprint(model(tokens)), rtol=1e-5)
    model.blocks[1].attn.b_O.zero_()
    together = ablate(model, tokens, [("L1H0", "L1H1", "L1H2", "L1H3"), "L1 attn"], metric=fingerprint)
    assert torch.allclose(together.values[0], together.values[1], rtol=1e-5)


def test_everything_of_a_kind_is_ablated_one_by_one(model):
    tokens = random_tokens(model)
    heads = ablate(model, tokens, "heads", metric=fingerprint)
    assert heads.labels == tuple(f"L{layer}H{head}" for layer in range(3) for head in range(4))
    assert heads.values.shape == (12, 4)
    assert torch.equal(heads.heads().examples("L2H1"), heads.of("L2H1"))
    assert ablate(model, tokens, "MLPs", metric=fingerprint).labels == ("L0 MLP", "L1 MLP", "L2 MLP")
    assert ablate(model, tokens, "attention", metric=fingerprint).labels == ("L0 attn", "L1 attn", "L2 attn")
    assert ablate(model, tokens, "layers", metric=fingerprint).labels == ("L0", "L1", "L2")
    twice = ablate(model, tokens, ["L1H2", "L1H2"], metric=fingerprint)
    assert torch.equal(twice.values[0], twice.values[1])
    one = ablate(model, tokens, "L1H2", metric=fingerprint, unit="nats")
    assert (one.labels, one.unit, one.kind) == (("L1H2",), "nats", "zero")
    assert torch.equal(one.values[0], heads.values[6])
    for partial in (one, ablate(model, tokens, ["L0H0", "L2H3"], metric=fingerprint)):
        with pytest.raises(ValueError, match="needs every head"):
            partial.heads()


def test_a_layer_of_an_attention_only_model_is_its_attention():
    model = random_model(d_mlp=0)
    result = ablate(model, random_tokens(model), ["L1", "L1 attn"], metric=fingerprint)
    assert torch.equal(result.values[0], result.values[1])
    with pytest.raises(UnknownName, match="no component named 'L0 MLP'"):
        ablate(model, random_tokens(model), "MLPs", metric=fingerprint)


def hooks_left(model):
    return sum(len(module._forward_hooks) for module in model.modules())


def test_the_model_is_whole_again_also_after_an_exception(model):
    tokens = random_tokens(model)
    before = model(tokens)

    def fail_inside():
        with ablated(model, ["L1H2", "L0 MLP"]):
            assert not torch.equal(model(tokens), before)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    with pytest.raises(ZeroDivisionError):
        ablate(model, tokens, "heads", metric=lambda logits: 1 / 0)
    assert hooks_left(model) == 0
    assert torch.equal(model(tokens), before)


def test_neither_weights_nor_tokens_are_changed(model):
    tokens = random_tokens(model)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}, tokens.clone()
    for kind in KINDS:
        ablate(model, tokens, "heads", metric=fingerprint, kind=kind)
    assert all(torch.equal(before[0][name], weight) for name, weight in model.state_dict().items())
    assert torch.equal(tokens, before[1])


@pytest.mark.parametrize(
    ("component", "remedy"),
    [
        ("L3H0", "Did you mean"),
        ("L0H4", "Did you mean 'L0H"),
        ("L3 MLP", "Did you mean 'L2 MLP'"),
        ("L1MLP", "'L1 MLP'"),
        ("blocks.0.hook_residpre", "'blocks.0.hook_resid_pre'"),
    ],
)
def test_a_name_that_means_nothing_is_answered_with_the_nearest(model, component, remedy):
    with pytest.raises(UnknownName, match=remedy):
        ablate(model, random_tokens(model), [component], metric=fingerprint)


def test_references_that_do_not_fit_are_refused_with_a_remedy(model):
    tokens = random_tokens(model)
    for kind, reference in (("mean", random_tokens(model, 4, 5)), ("resample", random_tokens(model, 3))):
        with pytest.raises(ValueError, match="same length"):
            ablate(model, tokens, ["L1H0"], metric=fingerprint, kind=kind, reference=reference)
        with pytest.raises(ValueError, match=f'kind="{kind}" needs reference prompts'):
            ablation_hooks(model, "L1H0", kind=kind)
    with pytest.raises(ValueError, match="Give a reference"):
        ablate(model, tokens[:1], ["L1H0"], metric=fingerprint, kind="resample")
    assert hooks_left(model) == 0


def test_what_makes_no_experiment_is_refused(model):
    tokens, patterns = random_tokens(model), ["blocks.1.attn.hook_pattern"]
    with pytest.raises(ValueError, match=r"one number an example, shape \(4,\)"):
        ablate(model, tokens, ["L1H0"], metric=lambda logits: logits.mean())
    with pytest.raises(ValueError, match="metric returned float"):
        ablate(model, tokens, ["L1H0"], metric=lambda logits: 0.5)
    with pytest.raises(ValueError, match="nothing to ablate"):
        ablate(model, tokens, [], metric=fingerprint)
    with pytest.raises(ValueError, match="two axes of positions"):
        ablate(model, tokens, patterns, metric=fingerprint, kind="mean", mean_over="prompts and positions")
    with pytest.raises(ValueError, match="two axes of positions"):
        ablate(model, tokens, patterns, metric=fingerprint, positions=[1])
