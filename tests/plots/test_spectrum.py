"""Stems over frequencies: as high as the shares, with the large ones named."""

import pytest
import torch

from mi_course.plots.spectrum import spectrum
from tests.plots.drawn import renderer_of


def draw(shares, **options):
    options = {"title": "Which waves?", "ylabel": "share", "alt": "Two stand out.", **options}
    return spectrum(shares, **options)


def test_stems_are_as_high_as_the_shares_and_the_large_ones_are_named():
    picture = draw({"trained": torch.tensor([0.1, 0.02, 0.6]), "untrained": torch.tensor([0.3, 0.3, 0.3])})
    [axes] = picture.figure.axes
    assert [line.get_ydata().tolist() for line in axes.lines] == [
        pytest.approx([0.1, 0.02, 0.6]),
        pytest.approx([0.3, 0.3, 0.3]),
    ]
    [stems] = axes.collections
    assert [segment[1].tolist() for segment in stems.get_segments()] == [
        pytest.approx([1, 0.1]),
        pytest.approx([2, 0.02]),
        pytest.approx([3, 0.6]),
    ]
    assert {text.get_text() for text in axes.texts} == {"1", "3"}
    renderer_of(picture)


def test_a_limit_makes_pictures_comparable():
    [axes] = draw({"trained": [0.1, 0.2]}, limit=0.5).figure.axes
    assert axes.get_ylim() == (0, 0.5)


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({}, "0 spectra"),
        ({"a": [1.0], "b": [1.0, 2.0]}, "to all alike"),
        ({"a": [[1.0]]}, "one number a frequency"),
    ],
    ids=["none", "unlike", "table"],
)
def test_what_cannot_be_drawn_is_refused(shares, said):
    with pytest.raises(ValueError, match=said):
        draw(shares)
