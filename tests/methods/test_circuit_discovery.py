"""ACDC and edge attribution: two derivations agree, linear networks are exact, planted circuits are found."""

import pytest
import torch

from mi_course.errors import CourseError
from mi_course.methods import circuit_discovery, edge_patching, metrics
from mi_course.methods.circuit import Circuit
from mi_course.methods.edge_graph import EdgeGraph
from mi_course.methods.path_patching import path_patch
from mi_course.models import planted
from mi_course.models.transformer import Transformer, TransformerConfig, initialize
from tests.models.small_transformers import CONFIGS, make, random_tokens
from tests.type_checks import values_only

CLEAN, CORRUPTED = random_tokens(3, seed=1), random_tokens(3, seed=2)


def metric(logits):
    return logits[:, -1, 3] - logits[:, -1, 4]


@pytest.mark.parametrize("kind", sorted(CONFIGS))
def test_the_scores_are_the_gradient_of_the_edge_mask_at_the_whole_model(kind):
    model = make(CONFIGS[kind]).requires_grad_(False)
    mask = EdgeGraph.of(model).possible.float().requires_grad_()
    reference = edge_patching.reference_outputs(model, CORRUPTED)
    score = metric(edge_patching.run(model, CLEAN, mask[None], reference)[0]).mean()
    (want,) = torch.autograd.grad(score, mask)
    got = circuit_discovery.eap_scores(model, CLEAN, CORRUPTED, metric)
    torch.testing.assert_close(got.values, want * EdgeGraph.of(model).possible, atol=1e-4, rtol=1e-3)
    assert got.values.abs().max() > 0.01


def test_scores_are_the_slope_of_patching_a_little_of_an_edge():
    model = make(CONFIGS["gpt2"]).double().requires_grad_(False)
    graph, edge, step = EdgeGraph.of(model), ("L0H1", "L1H2.k"), 1e-4
    less = graph.mask(graph.edges).double()
    less[graph.row(edge[1]), graph.column(edge[0])] -= step
    masks = torch.stack([graph.mask(graph.edges).double(), less])
    whole, part = edge_patching.run(model, CLEAN, masks, edge_patching.reference_outputs(model, CORRUPTED))
    slope = (metric(whole) - metric(part)).mean() / step
    scores = circuit_discovery.eap_scores(model, CLEAN, CORRUPTED, metric)
    assert scores[edge] == pytest.approx(slope.item(), rel=1e-3)


def test_integrated_gradients_with_one_step_are_the_plain_gradient():
    model = make(CONFIGS["gpt2"]).requires_grad_(False)
    plain = circuit_discovery.eap_scores(model, CLEAN, CORRUPTED, metric)
    one = circuit_discovery.eap_ig_scores(model, CLEAN, CORRUPTED, metric, steps=1)
    five = circuit_discovery.eap_ig_scores(model, CLEAN, CORRUPTED, metric, steps=5)
    torch.testing.assert_close(one.values, plain.values)
    assert not torch.allclose(five.values, plain.values, atol=1e-3)
    assert (plain.passes, five.passes) == (2, 6)


def test_where_the_network_is_a_straight_line_scores_are_what_patching_gives():
    config = TransformerConfig(
        n_layers=2, d_model=8, n_heads=2, d_head=4, d_mlp=0, d_vocab=9, n_ctx=6, norm=None, bias=False
    )
    model = initialize(Transformer(config), 0, std=0.4, embedding_std=0.5).requires_grad_(False)
    with torch.no_grad():
        for block in model.blocks:
            block.attn.W_Q.zero_()  # attention is then the same whatever is read
    clean, corrupted = random_tokens(4, 6, seed=1, d_vocab=9), random_tokens(4, 6, seed=2, d_vocab=9)
    scores = circuit_discovery.eap_scores(model, clean, corrupted, metric)
    for receiver in ("L1H0.v", "logits"):
        patched = path_patch(model, clean, corrupted, metric, receivers=receiver)
        for sender, change in patched.changes.items():
            assert scores[sender, receiver] == pytest.approx(-change, abs=1e-5)


