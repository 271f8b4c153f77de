"""Views are shifted, turned and zoomed by what was asked for, and not at all if nothing was."""

import pytest
import torch

from mi_course.methods.random_transforms import STILL, RandomTransforms


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def blob(side=33, x=0.0, y=0.0):
    """A soft white spot on black, ``x`` pixels right of the middle and ``y`` below it."""
    axis = torch.arange(side) - side // 2
    spot = torch.exp(-((axis[None] - x) ** 2 + (axis[:, None] - y) ** 2) / 8)
    return spot.expand(1, 3, side, side).contiguous()


def centre(images):
    """Where the light is, in pixels right of and below the middle, and how wide it spreads."""
    axis = torch.arange(images.shape[-1]).float() - images.shape[-1] // 2
    light = images.mean(1) / images.mean(1).sum((1, 2), keepdim=True)
    x, y = (light.sum(1) * axis).sum(1), (light.sum(2) * axis).sum(1)
    return torch.stack([x, y], 1), (light * (axis[None] ** 2 + axis[:, None] ** 2)).sum((1, 2)).sqrt()


def test_without_transforms_not_a_bit_changes(generator):
    picture = torch.rand(2, 3, 8, 8)
    assert STILL(picture, generator) is picture


def test_shifts_go_everywhere_up_to_their_limit_each_image_apart(generator):
    places, _ = centre(RandomTransforms(shift=4, turn=0, zoom=0)(blob().repeat(200, 1, 1, 1), generator))
    assert places.abs().max() <= 4.01
    assert places.amax(0).min() > 3.5
    assert places.amin(0).max() < -3.5
    assert places.unique(dim=0).shape[0] == 200


def test_turning_moves_a_spot_on_its_circle(generator):
    turned = RandomTransforms(shift=0, turn=30, zoom=0)(blob(x=8).repeat(200, 1, 1, 1), generator)
    places, _ = centre(turned)
    assert torch.allclose(places.norm(dim=1), torch.tensor(8.0), atol=0.2)
    degrees = torch.rad2deg(torch.atan2(places[:, 1], places[:, 0]))
    assert 27 < degrees.max() <= 30.5
    assert -30.5 <= degrees.min() < -27


def test_zooming_makes_it_larger_and_smaller(generator):
    still = centre(blob())[1]
    zoomed = (
        centre(RandomTransforms(shift=0, turn=0, zoom=0.2)(blob().repeat(200, 1, 1, 1), generator))[1] / still
    )
    assert 1.15 < zoomed.max() < 1.25
    assert 0.77 < zoomed.min() < 0.87


def test_pixels_of_a_picture_that_is_not_square_stay_square(generator):
    tall = blob(x=8)[:, :, 8:-8]
    places, _ = centre(
        torch.nn.functional.pad(RandomTransforms(shift=0, turn=20, zoom=0)(tall, generator), (0, 0, 8, 8))
    )
    assert places.norm().item() == pytest.approx(8, abs=0.3)


def test_gradients_flow_and_the_seed_repeats():
    picture = blob().requires_grad_()
    views = [RandomTransforms()(picture, torch.Generator().manual_seed(3)) for _ in range(2)]
    assert torch.equal(*views)
    (gradient,) = torch.autograd.grad(views[0].sum(), picture)
    assert gradient.abs().sum() > 0
    assert views[0].min() >= 0
    assert views[0].max() <= 1


@pytest.mark.parametrize("wrong", [{"shift": -1}, {"turn": -5}, {"zoom": 1.0}])
def test_impossible_limits_are_refused(wrong):
    with pytest.raises(ValueError, match="0 or more"):
        RandomTransforms(**wrong)
