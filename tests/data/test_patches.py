"""Patches of two halves that share no pixel, and all hold the same brightnesses."""

import pytest
import torch

from mi_course.data import patches, photographs
from mi_course.data.photographs import Photograph

SIDE = 16


def picture(pixels, name="made"):
    return Photograph(name, pixels.float(), "", "", "")


def textured(height, width, seed=0, colour=(1.0, 1.0, 1.0)):
    noise = torch.rand(height, width, generator=torch.Generator().manual_seed(seed))
    return noise * torch.tensor(colour)[:, None, None]


@pytest.fixture
def raw(monkeypatch):
    """Patches as they are cut, before their brightnesses are evened out."""
    monkeypatch.setattr(
        patches, "_same_histogram", lambda grey, generator: grey.expand(-1, 3, -1, -1).contiguous()
    )


@pytest.mark.parametrize("width", [72, 73, 100, 32])
def test_the_halves_share_no_pixel(raw, width):
    """Every pixel's value is its column; the picture already has the height that it would be scaled to."""
    columns = torch.arange(width) / width
    left, right = patches.cut([picture(columns.expand(3, 72, width))], per_photograph=300, side=SIDE)
    seen = [set((half.images * width).round().long().unique().tolist()) for half in (left, right)]
    assert max(seen[0]) < min(seen[1])
    assert min(seen[0]) == 0
    assert max(seen[1]) == width - 1
    assert max(seen[0]) == width // 2 - 1
    assert min(seen[1]) == width // 2


def test_patches_come_from_every_height(raw):
    rows = (torch.arange(72) / 72)[:, None]
    left, _ = patches.cut([picture(rows.expand(3, 72, 90))], per_photograph=300, side=SIDE)
    seen = (left.images * 72).round()
    assert seen.min() == 0
    assert seen.max() == 71


def test_a_patch_is_a_piece_of_the_picture(raw):
    pixels = textured(72, 90).float()
    left, _ = patches.cut([picture(pixels)], per_photograph=5, side=SIDE)
    pieces = pixels[0].unfold(0, SIDE, 1).unfold(1, SIDE, 1).flatten(0, 1)
    for patch in left.images:
        assert (pieces - patch[0]).abs().amax((1, 2)).min() < 1e-5


def test_pictures_are_scaled_to_four_and_a_half_patches(raw):
    """Stripes of 20 pixels in a picture four times as high are 5 pixels wide in the patches."""
    stripes = (torch.arange(400) // 20 % 2).expand(3, 288, 400)
    left, _ = patches.cut([picture(stripes)], per_photograph=40, side=SIDE)
    changes = (left.images[:, 0, 0].round().diff(dim=1) != 0).sum(1).float()
    assert changes.mean().item() == pytest.approx(15 / 5, abs=0.3)


def test_patches_are_grey_by_the_weights_of_brightness(raw):
    red = torch.zeros(3, 72, 90)
    red[0] = 1
    left, _ = patches.cut([picture(red)], per_photograph=3, side=SIDE)
    assert torch.allclose(left.images, torch.tensor(0.299), atol=1e-5)


def test_every_patch_holds_the_same_brightnesses_evenly_spread():
    bright = 0.6 + 0.4 * textured(72, 90, seed=1)
    dark = 0.5 * textured(72, 90, seed=2)
    flat = torch.full((3, 72, 90), 0.3)
    pictures = [picture(bright, "bright"), picture(dark, "dark"), picture(flat, "flat")]
    even = torch.linspace(0, 1, SIDE * SIDE)
    for half in patches.cut(pictures, per_photograph=4, side=SIDE):
        assert torch.equal(half.images[:, 0], half.images[:, 1])
        assert torch.equal(half.images[:, 0], half.images[:, 2])
        held = half.images[:, 0].flatten(1).sort(dim=1).values
        assert torch.allclose(held, even.expand_as(held), atol=1e-6)


def test_pixels_keep_their_order_of_brightness():
    ramp = (torch.arange(90) / 90).expand(3, 72, 90)
    left, _ = patches.cut([picture(ramp)], per_photograph=3, side=SIDE)
    assert (left.images[:, 0].mean(1).diff(dim=1) > 0).all()


def test_equal_pixels_do_not_show_the_order_of_the_memory():
    left, _ = patches.cut([picture(torch.full((3, 72, 90), 0.3))], per_photograph=50, side=SIDE)
    assert (left.images[:, 0].mean(0) - 0.5).abs().max() < 0.25


def test_every_patch_is_labelled_with_its_photograph():
    found = [picture(textured(72, 90, seed=s), f"p{s}") for s in range(3)]
    for half in patches.cut(found, per_photograph=7, side=SIDE):
        assert half.images.shape == (21, 3, SIDE, SIDE)
        assert half.labels.tolist() == [0] * 7 + [1] * 7 + [2] * 7
        assert half.names == ("p0", "p1", "p2")


def test_labels_are_right(raw):
    flat = [picture(torch.full((3, 72, 90), value), str(value)) for value in (0.1, 0.5, 0.9)]
    for half in patches.cut(flat, per_photograph=4, side=SIDE):
        values = half.images.mean((1, 2, 3))
        assert torch.allclose(values, torch.tensor([0.1, 0.5, 0.9])[half.labels], atol=1e-5)


def test_the_same_seed_cuts_the_same_patches():
    one = [picture(textured(72, 90))]
    first, again, other = (patches.cut(one, side=SIDE, seed=seed)[0].images for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_picture_that_is_too_narrow_is_named():
    with pytest.raises(ValueError, match="'tower' is too narrow for two halves of 16-pixel patches"):
        patches.cut([picture(textured(300, 60), "tower")], side=SIDE)


def test_every_picture_that_ships_is_wide_enough():
    names = (*photographs.names(), *photographs.textures())
    left, right = patches.cut([photographs.photograph(name) for name in names], per_photograph=1)
    assert left.images.shape == right.images.shape == (len(names), 3, 64, 64)
