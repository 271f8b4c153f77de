"""Bars that lie, for many labels and for words."""

import pytest
import torch
from matplotlib.colors import same_color

from mi_course.plots import horizontal_bars
from mi_course.plots.style import COLOURS
from tests.plots.odd_tokens import ODD


def draw(values, **options):
    return horizontal_bars(
        values, **{"title": "What next?", "xlabel": "probability", "alt": "Bars."} | options
    )


def lengths(picture):
    return [round(bar.get_width(), 6) for bar in picture.figure.axes[0].patches]


def labels(picture):
    return [label.get_text() for label in picture.figure.axes[0].get_yticklabels()]


def test_marked_bars_differ_in_more_than_their_colour():
    marked, plain = draw({"Mary": 0.5, "John": 0.25}, marked=["Mary"]).figure.axes[0].patches
    assert marked.get_hatch()
    assert not plain.get_hatch()


def test_bars_stand_in_the_order_given_the_first_on_top():
    picture = draw({"Mary": 0.5, "John": torch.tensor(0.25)})
    assert lengths(picture) == [0.5, 0.25]
    assert labels(picture) == ["Mary", "John"]
    bottom, top = picture.figure.axes[0].get_ylim()
    assert top < 0 < bottom


def test_only_the_largest_in_absolute_value_are_kept_largest_first():
    picture = draw({"a": 0.1, "b": -3.0, "c": 2.0, "d": 0.0}, most=2)
    assert labels(picture) == ["b", "c"]
    assert lengths(picture) == [-3.0, 2.0]


def test_pairs_may_repeat_a_label():
    assert labels(draw([("�", 0.5), ("�", 0.25)])) == ["�", "�"]


def test_numbers_are_written_in_the_format_asked_for():
    def numbers(picture):
        return [text.get_text() for text in picture.figure.axes[0].texts]

    assert numbers(draw({"a": 0.12345, "b": -2.0})) == ["0.123", "−2"]
    assert numbers(draw({"a": 0.12345}, number=".1%")) == ["12.3%"]


def test_what_was_before_is_a_line_across_its_bar_also_after_sorting():
    axes = draw({"a": 1.0, "b": 3.0}, before=("before", [0.5, 2.0]), most=2).figure.axes[0]
    assert [lines.get_segments()[0][0][0] for lines in axes.collections] == [2.0, 0.5]
    assert axes.get_legend_handles_labels()[1] == ["before"]


def test_whiskers_span_low_to_high():
    [whisker] = draw({"a": (1.0, 0.5, 2.0)}).figure.axes[0].collections
    assert [float(x) for x, _ in whisker.get_segments()[0]] == [0.5, 2.0]


def test_marked_bars_have_another_colour():
    first, second = draw({"a": 1.0, "b": 1.0}, marked=["b"]).figure.axes[0].patches
    assert same_color(second.get_facecolor(), COLOURS["vermilion"])
    assert not same_color(first.get_facecolor(), second.get_facecolor())


def test_the_axis_ends_where_it_is_told_to():
    assert draw({"a": 0.5}, limit=1.0).figure.axes[0].get_xlim() == (0, 1)


@pytest.mark.filterwarnings("error")
def test_odd_tokens_can_be_labels():
    assert draw([(token, 1.0) for token in ODD]).png()


@pytest.mark.parametrize(
    ("values", "options", "said"),
    [
        ({}, {}, "values is empty"),
        ({"a": [1.0, 2.0]}, {}, "give one number"),
        ({"a": 1.0}, {"before": ("x", [1.0, 2.0])}, "2 numbers for 1 bars"),
        ({str(n): 1.0 for n in range(70)}, {}, "most=20"),
    ],
)
def test_what_does_not_fit_is_refused(values, options, said):
    with pytest.raises(ValueError, match=said):
        draw(values, **options)
