"""The circuit pruner, by mouse and by keyboard, in a real JupyterLab."""

import pytest

from tests.browser.hands import drag

pytestmark = pytest.mark.browser

CELLS = [
    """from mi_course.methods.edge_graph import EdgeGraph
from mi_course.methods.uncertainty import Interval
from mi_course.models.planted import indirect_object
from mi_course.widgets.circuit_pruner import CircuitPruner

planted = indirect_object()
graph = EdgeGraph.of(planted.model)
true = sorted(planted.truth)
circuits = [true[:3], true, graph.edges[:80], graph.edges[:200]]
kept = [Interval(share, share - 0.1, share + 0.1) for share in (0.1, 0.9, 0.95, 1.0)]
CircuitPruner(circuits, kept, control=kept[::-1], graph=graph, names=planted.roles, truth=planted.truth)"""
]


@pytest.fixture
def pruner(explorer_of):
    """The widget with the first value of its slider."""
    return explorer_of(0)


def alts(explorer):
    return explorer.picture.evaluate_all("images => images.map(image => image.alt)")


def test_it_begins_with_a_diagram_and_a_curve(pruner):
    diagram, curve = alts(pruner)
    assert "80 edges keep 95% of the answer" in diagram
    assert "duplicate token: L0H1" in diagram
    assert "With 80 edges the circuit keeps 95%" in curve


def test_arrow_keys_prune_and_grow_the_circuit(pruner):
    [slider] = pruner.controls()
    handle = slider.locator(".noUi-handle").first
    assert pruner.changes_picture(lambda: (handle.focus(), pruner.page.keyboard.press("ArrowLeft")))
    assert "10 edges keep 90% of the answer; 10 of the 10 true edges" in alts(pruner)[0]
    assert slider.text_content().strip().endswith("10 edges")
    assert pruner.changes_picture(lambda: pruner.page.keyboard.press("ArrowRight"))
    assert "80 edges" in alts(pruner)[0]


def test_dragging_the_handle_to_the_end_shows_the_largest_circuit(pruner):
    [slider] = pruner.controls()
    assert pruner.changes_picture(lambda: drag(slider, 0.999))
    assert "200 edges keep 100% of the answer" in alts(pruner)[0]


def test_the_picture_fits_its_cell(pruner):
    for image in pruner.picture.all():
        box = image.bounding_box()
        assert box["width"] <= pruner.part.bounding_box()["width"] + 1
        assert box["height"] > 200
