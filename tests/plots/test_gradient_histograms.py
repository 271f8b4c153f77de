"""Stars whose lines run along the edges that were counted."""

import numpy as np
import pytest
import torch

from mi_course.methods import engineered_pipeline
from mi_course.plots.gradient_histograms import gradient_histograms
from mi_course.plots.style import COLOURS


def draw(grids, titles=None, **options):
    titles = ["stars"] * len(grids) if titles is None else titles
    return gradient_histograms(grids, titles, title="What it sees", alt="Stars.", **options)


def longest(axes):
    """The longest line: its middle, its length, and its angle as one sees it, in degrees from 0 to 180."""
    segments = np.concatenate(
        [np.array(lines.get_segments()) for lines in axes.collections if lines.get_segments()]
    )
    delta = segments[:, 1] - segments[:, 0]
    at = np.hypot(*delta.T).argmax()
    (dx, dy), middle = delta[at], segments[at].mean(axis=0)
    return middle, np.hypot(dx, dy), np.degrees(np.arctan2(-dy, dx)) % 180  # rows count downwards


def one(direction, value=1.0, *, at=(1, 2), shape=(3, 4, 9)):
    grid = torch.zeros(shape)
    grid[*at, direction] = value
    return grid


@pytest.mark.parametrize("direction", range(9))
def test_a_line_runs_at_right_angles_to_the_gradient(direction):
    [axes] = draw([one(direction)]).figure.axes
    middle, length, angle = longest(axes)
    assert middle.tolist() == pytest.approx([2, 1])
    assert length == pytest.approx(0.96)
    gradient = (direction + 0.5) * 20
    assert angle == pytest.approx((gradient + 90) % 180)


@pytest.mark.parametrize(("picture", "angle"), [("vertical", 90), ("horizontal", 0), ("rising", 45)])
def test_the_star_of_an_edge_runs_along_it(picture, angle):
    """From picture to star: what one sees in both is one direction."""
    rows, columns = torch.meshgrid(torch.arange(25.0), torch.arange(25.0), indexing="ij")
    brightness = {"vertical": columns, "horizontal": rows, "rising": rows + columns}[picture] / 50
    [axes] = draw([engineered_pipeline.stages(brightness).histograms[1:-1, 1:-1]]).figure.axes
    found = longest(axes)[2]
    assert abs((found - angle + 90) % 180 - 90) <= 10.1  # half the width of one of nine directions


def test_lines_are_as_long_as_their_numbers():
    grid = one(0, 2.0) + one(5, 1.0, at=(0, 0))
    [axes] = draw([grid]).figure.axes
    lengths = sorted(np.hypot(*(b - a)) for lines in axes.collections for a, b in lines.get_segments())
    assert lengths[-2:] == pytest.approx([0.48, 0.96])
    assert lengths[-3] == pytest.approx(0)


def test_negative_numbers_have_another_colour_and_another_line():
    [axes] = draw([one(3, -1.0) + one(3, 0.5, at=(0, 0))]).figure.axes
    positive, negative = axes.collections
    from matplotlib.colors import to_rgba

    assert tuple(positive.get_color()[0]) == to_rgba(COLOURS["blue"])
    assert tuple(negative.get_color()[0]) == to_rgba(COLOURS["vermilion"])
    assert positive.get_linestyle() != negative.get_linestyle()
    [line] = negative.get_segments()
    assert np.hypot(*(line[1] - line[0])) == pytest.approx(0.96)


def test_pictures_stand_in_front_of_their_stars():
    figure = draw([one(0), one(1)], ["counts", "weights"], pictures=[torch.rand(12, 16), None]).figure
    assert [len(axes.images) for axes in figure.axes] == [1, 0, 0]
    assert [axes.get_title() for axes in figure.axes][1:] == ["counts", "weights"]


def test_a_grid_of_zeros_is_drawn():
    assert len(draw([torch.zeros(2, 2, 9)]).png()) > 1000


def test_a_grid_without_a_title_is_not_dropped_in_silence():
    with pytest.raises(ValueError, match="2 grids, 1 titles"):
        draw([one(0), one(1)], ["only one"])
    with pytest.raises(ValueError, match="2 grids, 2 titles and 1 pictures"):
        draw([one(0), one(1)], pictures=[torch.rand(5, 5)])
