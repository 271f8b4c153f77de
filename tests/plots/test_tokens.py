"""A text as its tokens, each on the colour of its value."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyBboxPatch

from mi_course.plots import tokens
from mi_course.plots.style import FAINT, WIDTH
from tests.plots.drawn import renderer_of
from tests.plots.odd_tokens import ODD


def draw(words, values=None, **options):
    values = torch.linspace(0, 1, len(words)) if values is None else values
    settings = {"title": "How surprising?", "unit": "nats", "alt": "A text."} | options
    return tokens(words, values, **settings)


def boxes(picture):
    return [patch for patch in picture.figure.axes[0].patches if isinstance(patch, FancyBboxPatch)]


def written(picture):
    """What stands in the boxes, from the first to the last."""
    places = [(box.get_x() + box.get_width() / 2, box.get_y() + 0.13) for box in boxes(picture)]
    texts = {text.get_position(): text for text in picture.figure.axes[0].texts}
    return [next(text for place, text in texts.items() if np.allclose(place, at)) for at in places]


def test_every_token_stands_in_its_box_in_order():
    words = ["when", "Mary", "and", "John"]
    assert [text.get_text() for text in written(draw(words))] == words


@pytest.mark.filterwarnings("error")
def test_every_token_fits_into_its_box_whatever_it_holds():
    picture = draw([*ODD, "went", "WWWWWWWW", "iiiiiiii"])
    renderer = renderer_of(picture)
    for box, text in zip(boxes(picture), written(picture), strict=True):
        assert text.get_window_extent(renderer).width <= box.get_window_extent(renderer).width, text


def test_a_text_runs_on_in_lines_inside_the_figure():
    picture = draw(["gave"] * 60)
    edges = [(round(box.get_y(), 3), box.get_x(), box.get_x() + box.get_width()) for box in boxes(picture)]
    assert len({top for top, _, _ in edges}) > 2
    assert edges == sorted(edges)
    assert all(0 < left < right < WIDTH for _, left, right in edges)


def test_a_line_break_ends_its_line():
    first, second, third = boxes(draw(["one", "\n", "two"]))
    assert first.get_y() == second.get_y() < third.get_y()
    assert third.get_x() == first.get_x()


def test_colours_run_from_paper_to_dark():
    nothing, half, most = (np.array(box.get_facecolor()[:3]) for box in boxes(draw(["a", "b", "c"])))
    assert nothing.min() > 0.95 > half.mean() > most.mean()


def test_signed_colours_are_red_above_zero_blue_below_and_white_at_it():
    minus, zero, plus = (
        box.get_facecolor() for box in boxes(draw(["a", "b", "c"], [-2.0, 0.0, 1.0], signed=True))
    )
    assert minus[2] > minus[0]
    assert plus[0] > plus[2]
    assert min(zero[:3]) > 0.95
    assert sum(minus[:3]) < sum(plus[:3]), "−2 is twice as strong as 1"


def test_a_fixed_limit_makes_two_figures_comparable():
    [weak] = boxes(draw(["a"], [1.0], limit=10))
    [strong] = boxes(draw(["a"], [1.0]))
    assert sum(weak.get_facecolor()) > sum(strong.get_facecolor())


def test_numbers_are_written_below_and_what_was_not_measured_is_grey_without_one():
    picture = draw(["a", "b"], [-0.25, float("nan")], signed=True, numbers=True)
    assert "−0.25" in [text.get_text() for text in picture.figure.axes[0].texts]
    assert not any("nan" in text.get_text() for text in picture.figure.axes[0].texts)
    assert np.allclose(boxes(picture)[1].get_facecolor()[:3], to_rgb(FAINT))


def test_text_can_be_read_on_every_colour():
    for box, text in zip(
        boxes(p := draw(["a"] * 11, np.linspace(-1, 1, 11), signed=True)), written(p), strict=True
    ):
        light = [
            0.299 * r + 0.587 * g + 0.114 * b
            for r, g, b in (box.get_facecolor()[:3], to_rgb(text.get_color()))
        ]
        assert abs(light[0] - light[1]) > 0.35


@pytest.mark.parametrize(
    ("values", "options", "said"),
    [
        ([1.0], {}, "there are 2 tokens"),
        ([[1.0, 2.0]], {}, "give one value a token"),
        ([-1.0, 2.0], {}, "use signed=True"),
    ],
)
def test_what_does_not_fit_is_refused(values, options, said):
    with pytest.raises(ValueError, match=said):
        draw(["a", "b"], values, **options)


def test_a_text_without_tokens_is_refused():
    with pytest.raises(ValueError, match="0 tokens"):
        draw([], [])
