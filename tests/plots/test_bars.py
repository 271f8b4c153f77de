"""Bars from zero, with whiskers."""

import pytest
import torch

from mi_course.plots import bars


def draw(values, **options):
    return bars(values, title="Which is better?", ylabel="accuracy", alt="Bars.", **options)


def axes(picture):
    return picture.figure.axes[0]


def test_bars_start_at_zero_and_carry_their_value():
    picture = draw({"a": 0.5, "b": torch.tensor(0.25)})
    assert [bar.get_height() for bar in axes(picture).patches] == [0.5, 0.25]
    assert axes(picture).get_ylim()[0] == 0
    assert [text.get_text() for text in axes(picture).texts] == ["0.5", "0.25"]


def test_a_whisker_spans_the_interval():
    [whisker] = axes(draw({"a": (0.5, 0.4, 0.7)})).collections
    assert whisker.get_paths()[0].vertices[:, 1].tolist() == [0.4, 0.7]


def test_negative_bars_hang_down():
    assert axes(draw({"a": -2, "b": 1})).get_ylim()[0] < -2


def test_large_numbers_are_grouped():
    picture = draw({"a": 61_100_840})
    assert axes(picture).texts[0].get_text() == "61,100,840"


@pytest.mark.parametrize("baseline", [0.1, ("chance", 0.1)])
def test_a_baseline_is_drawn(baseline):
    picture = draw({"a": 0.5}, baseline=baseline)
    assert [0.1, 0.1] in [list(line.get_ydata()) for line in axes(picture).lines]
    assert len(picture.figure.legends) == isinstance(baseline, tuple)


def test_long_labels_are_wrapped():
    picture = draw({f"a label of many words, number {number}": 1 for number in range(5)})
    assert all("\n" in text.get_text() for text in axes(picture).get_xticklabels())


@pytest.mark.parametrize(
    ("values", "said"),
    [({}, "values is empty"), ({"a": [1, 2]}, r"shape \(2,\)"), ({"a": (1, 2, 0)}, "low is above high")],
)
def test_what_cannot_be_drawn_is_refused_with_a_remedy(values, said):
    with pytest.raises(ValueError, match=said):
        draw(values)
