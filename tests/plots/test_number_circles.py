"""Numbers in planes: every number where it is, the way round closed, the first three named."""

import math

import pytest
import torch

from mi_course.plots.number_circles import number_circles
from tests.plots.drawn import renderer_of


def circle(p=7, k=2):
    angles = 2 * math.pi * k * torch.arange(p) / p
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def draw(planes):
    return number_circles(planes, title="Where do the numbers lie?", alt="On a circle.")


def test_every_number_is_drawn_where_it_is_and_the_way_round_is_closed():
    picture = draw({"frequency 2": circle(), "frequency 3": circle(k=3)})
    renderer_of(picture)
    first, second, empty = picture.figure.axes
    way, dots, middle = first.lines
    assert torch.allclose(torch.tensor(dots.get_xydata()).float(), circle())
    assert way.get_xydata()[0].tolist() == way.get_xydata()[-1].tolist()
    assert middle.get_xydata().tolist() == [[0, 0]]
    assert [text.get_text() for text in first.texts] == ["0", "1", "2"]
    assert second.get_title(loc="center") == "frequency 3"
    assert not empty.axison


@pytest.mark.parametrize(
    ("planes", "said"),
    [
        ({}, "0 planes"),
        ({str(n): circle() for n in range(5)}, "5 planes"),
        ({"a": torch.zeros(5, 3)}, "two coordinates"),
    ],
    ids=["none", "too many", "three dimensions"],
)
def test_what_cannot_be_drawn_is_refused(planes, said):
    with pytest.raises(ValueError, match=said):
        draw(planes)


def test_a_number_in_the_middle_is_no_problem():
    renderer_of(draw({"nothing": torch.zeros(5, 2)}))
