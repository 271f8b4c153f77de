"""A logit taken apart: the addends add up to it, and planted heads get what they wrote."""

import pytest
import torch

from mi_course.data import repeated_tokens
from mi_course.errors import UnknownName
from mi_course.methods.direct_logit_attribution import attribute, attribute_neurons, attribute_sources
from tests.methods.planted import BOS, N_TOKENS, STRENGTH, induction_model, random_model, random_tokens

SHAPES = {
    "GPT-2's architecture": {},
    "attention only": {"d_mlp": 0},
    "no layer norm": {"norm": None},
    "no biases": {"bias": False},
    "neither norm nor bias nor MLP": {"norm": None, "bias": False, "d_mlp": 0},
    "tied": {"tied": True},
    "ReLU, one layer": {"act": "relu", "n_layers": 1},
}


@pytest.fixture
def model():
    return random_model()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_contributions_add_up_to_the_models_own_logit(shape):
    model = random_model(**shape)
    tokens, correct = random_tokens(model), torch.tensor([3, 1, 4, 1])
    result = attribute(model, tokens, correct)
    logits = model(tokens)[:, -1]
    assert torch.allclose(result.logit, logits[torch.arange(4), correct], atol=1e-5)
    assert result.residue.abs().max() < 1e-4 * result.values.abs().sum(dim=1).max()
    assert torch.allclose(result.values.sum(dim=1) + result.residue, result.logit)
    assert result.values.shape == (4, len(result.labels))


@pytest.mark.parametrize("position", [-1, 0, 5, torch.tensor([2, -1, 8, 0])])
def test_a_logit_difference_adds_up_at_every_position(model, position):
    tokens, correct, wrong = (
        random_tokens(model),
        torch.tensor([3, 1, 4, 1]),
        torch.tensor([[5, 9], [2, 6]] * 2),
    )
    result = attribute(model, tokens, correct, wrong, position=position)
    rows = torch.arange(4)
    logits = model(tokens)[rows, torch.as_tensor(position).expand(4)]
    expected = logits[rows, correct] - logits.gather(1, wrong).mean(dim=1)
    assert torch.allclose(result.logit, expected, atol=1e-5)
    assert result.residue.abs().max() < 1e-4


def test_the_labels_name_every_part_in_the_order_of_computation(model):
    assert attribute(random_model(n_layers=1), random_tokens(model), 0).labels == (
        *("embed", "pos_embed", "L0H0", "L0H1", "L0H2", "L0H3", "L0 b_O", "L0 MLP", "ln_final.b"),
    )
    assert attribute(random_model(n_layers=1, bias=False, d_mlp=0), random_tokens(model), 0).labels == (
        *("embed", "pos_embed", "L0H0", "L0H1", "L0H2", "L0H3"),
    )


def test_a_planted_induction_head_contributes_all_of_the_answer():
    tokens = repeated_tokens.batch(N_TOKENS, 4, 8, bos=BOS)[:, :-1]
    correct = repeated_tokens.batch(N_TOKENS, 4, 8, bos=BOS)[:, -1]
    result = attribute(induction_model(), tokens, correct, tokens[:, 1])
    expected = dict.fromkeys(result.labels, 0.0) | {"L1H0": STRENGTH}
    assert {label: result.of(label).tolist() for label in result.labels} == {
        label: [value] * 4 for label, value in expected.items()
    }
    assert result.heads().best()[0] == ("L1H0", STRENGTH)


def test_one_component_is_what_its_own_output_adds_when_the_norms_scale_is_frozen(model):
    """Two derivations: take the vector away before a final norm whose scale stays what it was."""
    tokens, correct, wrong = random_tokens(model), 7, 8
    resid, cache = model.run_with_cache(tokens, stop_at_layer=model.config.n_layers)
    scale = (resid.var(dim=-1, correction=0, keepdim=True) + model.config.norm_eps).sqrt()

    def logit_diff(resid):
        normed = (resid - resid.mean(dim=-1, keepdim=True)) / scale * model.ln_final.w + model.ln_final.b
        return (normed @ model.W_U)[:, -1] @ torch.eye(50)[[correct, wrong]].T @ torch.tensor([1.0, -1.0])

    result = attribute(model, tokens, correct, wrong)
    outputs = {
        "embed": cache["embed"],
        "L1 MLP": cache["mlp_out", 1],
        "L2H3": cache["z", 2][:, :, 3] @ model.blocks[2].attn.W_O[3],
    }
    for label, written in outputs.items():
        removed = logit_diff(resid) - logit_diff(resid - written)
        assert torch.allclose(result.of(label), removed, atol=1e-4), label


