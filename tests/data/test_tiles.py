"""Tiles cover their photograph from left to right and top to bottom."""

import pytest
import torch

from mi_course.data import photographs, tiles
from mi_course.data.photographs import Photograph


def test_tiles_are_the_pieces_of_the_picture():
    pixels = torch.rand(3, 8, 15, generator=torch.Generator().manual_seed(0))
    found = tiles.cut([Photograph("noise", pixels, "", "", "")], rows=2, side=4)
    assert found.shape == (6, 3, 4, 4)
    assert torch.allclose(found[0], pixels[:, :4, :4], atol=1e-6)
    assert torch.allclose(found[4], pixels[:, 4:, 4:8], atol=1e-6)


def test_all_photographs_give_tiles_of_one_size_in_their_range():
    found = tiles.cut([photographs.photograph(name) for name in ("cat", "rocket")])
    assert found.shape[1:] == (3, 64, 64)
    assert len(found) >= 18
    assert found.min() >= 0
    assert found.max() <= 1


def test_a_narrow_picture_gives_at_least_one_column():
    found = tiles.cut([Photograph("tower", torch.rand(3, 40, 4), "", "", "")], rows=2, side=8)
    assert found.shape == (2, 3, 8, 8)


def test_nothing_is_no_tile():
    with pytest.raises(ValueError, match="rows=0"):
        tiles.cut([], rows=0)
