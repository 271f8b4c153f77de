"""Frequencies and colours become pictures as the formulas say, and what begins in the canvas is nearly grey."""

import pytest
import torch

from mi_course.methods import image_parameterisation as image
from mi_course.models import pretrained
from mi_course.recipes import colour_axes


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("side", [15, 16])
def test_every_frequency_weighs_one_over_itself(side):
    scale = image.frequency_scale(side)
    assert scale[0, 4] / scale[0, 1] == pytest.approx(1 / 4, rel=1e-5)
    assert scale[3, 4] / scale[0, 1] == pytest.approx(1 / 5, rel=1e-5)
    assert scale[0, 0] == scale[0, 1]
    spread = image.fourier_image(noise(400, side, side // 2 + 1, 2)).std().item()
    assert spread == pytest.approx(1, abs=0.1)


def test_the_image_is_the_sum_of_its_waves():
    side = 16
    coefficients = torch.zeros(side, side // 2 + 1, 2)
    coefficients[0, 3, 0] = 1.0  # a cosine across the width, three cycles a picture
    wave = torch.cos(2 * torch.pi * 3 * torch.arange(side) / side).expand(side, side)
    found = image.fourier_image(coefficients)
    assert torch.allclose(found / found.max(), wave, atol=1e-5)


def test_above_the_finest_frequency_nothing_can_grow():
    coefficients = noise(1, 3, 32, 17, 2)
    coarse, whole = (image.fourier_image(coefficients, finest=finest) for finest in (0.25, 0.5))
    assert image.fine_share(coarse).item() < 1e-6
    assert image.fine_share(whole).item() > 0.03
    corner = torch.zeros(8, 5, 2)
    corner[4, 4, 0] = 1.0  # the checkerboard itself, at 0.71 cycles a pixel
    assert image.fourier_image(corner).abs().max() > 0
    assert image.fourier_image(corner, finest=0.49).abs().max() == 0


def test_fine_share_knows_noise_stripes_and_flat_pictures():
    assert image.fine_share(noise(50, 3, 32, 32)).mean().item() == pytest.approx(0.80, abs=0.02)
    for width, expected in ((2, 1.0), (8, 0.0)):
        stripes = torch.cos(2 * torch.pi * torch.arange(32) / width).expand(1, 3, 32, 32)
        assert image.fine_share(stripes).item() == pytest.approx(expected, abs=1e-4)
    assert image.fine_share(torch.ones(1, 3, 16, 16)).item() == 0
    fine, coarse = (torch.cos(2 * torch.pi * torch.arange(32) / width) for width in (3.2, 8))
    crossed = (fine[:, None] + coarse[None]).expand(
        1, 3, 32, 32
    )  # level and upright stripes of equal strength
    assert image.fine_share(crossed).item() == pytest.approx(0.5, abs=1e-3)


def test_the_colour_axes_are_those_of_the_card_longest_first():
    axes = image.colour_axes()
    lengths = axes.norm(dim=1)
    assert lengths[0].item() == pytest.approx(1)
    assert lengths[0] > 2 * lengths[1] > 2 * lengths[2]
    across = axes @ axes.T / (lengths[:, None] * lengths[None])
    assert torch.allclose(across, torch.eye(3), atol=5e-3)
    assert pretrained.card("alexnet-mini")["colours"]["recipe"].endswith("colour_axes")
    light, warm, purple = axes
    assert (light > 0.5).all()
    assert light.std() < 0.05
    assert warm[0] > 0 > warm[2]
    assert purple[1] < 0 < purple[0]


def test_paint_keeps_zero_grey_and_mixes_colours_as_asked():
    assert (image.paint(torch.zeros(1, 3, 2, 2)) == 0.5).all()
    level = torch.zeros(1, 3, 1, 1)
    level[0, 0] = 1.0
    red, light = image.paint(level, colour="plain")[0, :, 0, 0], image.paint(level)[0, :, 0, 0]
    assert red[0] > 0.9
    assert (red[1:] == 0.5).all()
    assert light.min() > 0.8
    assert image.paint(100 * noise(1, 3, 4, 4)).min() >= 0
    assert image.paint(100 * noise(1, 3, 4, 4)).max() <= 1


@pytest.mark.parametrize("colour", ["decorrelated", "plain"])
@pytest.mark.parametrize("parameterisation", ["fourier", "pixels"])
def test_a_canvas_begins_as_nearly_flat_grey_and_the_seed_decides(parameterisation, colour):
    def first(seed):
        return image.Canvas(2, 12, parameterisation=parameterisation, colour=colour, seed=seed).images()

    assert first(0).shape == (2, 3, 12, 12)
    assert (first(0) - 0.5).abs().max() < 0.1
    assert not torch.equal(first(0)[0], first(0)[1])
    assert torch.equal(first(0), first(0))
    assert not torch.equal(first(0), first(1))


def test_unknown_choices_are_refused(without_type_checks):
    with pytest.raises(ValueError, match="'wavelets' is neither"):
        image.Canvas(1, 8, parameterisation="wavelets")
    with pytest.raises(ValueError, match="'grey' is neither"):
        image.Canvas(1, 8, colour="grey")


def test_the_recipe_finds_the_axes_of_colours_that_we_made():
    levels = noise(40, 20, 20, 3) * torch.tensor([0.1, 0.03, 0.01])
    axes = torch.linalg.qr(torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]]).T).Q.T
    pixels = ((0.5 + levels @ axes) * 255).round().clamp(0, 255).to(torch.uint8)
    found = colour_axes.measure(pixels, batch=7)
    assert found["mean"] == pytest.approx([0.5] * 3, abs=0.01)
    assert torch.tensor(found["axes"]).norm(dim=1).tolist() == pytest.approx([0.1, 0.03, 0.01], rel=0.05)
    assert all(row[0] >= 0 for row in found["axes"])
    assert found["axes"][0] == pytest.approx([0.0577] * 3, abs=0.003)
