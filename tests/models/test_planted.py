"""The truth that comes with a planted network, tested with an edge-by-edge computation of its own."""

import pytest
import torch

from mi_course.errors import CourseError
from mi_course.models.planted import indirect_object, induction

NETWORKS = {
    "induction": (induction, {}),
    "induction, saturated": (induction, {"sharpness": 50}),
    "induction, small": (induction, {"n_words": 12, "length": 8, "n_heads": 2, "noise": 0}),
    "induction, hidden": (induction, {"hidden": True, "n_layers": 4, "n_heads": 6, "seed": 3}),
    "indirect object": (indirect_object, {}),
    "indirect object, saturated": (indirect_object, {"sharpness": 50}),
    "indirect object, hidden": (indirect_object, {"hidden": True, "n_layers": 4, "n_heads": 5, "seed": 4}),
    "indirect object, backup": (indirect_object, {"backup": True}),
    "indirect object, backup, hidden": (
        indirect_object,
        {"backup": True, "hidden": True, "n_layers": 4, "seed": 5},
    ),
}
EACH = [pytest.param(make, options, id=name) for name, (make, options) in NETWORKS.items()]
WITH_BACKUP = [pytest.param(*NETWORKS[name], id=name) for name in NETWORKS if "backup" in name]


def all_edges(model):
    """Every (sender, receiver) in which the sender is computed before the receiver."""
    edges, senders = set(), ["embed"]
    for layer in range(model.config.n_layers):
        heads = [f"L{layer}H{head}" for head in range(model.config.n_heads)]
        edges |= {(sender, f"{head}.{part}") for sender in senders for head in heads for part in "qkv"}
        senders += heads
        if model.config.d_mlp:
            edges |= {(sender, f"L{layer} MLP") for sender in senders}
            senders.append(f"L{layer} MLP")
    return edges | {(sender, "logits") for sender in senders}


def outputs(model, tokens, removed=frozenset(), instead=None):
    """What every sender writes, and the logits at the end, if ``removed`` edges carry what ``instead`` holds.

    The definition, node by node: a receiver reads the sum of its senders. No hook, no engine; without layer norm
    that is all there is to it.
    """

    def reads(receiver):
        return sum(
            (instead[sender] if (sender, receiver) in removed else out) for sender, out in written.items()
        )

    written = {"embed": model.W_E[tokens] + model.W_pos[: tokens.shape[1]]}
    future = torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool).triu(1)
    for layer, block in enumerate(model.blocks):
        attn, found = block.attn, {}
        for head in range(model.config.n_heads):
            name = f"L{layer}H{head}"
            q, k, v = (
                reads(f"{name}.{part}") @ weight[head]
                for part, weight in zip("qkv", (attn.W_Q, attn.W_K, attn.W_V))
            )
            scores = (q @ k.mT / model.config.d_head**0.5).masked_fill(future, -torch.inf)
            found[name] = scores.softmax(-1) @ v @ attn.W_O[head]
        written |= found
        if block.mlp is not None:
            name = f"L{layer} MLP"
            written[name] = (reads(name) @ block.mlp.W_in).relu() @ block.mlp.W_out
    return written, reads("logits")[:, -1] @ model.W_U


def logits_without(planted, removed, prompts, *, zero=False, corrupted=None):
    """``corrupted``: what every sender writes on the corrupted prompts, if that is known already."""
    if corrupted is None:
        corrupted, _ = outputs(planted.model, prompts.corrupted)
    if zero:
        corrupted = {sender: torch.zeros_like(out) for sender, out in corrupted.items()}
    return outputs(planted.model, prompts.clean, removed, corrupted)[1]


def accuracy_without(planted, removed, prompts, **options):
    logits = logits_without(planted, removed, prompts, **options)
    return (logits.argmax(-1) == prompts.correct).float().mean().item()


def logit_diff(logits, prompts):
    rows = torch.arange(len(prompts))
    return (logits[rows, prompts.correct] - logits[rows, prompts.wrong]).mean().item()


@pytest.mark.parametrize(("make", "options"), EACH)
def test_it_answers_right_on_clean_prompts_and_has_no_idea_on_corrupted_ones(make, options):
    planted = make(**options)
    prompts = planted.prompts(1000, seed=1)
    clean, corrupted = (planted.model(tokens)[:, -1] for tokens in (prompts.clean, prompts.corrupted))
    assert (clean.argmax(-1) == prompts.correct).float().mean() > 0.99
    assert logit_diff(clean, prompts) > 8
    assert logit_diff(corrupted, prompts) < 1


@pytest.mark.parametrize(("make", "options"), EACH)
def test_the_edge_by_edge_computation_is_the_model(make, options):
    planted = make(**options)
    prompts = planted.prompts(5)
    _, logits = outputs(planted.model, prompts.clean)
    assert torch.allclose(logits, planted.model(prompts.clean)[:, -1], atol=1e-4)


@pytest.mark.parametrize(("make", "options"), EACH)
def test_the_truth_and_the_constant_edges_are_edges_of_the_model_and_differ(make, options):
    planted = make(**options)
    edges = all_edges(planted.model)
    assert planted.truth | planted.constant <= edges
    assert not planted.truth & planted.constant
    assert len(planted.truth) < len(edges) / 3


@pytest.mark.parametrize(("make", "options"), EACH)
def test_the_answer_survives_the_loss_of_all_other_edges(make, options):
    planted = make(**options)
    prompts = planted.prompts(200, seed=2)
    others = all_edges(planted.model) - planted.truth
    assert accuracy_without(planted, others, prompts) > 0.99
    assert accuracy_without(planted, others - planted.constant, prompts, zero=True) > 0.99


