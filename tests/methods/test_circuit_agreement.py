"""Rates and areas on rankings that can be counted by hand."""

import pytest
import torch

from mi_course.methods.circuit import Circuit
from mi_course.methods.circuit_agreement import area, rates, roc, sweep_roc
from mi_course.methods.edge_graph import EdgeGraph

GRAPH = EdgeGraph(n_layers=1, n_heads=1, has_mlps=False)
"""Five edges: the embedding into q, k and v, and the embedding and the head into the logits."""


def circuit(*edges):
    return Circuit(GRAPH, edges)


TRUTH = circuit("embed→L0H0.v", "L0H0→logits")


def test_hits_and_false_alarms_are_shares_of_what_is_there_to_find():
    assert rates(circuit("embed→L0H0.v", "embed→L0H0.q"), TRUTH) == (pytest.approx(1 / 3), 0.5)
    assert rates(TRUTH, TRUTH) == (0.0, 1.0)
    assert rates(Circuit(GRAPH, GRAPH.edges), TRUTH) == (1.0, 1.0)


def test_a_perfect_ranking_has_the_area_1_and_a_reversed_one_0():
    truth = torch.tensor([0, 1, 0, 1])
    assert area(*roc(torch.tensor([0.1, 0.9, 0.2, 0.8]), truth)) == 1.0
    assert area(*roc(torch.tensor([0.9, 0.1, 0.8, 0.2]), truth)) == 0.0


def test_scores_that_are_all_equal_say_nothing():
    false, true = roc(torch.zeros(4), torch.tensor([1, 0, 0, 1]))
    assert (false.tolist(), true.tolist()) == ([0.0, 1.0], [0.0, 1.0])
    assert area(false, true) == 0.5


def test_the_area_is_the_chance_that_a_true_edge_is_ranked_above_a_false_one():
    scores, truth = torch.tensor([0.5, 0.5, 0.3, 0.9, 0.1]), torch.tensor([1, 0, 1, 0, 0])
    pairs = [(a > b) + 0.5 * (a == b) for a in (0.5, 0.3) for b in (0.5, 0.9, 0.1)]
    assert area(*roc(scores, truth)) == pytest.approx(sum(pairs) / len(pairs))


def test_a_sweep_goes_from_nothing_to_everything():
    false, true = sweep_roc([TRUTH, circuit("embed→L0H0.v")], TRUTH)
    assert false.tolist() == [0.0, 0.0, 0.0, 1.0]
    assert true.tolist() == [0.0, 0.5, 1.0, 1.0]
    assert area(false, true) == 1.0


@pytest.mark.parametrize("edges", [(), GRAPH.edges], ids=["none", "all"])
def test_a_truth_without_two_kinds_of_edges_is_refused(edges):
    with pytest.raises(ValueError, match="some of the edges, and not all"):
        rates(TRUTH, Circuit(GRAPH, edges))
    with pytest.raises(ValueError, match="some of the edges, and not all"):
        roc(torch.rand(3), torch.full((3,), bool(edges)))
