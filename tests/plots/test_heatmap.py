"""A table of numbers as coloured cells."""

import numpy as np
import pytest
import torch

from mi_course.plots import heatmap


def draw(values, **options):
    values = torch.as_tensor(values, dtype=torch.float32)
    settings = {
        "rows": [f"L{row}" for row in range(values.shape[0])],
        "columns": [f"t{column}" for column in range(values.shape[1])],
        "title": "Where is it?",
        "unit": "logits",
        "alt": "A table.",
    } | options
    return heatmap(values, **settings)


def image(picture):
    return picture.figure.axes[0].images[0]


def test_signed_values_are_centred_at_zero():
    assert image(draw([[-1, 4.0]])).get_clim() == (-4, 4)


def test_unsigned_values_start_at_zero():
    assert image(draw([[1, 4.0]], signed=False)).get_clim() == (0, 4)


def test_a_fixed_limit_makes_two_figures_comparable():
    assert image(draw([[1, 4.0]], limit=10)).get_clim() == (-10, 10)


def test_cells_are_labelled_and_carry_their_numbers():
    picture = draw([[-1, 0.25], [3, 4]], xlabel="position", ylabel="layer")
    axes, bar = picture.figure.axes
    assert [text.get_text() for text in axes.texts] == ["−1", "0.25", "3", "4"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["t0", "t1"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["L0", "L1"]
    assert (axes.get_xlabel(), axes.get_ylabel(), bar.get_ylabel()) == ("position", "layer", "logits")


def test_what_was_not_measured_is_grey_and_has_no_number():
    picture = draw([[float("nan"), 2.0]])
    assert [text.get_text() for text in picture.figure.axes[0].texts] == ["2"]
    assert image(picture).get_clim() == (-2, 2)
    assert np.ma.is_masked(image(picture).get_array())
    assert draw([[float("nan")]]).png()


def test_many_cells_are_labelled_now_and_then():
    axes = draw(torch.rand(40, 100)).figure.axes[0]
    assert len(axes.get_xticks()) <= 32
    assert len(axes.texts) == 0


@pytest.mark.parametrize(
    ("values", "options", "said"),
    [
        ([[1.0, 2.0]], {"rows": ["a", "b"]}, "2 row labels and 2 column labels"),
        ([[-1.0, 2.0]], {"signed": False}, "use signed=True"),
        (np.zeros((0, 0)), {}, "shape"),
    ],
)
def test_what_does_not_fit_is_refused(values, options, said):
    with pytest.raises(ValueError, match=said):
        draw(values, **options)
