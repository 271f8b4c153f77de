"""Points stand where their numbers say, in groups that a colour-blind reader can tell apart."""

import numpy as np
import pytest
import torch

from mi_course.plots import scatter


def draw(groups, **options):
    return scatter(groups, title="Do they differ?", xlabel="noise", ylabel="colour", alt="Points.", **options)


def axes(picture):
    return picture.figure.axes[0]


GROUPS = {"trained": (torch.rand(5), torch.rand(5)), "untrained": ([1, 2], [3, 4])}


def test_points_are_where_their_numbers_say():
    first, second = axes(draw(GROUPS)).collections
    assert np.allclose(first.get_offsets(), torch.stack(GROUPS["trained"], dim=1))
    assert second.get_offsets().tolist() == [[1, 3], [2, 4]]


def test_groups_differ_in_marker_as_well_as_in_colour():
    four = {name: ([0.0], [1.0]) for name in "abcd"}
    drawn = axes(draw(four)).collections
    shapes = {collection.get_paths()[0].vertices.tobytes() for collection in drawn}
    colours = {tuple(collection.get_facecolor()[0]) for collection in drawn}
    assert len(shapes) == len(colours) == 4


def test_axes_and_groups_are_named():
    picture = draw(GROUPS)
    assert (axes(picture).get_xlabel(), axes(picture).get_ylabel()) == ("noise", "colour")
    [legend] = picture.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["trained", "untrained"]
    assert len(picture.png()) > 1000


def test_thresholds_are_marked_on_their_axis():
    across, up = axes(draw(GROUPS, thresholds=(0.5, 0.7))).lines
    assert list(across.get_xdata()) == [0.5, 0.5]
    assert list(up.get_ydata()) == [0.7, 0.7]
    [only] = axes(draw(GROUPS, thresholds=(None, 0.0))).lines
    assert list(only.get_ydata()) == [0, 0]
    assert not axes(draw(GROUPS)).lines


@pytest.mark.parametrize("count", [0, 5])
def test_too_many_groups_or_none_are_refused(count):
    with pytest.raises(ValueError, match=f"{count} groups: show between 1 and 4"):
        draw({str(i): ([0], [0]) for i in range(count)})


def test_every_point_needs_two_numbers():
    with pytest.raises(ValueError, match="same size"):
        draw({"a": ([1, 2, 3], [1, 2])})


def test_a_diagonal_shows_where_both_measurements_agree():
    [line] = axes(draw(GROUPS, diagonal=True)).lines
    assert line.get_slope() == 1
    assert line.get_xy1() == (0, 0)
    assert not axes(draw(GROUPS)).lines
