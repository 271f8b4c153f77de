"""Each cell lies around its two quantities, and the theory's border lies where it should."""

import numpy as np
import pytest

from mi_course.plots.phase_diagram import phase_diagram

X, Y = [0.01, 0.1, 1.0], [0.1, 1.0]
VALUES = [[-1, -0.5, 0], [0, 0.5, 1]]


def diagram(x=X, y=Y, values=VALUES, **options):
    words = {"title": "t", "xlabel": "density", "ylabel": "importance", "unit": "which", "alt": "a"}
    return phase_diagram(x, y, values, **{**words, **options})


def test_cells_lie_around_their_quantities_in_equal_steps_of_the_logarithm():
    axes, bar = diagram().figure.axes
    [mesh] = axes.collections
    assert mesh.get_array().reshape(2, 3).tolist() == VALUES
    edges = np.asarray(mesh.get_coordinates())
    assert np.log10(edges[0, :, 0]) == pytest.approx([-2.5, -1.5, -0.5, 0.5])
    assert np.log10(edges[:, 0, 1]) == pytest.approx([-1.5, -0.5, 0.5])
    assert mesh.get_clim() == (-1, 1)
    assert (axes.get_xscale(), axes.get_yscale(), bar.get_ylabel()) == ("log", "log", "which")


def test_borders_are_drawn_and_named():
    picture = diagram(borders={"theory": ([0.1, 0.5], [0.1, 1.0])})
    [line] = picture.figure.axes[0].get_lines()
    assert line.get_xydata().tolist() == [[0.1, 0.1], [0.5, 1.0]]
    assert [text.get_text() for text in picture.figure.legends[0].get_texts()] == ["theory"]


def test_ticks_are_written_as_numbers():
    axes = diagram().figure.axes[0]
    diagram_labels = [label.get_text() for label in axes.get_xticklabels()]
    assert {"0.01", "0.05", "0.1", "1"} <= set(diagram_labels)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"values": [[0, 0]]}, "2 y and 3 x"),
        ({"x": [1.0, 0.1, 0.01]}, "rising"),
        ({"x": [0.0, 0.1, 1.0]}, "above 0"),
    ],
    ids=["shape", "order", "zero"],
)
def test_what_has_no_place_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        diagram(**change)