@pytest.mark.parametrize(("make", "options"), EACH)
def test_every_edge_of_the_truth_is_needed_and_no_other_edge_is(make, options):
    planted = make(**options)
    prompts = planted.prompts(100, seed=3)
    optional = frozenset().union(*planted.alternatives)
    corrupted, _ = outputs(planted.model, prompts.corrupted)
    for edge in planted.truth - optional:
        assert accuracy_without(planted, {edge}, prompts, corrupted=corrupted) < 0.6, edge
    for edge in optional | planted.constant | {("embed", "logits")}:
        assert accuracy_without(planted, {edge}, prompts, corrupted=corrupted) > 0.97, edge


@pytest.mark.parametrize(("make", "options"), EACH)
def test_constant_edges_carry_something_that_the_circuit_needs(make, options):
    planted = make(**options)
    prompts = planted.prompts(100, seed=3)
    whole = logit_diff(planted.model(prompts.clean)[:, -1], prompts)
    replaced = logits_without(planted, planted.constant, prompts)
    cut = logits_without(planted, planted.constant, prompts, zero=True)
    assert logit_diff(replaced, prompts) > 0.95 * whole
    assert logit_diff(cut, prompts) < 0.5 * whole


@pytest.mark.parametrize(("make", "options"), WITH_BACKUP)
def test_one_way_is_enough_and_without_both_the_answer_is_lost(make, options):
    planted = make(**options)
    prompts = planted.prompts(200, seed=4)
    one, other = planted.alternatives
    for way in (one, other):
        assert accuracy_without(planted, way, prompts) > 0.97
    for edge in one:
        assert accuracy_without(planted, {edge} | other, prompts) < 0.6
    assert accuracy_without(planted, (all_edges(planted.model) - planted.truth) | one, prompts) > 0.97


def test_gradients_flow_through_soft_attention_and_not_through_saturated():
    sizes = []
    for sharpness in (6, 50):
        planted = induction(sharpness=sharpness)
        prompts = planted.prompts(8)
        resid = (planted.model.W_E[prompts.clean] + planted.model.W_pos).requires_grad_()
        queries = []
        hook = ("blocks.1.attn.hook_attn_scores", lambda scores, name, kept=queries: kept.append(scores))
        with planted.model.hooks([hook]):
            logits = planted.model.run_from(resid, 0)[:, -1]
        (gradient,) = torch.autograd.grad(logits.gather(1, prompts.correct[:, None]).sum(), queries[0])
        sizes.append(gradient[:, 1].abs().max().item())
    assert sizes[0] > 0.1
    assert sizes[1] < 1e-6


def test_hidden_circuits_move_with_the_seed_and_no_coordinate_gives_them_away():
    places = {frozenset(induction(hidden=True, n_layers=4, n_heads=6, seed=seed).truth) for seed in range(5)}
    assert len(places) == 5
    embedding = induction(hidden=True).model.W_E
    assert embedding.abs().max() < 0.9
    assert torch.allclose(embedding @ embedding.T, torch.eye(len(embedding)), atol=1e-5)


def test_subspaces_say_where_in_the_stream_each_thing_is():
    for hidden in (False, True):
        planted = induction(hidden=hidden, noise=0)
        basis = torch.cat(list(planted.subspaces.values()))
        assert torch.allclose(basis @ basis.T, torch.eye(len(basis)), atol=1e-5)
        assert torch.allclose(planted.subspaces["token"], planted.model.W_E, atol=1e-5)
        prompts = planted.prompts(3)
        _, cache = planted.model.run_with_cache(prompts.clean)
        previous = cache["resid_post", 0] @ planted.subspaces["previous token"].T
        assert (previous[:, 2:].argmax(-1) == prompts.clean[:, 1:-1]).all()


def test_prompts_repeat_with_their_seed_and_share_no_word_that_gives_the_answer():
    for planted in (induction(), indirect_object()):
        first, same, other = (planted.prompts(50, seed=seed) for seed in (0, 0, 1))
        assert torch.equal(first.clean, same.clean)
        assert not torch.equal(first.clean, other.clean)
        assert first.clean.shape == first.corrupted.shape
        assert len(first) == 50
        assert not (first.corrupted == first.correct[:, None]).any()


def test_tokens_have_words():
    planted = indirect_object()
    prompts = planted.prompts(1)
    text = planted.model.to_string(prompts.clean[0, 1:])
    name = planted.model.to_string(prompts.correct)
    assert name in text
    assert text.endswith("to")
    assert torch.equal(planted.model.to_tokens(text), prompts.clean)


def test_gradients_are_off_and_the_model_can_be_cached():
    planted = indirect_object()
    assert not any(parameter.requires_grad for parameter in planted.model.parameters())


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (induction, {"n_words": 10}, "n_words=10"),
        (induction, {"n_words": 1000}, "n_words=1000"),
        (induction, {"length": 3}, "length=3"),
        (induction, {"n_layers": 1}, "1 layers of 4 heads are too few"),
        (indirect_object, {"n_names": 4}, "n_names=4"),
        (indirect_object, {"n_layers": 2}, "2 layers of 4 heads are too few"),
        (indirect_object, {"n_heads": 2, "backup": True}, "3 layers of 2 heads are too few"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_sizes_that_hold_no_circuit_are_refused(make, options, words):
    with pytest.raises(CourseError, match=words):
        make(**options)


def test_no_prompts_are_refused():
    with pytest.raises(CourseError, match="n=0"):
        induction().prompts(0)
