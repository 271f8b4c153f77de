"""Scrambled pictures lose what they should lose, and keep the rest."""

import pytest
import torch

from mi_course.data import photographs
from mi_course.data.scrambled import block_scrambled, enlarged, phase_scrambled, upside_down


@pytest.fixture(scope="module")
def faces():
    return enlarged(photographs.faces().images[:6], 32)


def test_enlarged_pictures_are_grey_photographs(faces):
    small = photographs.faces().images[:6]
    assert faces.shape == (6, 3, 32, 32)
    assert torch.equal(faces[:, 0], faces[:, 2])
    assert faces.min() >= 0
    assert faces.max() <= 1
    back = torch.nn.functional.interpolate(faces[:, :1], (25, 25), mode="bilinear", antialias=True)[:, 0]
    assert (back - small).abs().mean() < 0.03


def test_blocks_are_all_there_in_another_order_for_each_picture():
    numbers = torch.arange(2 * 36.0).reshape(2, 1, 6, 6) / 100
    numbers[1] = numbers[0]
    found = block_scrambled(numbers, blocks=3)
    assert not torch.equal(found, numbers)
    assert not torch.equal(found[0], found[1])
    for picture, original in zip(found, numbers):
        pieces, originals = (
            x.unfold(1, 2, 2).unfold(2, 2, 2).reshape(9, 4).tolist() for x in (picture, original)
        )
        assert sorted(pieces) == sorted(originals)


def test_one_block_changes_nothing_and_the_seed_repeats(faces):
    assert torch.equal(block_scrambled(faces, blocks=1), faces)
    assert torch.equal(block_scrambled(faces, seed=1), block_scrambled(faces, seed=1))
    assert not torch.equal(block_scrambled(faces, seed=1), block_scrambled(faces, seed=2))
    with pytest.raises(ValueError, match="5 blocks do not divide 32 × 32"):
        block_scrambled(faces, blocks=5)


def test_scrambled_phases_keep_mean_and_spectrum_but_not_the_picture(faces):
    calm = 0.5 + 0.2 * (faces - faces.mean(dim=(1, 2, 3), keepdim=True))  # nothing is cut off at 0 or 1
    found = phase_scrambled(calm)
    before, after = (torch.fft.rfft2(x).abs() for x in (calm, found))
    assert torch.allclose(before, after, atol=1e-3)
    assert torch.allclose(calm.mean(dim=(2, 3)), found.mean(dim=(2, 3)), atol=1e-5)
    alike = [torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1] for a, b in zip(calm, found)]
    assert torch.stack(alike).mean().abs() < 0.4
    assert torch.allclose(found[:, 0], found[:, 1], atol=1e-5)
    assert not torch.allclose(phase_scrambled(calm, seed=1), found, atol=1e-2)


def test_upside_down_is_its_own_way_back(faces):
    assert torch.equal(upside_down(upside_down(faces)), faces)
    assert torch.equal(upside_down(faces)[:, :, 0], faces[:, :, -1])


def test_nothing_changes_its_input(faces):
    before = faces.clone()
    for scramble in (block_scrambled, phase_scrambled, upside_down):
        scramble(faces)
    assert torch.equal(faces, before)
