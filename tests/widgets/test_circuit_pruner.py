"""A slider over circuits of different sizes."""

import pytest

from mi_course.errors import CourseError
from mi_course.methods.edge_graph import EdgeGraph
from mi_course.methods.uncertainty import Interval
from mi_course.widgets.circuit_pruner import CircuitPruner

GRAPH = EdgeGraph(2, 3, False)
SIZES = (5, 1, 20)
KEPT = [Interval(0.9, 0.8, 1.0), Interval(-0.1, -0.2, 0.0), Interval(1.0, 0.9, 1.1)]
CONTROL = [Interval(0.2, 0.1, 0.3), Interval(0.0, -0.1, 0.1), Interval(0.4, 0.3, 0.5)]


def pruner(**options):
    circuits = [GRAPH.edges[-size:] for size in SIZES]
    return CircuitPruner(circuits, KEPT, **{"graph": GRAPH, "control": CONTROL} | options)


def test_circuits_are_in_order_of_size_with_their_own_faithfulness():
    explorer = pruner()
    slider = explorer.controls()["circuit"]
    assert [label for label, _ in slider.options] == ["1 edge", "5 edges", "20 edges"]
    assert slider.value == 1, "it begins in the middle"
    for number, (size, kept, random) in enumerate(
        [(1, "−10%", "0%"), (5, "90%", "20%"), (20, "100%", "40%")]
    ):
        alt = explorer.static(circuit=number).alt
        assert f"{size} edge{'s' * (size > 1)} keep {kept} of the answer" in alt
        assert f"as many random edges {random}." in alt
        assert f"A circuit of {size} edge" in alt


def test_the_slider_moves_the_circuit_and_the_cursor():
    explorer = pruner()
    assert explorer.view
    explorer._controls["circuit"].value = 2
    assert "20 edges keep 100% of the answer" in explorer._picture.value
    diagram, curve = explorer.static(circuit=2).pictures
    assert len([p for p in diagram.figure.axes[0].patches if type(p).__name__ == "PathPatch"]) == 20
    assert list(curve.figure.axes[0].lines[-1].get_xdata()) == [20, 20]
    assert [text.get_text() for text in curve.figure.legends[0].get_texts()] == [
        "this circuit", "random edges", "whole model", "20 edges",
    ]  # fmt: skip


def test_true_edges_are_counted_if_the_truth_is_known():
    truth = GRAPH.edges[-3:]
    assert "; 3 of the 3 true edges are among them" in pruner(truth=truth).static(circuit=1).alt
    assert "; 1 of the 3 true edges are among them" in pruner(truth=truth).static(circuit=0).alt
    assert "true edges" not in pruner().static(circuit=1).alt


def test_without_a_control_there_is_one_curve():
    _, curve = pruner(control=None).static().pictures
    assert "random" not in curve.alt
    assert "the circuit keeps 90% [80%, 100%] of the answer." in curve.alt


def test_what_is_kept_has_a_name():
    alt = pruner(measure="the right answers").static(circuit=1).alt
    assert alt.startswith("5 edges keep 90% of the right answers.")
    assert "the circuit keeps 90% [80%, 100%] of the right answers" in alt


def test_an_empty_circuit_can_be_shown():
    explorer = CircuitPruner([[], GRAPH.edges[-2:]], KEPT[:2])
    assert "0 edges keep 90% of the answer" in explorer.static(circuit=0).alt


def test_going_back_draws_nothing_anew():
    explorer = pruner()
    assert explorer.static(circuit=0) is explorer.static(circuit=0)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (([], []), {}, "at least one"),
        (([GRAPH.edges[:2]], KEPT), {}, "faithfulness has 3 intervals for 1 circuits"),
        (([GRAPH.edges[:2]], KEPT[:1]), {"control": KEPT}, "control has 3 intervals for 1 circuits"),
        (([EdgeGraph(8, 8, True).edges], KEPT[:1]), {}, "leave out those with more than 1000"),
    ],
    ids=["nothing", "too many intervals", "too many controls", "too large"],
)
def test_what_does_not_fit_is_refused(arguments, options, words):
    with pytest.raises(CourseError, match=words):
        CircuitPruner(*arguments, **options)


def test_a_circuit_that_does_not_exist_is_refused():
    with pytest.raises(CourseError, match="there are 0 to 2"):
        pruner().static(circuit=7)
