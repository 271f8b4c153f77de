"""Curves with bands."""

import numpy as np
import pytest
import torch

from mi_course.plots import curves


def draw(x, ys, **options):
    return curves(x, ys, title="It rises", xlabel="x", ylabel="y", alt="Curves.", **options)


def axes(picture):
    return picture.figure.axes[0]


def test_each_curve_goes_through_its_points_and_is_named():
    picture = draw(torch.arange(3), {"a": [1, 2, 3], "b": torch.tensor([3.0, 2.0, 1.0])})
    first, second = axes(picture).lines
    assert first.get_ydata().tolist() == [1, 2, 3]
    assert second.get_ydata().tolist() == [3, 2, 1]
    assert [text.get_text() for text in picture.figure.legends[0].get_texts()] == ["a", "b"]


def test_a_band_spans_low_to_high():
    [band] = axes(draw([0, 1], {"a": ([1, 2], [0.5, 1.5], [2, 3])})).collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0.5, 3)


def test_words_on_the_axis_keep_their_order():
    picture = draw(["pixels", "conv1", "fc8"], {"a": [1, 2, 3]})
    assert [text.get_text() for text in axes(picture).get_xticklabels()] == ["pixels", "conv1", "fc8"]


def test_a_logarithmic_axis_is_labelled_with_the_values_themselves():
    picture = draw([100, 1000, 20_000], {"a": [1, 2, 3]}, xscale="log")
    assert [text.get_text() for text in axes(picture).get_xticklabels()] == ["100", "1,000", "20,000"]


def test_curves_differ_in_more_than_colour():
    lines = axes(draw([0, 1], {str(number): [number, number] for number in range(8)})).lines
    assert len({line.get_marker() for line in lines}) == 8


def test_a_baseline_is_drawn_and_named():
    picture = draw([0, 1], {"a": [1, 2]}, baseline=("chance", 0.5))
    assert axes(picture).lines[1].get_ydata() == [0.5, 0.5]
    assert "chance" in [text.get_text() for text in picture.figure.legends[0].get_texts()]


def test_a_cursor_stands_at_its_place_and_is_named():
    picture = draw([0, 1], {"a": [1, 2]}, cursor=("step 1", 1))
    assert list(axes(picture).lines[1].get_xdata()) == [1, 1]
    assert "step 1" in [text.get_text() for text in picture.figure.legends[0].get_texts()]


def test_not_a_number_leaves_a_gap():
    assert np.isnan(axes(draw([0, 1, 2], {"a": [1, float("nan"), 3]})).lines[0].get_ydata()[1])


@pytest.mark.parametrize(
    ("ys", "said"),
    [
        ({}, "ys is empty"),
        ({str(number): [1, 2] for number in range(9)}, "9 curves"),
        ({"a": [1, 2, 3]}, r"The curve 'a' has shape \(3,\), but x has 2"),
        ({"a": ([1, 2], [0, 1])}, "2 parts"),
        ({"a": ([1, 2], [0, 1], [3])}, "make them equal"),
        ({"a": ([1, 2], [2, 3], [0, 1])}, "low is above high"),
        ({"a": ["x", "y"]}, "must be numbers"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_remedy(ys, said):
    with pytest.raises(ValueError, match=said):
        draw([0, 1], ys)