def test_by_layer_the_sum_is_the_same_in_fewer_addends(model):
    result = attribute(model, random_tokens(model), 3, 4)
    layers = result.by_layer()
    attention, mlps = [f"L{layer} attn" for layer in range(3)], [f"L{layer} MLP" for layer in range(3)]
    pairs = [label for pair in zip(attention, mlps) for label in pair]
    assert layers.labels == ("embed", "pos_embed", *pairs, "ln_final.b")
    assert torch.allclose(layers.values.sum(1), result.values.sum(1), atol=1e-5)
    heads = sum(result.of(f"L1H{head}") for head in range(4)) + result.of("L1 b_O")
    assert torch.allclose(layers.of("L1 attn"), heads, atol=1e-6)
    assert torch.equal(layers.of("L1 MLP"), result.of("L1 MLP"))
    with pytest.raises(ValueError, match="summed by layer"):
        layers.heads()


def test_the_heads_as_a_table_keep_their_examples(model):
    result = attribute(model, random_tokens(model), 3, 4)
    heads = result.heads()
    assert heads.values.shape == (3, 4)
    assert torch.equal(heads.examples("L2H1"), result.of("L2H1"))
    assert heads["L2H1"] == pytest.approx(result.of("L2H1").mean().item())
    assert torch.equal(result.mean, result.values.mean(0))


def test_swapping_correct_and_wrong_turns_every_sign(model):
    tokens = random_tokens(model)
    assert torch.allclose(attribute(model, tokens, 3, 4).values, -attribute(model, tokens, 4, 3).values)


def test_a_difference_is_blind_to_what_raises_all_logits_alike(model):
    import copy

    raised, tokens = copy.deepcopy(model), random_tokens(model)
    raised.lm_head += 10 * torch.randn(24, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(
        attribute(raised, tokens, 3, 4).values, attribute(model, tokens, 3, 4).values, atol=1e-4
    )
    assert (attribute(raised, tokens, 3).mean - attribute(model, tokens, 3).mean).abs().max() > 1


@pytest.mark.parametrize("position", [-1, torch.tensor([2, -1, 8, 0])])
def test_a_heads_sources_add_up_to_the_head(model, position):
    tokens = random_tokens(model)
    sources = attribute_sources(model, tokens, "L1H2", 3, 4, position=position)
    whole = attribute(model, tokens, 3, 4, position=position).of("L1H2")
    assert torch.allclose(sources.sum(dim=1), whole, atol=1e-5)
    future = torch.arange(9) > torch.as_tensor(position).expand(4)[:, None] % 9
    assert not sources[future].any()


def test_the_planted_head_fetched_the_answer_where_it_stood():
    tokens = repeated_tokens.batch(N_TOKENS, 2, 8, bos=BOS)[:, :-1]
    sources = attribute_sources(induction_model(), tokens, "L1H0", tokens[:, 8], tokens[:, 2])
    expected = torch.zeros(2, 16)
    expected[:, 8] = STRENGTH
    assert torch.equal(sources, expected)


def test_neurons_add_up_to_their_mlp_but_for_its_bias(model):
    tokens = random_tokens(model)
    neurons = attribute_neurons(model, tokens, 2, 3, 4)
    assert neurons.shape == (4, 40)
    whole = attribute(model, tokens, 3, 4).of("L2 MLP")
    model.blocks[2].mlp.b_out.zero_()
    bias_free = attribute(model, tokens, 3, 4).of("L2 MLP")
    assert torch.allclose(attribute_neurons(model, tokens, 2, 3, 4).sum(1), bias_free, atol=1e-5)
    assert not torch.allclose(whole, bias_free, atol=1e-2)
    with pytest.raises(ValueError, match="attention-only"):
        attribute_neurons(random_model(d_mlp=0), tokens, 2, 3)


def test_nothing_is_left_in_the_model_and_no_graph_is_kept(model):
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    result = attribute(model, random_tokens(model), 3, 4)
    assert not result.values.requires_grad
    assert not any(module._forward_hooks for module in model.modules())


def test_what_does_not_exist_is_refused_with_a_remedy(model, without_type_checks):
    tokens = random_tokens(model)
    result = attribute(model, tokens, 3)
    with pytest.raises(UnknownName, match=r"no component named 'L1MLP'.*'L1 MLP'"):
        result.of("L1MLP")
    with pytest.raises(UnknownName, match="no head"):
        attribute_sources(model, tokens, "L3H0", 3)
    with pytest.raises(ValueError, match="outside of the vocabulary, 0 to 49"):
        attribute(model, tokens, 50)
    with pytest.raises(ValueError, match="3 answers for 4 rows"):
        attribute(model, tokens, torch.tensor([1, 2, 3]))
    with pytest.raises(ValueError, match=r"position=\[9\].*0 to 8"):
        attribute(model, tokens, 3, position=9)
