"""Paths of what is won and lost: each step where it was measured, in the order of the doses."""

import pytest

from mi_course.plots.trade_off import trade_off

PATHS = {
    "pushed": [("0", 0.1, 0.9), ("1×", (0.3, 0.2, 0.4), 0.88), ("2×", (0.5, 0.4, 0.6), (0.8, 0.7, 0.9))],
    "at random": [("", 0.1, 0.9), ("4×", 0.05, 0.3)],
}


def draw(paths=PATHS, **options):
    return trade_off(paths, title="Which pays?", xlabel="won", ylabel="left", alt="Paths.", **options)


def axes(picture):
    return picture.figure.axes[0]


def test_every_step_is_where_it_was_measured():
    pushed, at_random = axes(draw()).lines
    assert list(pushed.get_xdata()) == [0.1, 0.3, 0.5]
    assert list(pushed.get_ydata()) == [0.9, 0.88, 0.8]
    assert list(at_random.get_xdata()) == [0.1, 0.05]
    assert pushed.get_color() != at_random.get_color()
    assert pushed.get_marker() != at_random.get_marker()


def test_steps_carry_their_names_and_whiskers():
    picture = draw()
    assert [text.get_text() for text in axes(picture).texts] == ["0", "1×", "2×", "4×"]
    ends = [collection.get_segments()[0].tolist() for collection in axes(picture).collections]
    assert ends == [[[0.2, 0.88], [0.4, 0.88]], [[0.4, 0.8], [0.6, 0.8]], [[0.5, 0.7], [0.5, 0.9]]]


def test_points_to_compare_with_are_stars():
    picture = draw(points={"the real thing": (0.53, 1.0)})
    star = axes(picture).lines[-1]
    assert (star.get_xdata()[0], star.get_ydata()[0], star.get_marker()) == (0.53, 1.0, "*")
    assert "the real thing" in [text.get_text() for text in picture.figure.legends[0].get_texts()]


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        ({}, "paths is empty"),
        ({"a": []}, "paths is empty"),
        ({"a": [("1", [1, 2], 3)]}, "one number for x"),
        ({"a": [("1", (1, 2, 0), 3)]}, "low is above high"),
        ({str(n): [("", 0, 0)] for n in range(9)}, "9 paths"),
    ],
    ids=["none", "no step", "two numbers", "interval", "too many"],
)
def test_what_cannot_be_drawn_is_refused(paths, said):
    with pytest.raises(ValueError, match=said):
        draw(paths)