def test_circuits_are_cut_from_scores_by_number_or_by_threshold():
    model = make(CONFIGS["gpt2"]).requires_grad_(False)
    scores = circuit_discovery.eap_scores(model, CLEAN, CORRUPTED, metric)
    ten = circuit_discovery.eap(model, CLEAN, CORRUPTED, metric, n_edges=10)
    assert ten.edges == set(scores.strongest(10))
    weakest = abs(list(scores.strongest(10).values())[-1])
    assert scores.circuit(threshold=weakest * 0.999).edges >= ten.edges
    assert len(scores.circuit(threshold=1e9)) == 0
    with pytest.raises(ValueError, match="one of the two"):
        scores.circuit()


PLANTED = {
    "induction": planted.induction,
    "indirect object": planted.indirect_object,
}


@pytest.fixture(scope="module", params=sorted(PLANTED))
def known(request):
    """A network with a known circuit, prompts, and the metric."""
    network = PLANTED[request.param]()
    prompts = network.prompts(16)
    return (
        network.model,
        Circuit(EdgeGraph.of(network.model), network.truth),
        prompts,
        lambda logits: metrics.logit_diff(logits, prompts.correct, prompts.wrong),
    )


@values_only
def test_integrated_gradients_and_acdc_find_a_planted_circuit(known):
    model, truth, prompts, difference = known
    pairs = (model, prompts.clean, prompts.corrupted)
    assert circuit_discovery.eap_ig_scores(*pairs, difference).auc(truth) >= 0.95
    sweep = [circuit_discovery.acdc(*pairs, difference, threshold=cut) for cut in (0.01, 0.1, 1.0)]
    assert circuit_discovery.area(*circuit_discovery.sweep_roc(sweep, truth)) >= 0.95


def test_the_plain_gradient_finds_a_circuit_only_where_attention_is_not_saturated():
    found = {}
    for sharpness in (2, 20):
        network = planted.indirect_object(sharpness=sharpness)
        prompts, truth = network.prompts(16), Circuit(EdgeGraph.of(network.model), network.truth)
        pairs = (network.model, prompts.clean, prompts.corrupted)

        def difference(logits, prompts=prompts):
            return metrics.logit_diff(logits, prompts.correct, prompts.wrong)

        found[sharpness] = circuit_discovery.eap_scores(*pairs, difference).auc(truth)
    assert found[2] >= 0.95
    assert found[20] < 0.9


def test_scores_of_a_network_without_the_circuit_do_not_find_it(known):
    model, truth, prompts, difference = known
    scrambled = initialize(Transformer(model.config), 3, std=0.3, embedding_std=0.5).requires_grad_(False)
    by_chance = circuit_discovery.eap_scores(scrambled, prompts.clean, prompts.corrupted, difference)
    found = circuit_discovery.eap_scores(model, prompts.clean, prompts.corrupted, difference)
    assert by_chance.auc(truth) < found.auc(truth)


def test_acdc_with_the_divergence_keeps_what_the_answer_needs():
    network = planted.induction()
    prompts = network.prompts(8)
    search = circuit_discovery.acdc_search(network.model, prompts.clean, prompts.corrupted, threshold=0.05)
    truth = Circuit(EdgeGraph.of(network.model), network.truth)
    assert circuit_discovery.rates(search.circuit, truth)[1] >= 0.95
    assert search.runs <= 1 + len(truth.graph)


def test_acdc_keeps_everything_at_no_cost_and_nothing_at_any_cost():
    model = make(CONFIGS["attention-only"]).requires_grad_(False)
    seen = []
    nothing = circuit_discovery.acdc(
        model, CLEAN, CORRUPTED, metric, threshold=1e9, watch=lambda loop: [seen.append(x) or x for x in loop]
    )
    assert len(nothing) == 0
    assert seen[0] == "logits"
    strict = circuit_discovery.acdc(model, CLEAN, CORRUPTED, threshold=0.0)
    assert len(strict) > len(EdgeGraph.of(model)) / 2


def test_bad_input_is_refused_in_words(without_type_checks):
    model = make(CONFIGS["gpt2"]).requires_grad_(False)
    with pytest.raises(CourseError, match="position by position"):
        circuit_discovery.eap(model, CLEAN, CORRUPTED[:, 1:], metric, n_edges=3)
    with pytest.raises(ValueError, match="steps=0"):
        circuit_discovery.eap_ig_scores(model, CLEAN, CORRUPTED, metric, steps=0)
    with pytest.raises(ValueError, match="cannot be negative"):
        circuit_discovery.acdc(model, CLEAN, CORRUPTED, metric, threshold=-1.0)
