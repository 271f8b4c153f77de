"""A circuit is a set of edges that nothing changes; running the circuit of some nodes is ablating all others."""

import pytest
import torch

from mi_course.errors import CourseError, UnknownName
from mi_course.methods import edge_patching
from mi_course.methods.circuit import Circuit, masks
from mi_course.methods.edge_graph import EdgeGraph
from tests.models.small_transformers import CONFIGS, make, random_tokens


@pytest.fixture(scope="module")
def model():
    return make(CONFIGS["gpt2"])


def test_edges_may_be_written_in_three_ways(model):
    graph = EdgeGraph.of(model)
    spelled = [Circuit(graph, [edge]) for edge in ("L0H1→L1H0.k", "L0H1->L1H0.k", ("L0H1", "L1H0.k"))]
    assert spelled[0] == spelled[1] == spelled[2]
    assert "L0H1→L1H0.k" in spelled[0]
    assert ("L0H1", "L1H0.q") not in spelled[0]


def test_the_full_circuit_has_every_edge_and_the_empty_one_none(model):
    full, empty = Circuit.full(model), Circuit.empty(model)
    assert len(full) == len(EdgeGraph.of(model)) == int(full.mask.sum())
    assert len(empty) == 0
    assert empty.nodes == ()
    assert empty <= full
    assert not full <= empty


def test_circuits_are_combined_like_sets(model):
    graph = EdgeGraph.of(model)
    one, other = (
        Circuit(graph, ["L0H1→L1H0.k", "L1H0→logits"]),
        Circuit(graph, ["L1H0→logits", "embed→L0H1.v"]),
    )
    assert len(one | other) == 3
    assert (one & other).edges == {("L1H0", "logits")}
    assert (one - other).edges == {("L0H1", "L1H0.k")}
    assert len(one) == 2, "no operation changes a circuit"


def test_nodes_are_in_the_order_of_computation(model):
    circuit = Circuit(EdgeGraph.of(model), ["L1H0→logits", "L0 MLP→L1H0.q", "L0H3→L0 MLP", "embed→L0H3.v"])
    assert circuit.nodes == ("L0H3", "L0 MLP", "L1H0")
    assert circuit.heads == ("L0H3", "L1H0")
    assert next(str(edge) for edge in circuit) == "embed→L0H3.v"


def test_without_takes_away_all_edges_of_a_node(model):
    circuit = Circuit.of_nodes(model, ["L0H1", "L0 MLP", "L1H0"])
    assert circuit.without("L0 MLP") == Circuit.of_nodes(model, ["L0H1", "L1H0"])
    assert circuit.without() == circuit


@pytest.mark.parametrize("kind", sorted(CONFIGS))
def test_running_the_circuit_of_some_nodes_is_replacing_all_other_nodes(kind):
    model = make(CONFIGS[kind])
    clean, corrupted = random_tokens(seed=1), random_tokens(seed=2)
    has_mlps = bool(model.config.d_mlp)
    kept = ["L0H1", "L0H2", "L1H0", "L2H3"] + ["L1 MLP"] * has_mlps
    with torch.no_grad():
        _, other = model.run_with_cache(corrupted)

        def replaced(activation, name):
            layer = int(name.split(".")[1])
            if name.endswith("mlp_out"):
                return activation if f"L{layer} MLP" in kept else other[name]
            gone = [head for head in range(4) if f"L{layer}H{head}" not in kept]
            activation = activation.clone()
            activation[:, :, gone] = other[name][:, :, gone]
            return activation

        points = [name for name in model.hook_points() if name.endswith(("hook_z", "hook_mlp_out"))]
        want = model.run_with_hooks(clean, [(name, replaced) for name in points])[:, -1]
    reference = edge_patching.reference_outputs(model, corrupted)
    got = edge_patching.run(model, clean, masks([Circuit.of_nodes(model, kept)]), reference)
    torch.testing.assert_close(got[0, :, 0], want, atol=1e-4, rtol=1e-4)


def test_what_does_not_exist_is_refused_by_name(model):
    with pytest.raises(UnknownName, match="L7H0"):
        Circuit.of_nodes(model, ["L7H0"])
    with pytest.raises(UnknownName, match="no head or MLP named 'L0H9'"):
        Circuit.full(model).without("L0H9")
    with pytest.raises(CourseError, match="no edge L1H0→L0H1"):
        Circuit(EdgeGraph.of(model), ["L1H0→L0H1.k"])
    with pytest.raises(CourseError, match="different shape"):
        Circuit.full(model) | Circuit.full(make(CONFIGS["attention-only"]))
