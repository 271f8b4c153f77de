# ruff: noqa: N803 (matrices are upper case in the formulas)
"""Every direction ends where it should, in the colour that its feature has in every drawing."""

import pytest
import torch

from mi_course.methods.superposition import polygon
from mi_course.plots.geometry import geometry, geometry_panel


def tips(axes):
    """Where the rays end, in order, and their colours."""
    dots = [line for line in axes.get_lines() if line.get_marker() == "o"]
    ends = torch.tensor([(line.get_xdata()[0], line.get_ydata()[0]) for line in dots], dtype=torch.float32)
    return ends, [line.get_color() for line in dots]


def test_rays_end_at_the_directions_and_features_keep_their_colours():
    first, second = polygon(5), 0.8 * polygon(5).flip(0)
    axes = geometry({"1.0": first, "0.1": second}, title="Two worlds", alt="Two.").figure.axes
    assert [a.get_title(loc="center") for a in axes[:2]] == ["1.0", "0.1"]
    for drawing, W in zip(axes, (first, second)):
        assert torch.allclose(tips(drawing)[0], W)
    assert tips(axes[0])[1] == tips(axes[1])[1]
    assert len(set(tips(axes[0])[1])) == 5
    assert axes[0].get_xlim() == axes[1].get_xlim()


def test_what_has_no_direction_has_no_number():
    W = torch.tensor([[1.0, 0.0], [0.01, 0.0]])
    [axes, *_] = geometry({"": W}, title="t", alt="a", names=["kept", "given up"]).figure.axes
    assert [text.get_text() for text in axes.texts] == ["kept"]


def test_empty_places_of_the_grid_are_blank():
    axes = geometry({str(n): polygon(n) for n in (2, 3, 4)}, title="t", alt="a", columns=2).figure.axes
    assert [a.axison for a in axes] == [True, True, True, False]


def test_the_panel_has_the_products_of_all_directions():
    W = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.2]])
    picture = geometry_panel(W, title="t", alt="a", names=["a", "b", "c"])
    plane, table = picture.figure.axes
    assert torch.allclose(tips(plane)[0], W)
    assert torch.allclose(torch.tensor(table.images[0].get_array()).float(), W @ W.T)
    assert [text.get_text() for text in table.texts][:3] == ["1", "−1", "0"]
    assert [label.get_text() for label in table.get_xticklabels()] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "draw", [lambda W, **o: geometry({"x": W}, **o), geometry_panel], ids=["grid", "panel"]
)
def test_more_than_two_dimensions_are_refused(draw):
    with pytest.raises(ValueError, match="only those in two dimensions"):
        draw(torch.eye(3), title="t", alt="a")
    with pytest.raises(ValueError, match="2 names for 3 features"):
        draw(polygon(3), title="t", alt="a", names=["a", "b"])


def test_what_cannot_be_laid_out_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        geometry({}, title="t", alt="a")
    with pytest.raises(ValueError, match="1 to 6"):
        geometry({"x": polygon(3)}, title="t", alt="a", columns=9)
