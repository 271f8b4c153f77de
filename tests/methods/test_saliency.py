"""Slopes are slopes, guidance only lets through what is positive, and random weights are random from the top."""

import pytest
import torch

from mi_course.methods import saliency
from mi_course.models.alexnet import AlexNet, initialize
from tests.methods import striped_network


@pytest.fixture(scope="module")
def model():
    return initialize(AlexNet(striped_network.CONFIG), seed=1).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def image():
    return torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_the_gradient_is_the_slope_of_the_logit(model, image):
    slope = saliency.pixel_gradient(model, image[None], 2)[0]
    strongest = slope.abs().flatten().topk(3).indices
    for index in strongest.tolist():
        up, down = image.clone().flatten(), image.clone().flatten()
        up[index] += 1e-3
        down[index] -= 1e-3
        difference = model(torch.stack([up, down]).view(2, 3, 32, 32))[:, 2]
        assert (difference[0] - difference[1]).item() / 2e-3 == pytest.approx(
            slope.flatten()[index].item(), rel=0.1
        )
    assert torch.equal(saliency.gradient(model, image, 2), slope.abs().amax(dim=0))


def test_slope_times_distance_adds_up_where_the_network_is_linear(image):
    linear = initialize(AlexNet(striped_network.CONFIG), seed=1).eval()
    with torch.no_grad():
        for module in linear.modules():
            if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
                module.weight.abs_()
    # Around the mean colour, with weights and slopes all positive, every ReLU of a brighter picture is on.
    bright = linear.mean + 0.2 + 0.2 * image
    added = saliency.gradient_times_input(linear, bright, 0).sum()
    assert added.item() == pytest.approx(linear(bright[None])[0, 0].item(), rel=1e-3)


def test_a_smooth_gradient_is_a_mean_over_noisy_copies(model, image):
    still = saliency.smooth_gradient(model, image, 1, noise=0.0, copies=3)
    assert torch.allclose(still, saliency.gradient(model, image, 1), atol=1e-5)
    one, same, other = (saliency.smooth_gradient(model, image, 1, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_guidance_drops_what_speaks_against_and_leaves_no_hook(model, image):
    guided = saliency.guided(model, image, 0)
    assert guided.shape == (32, 32)
    assert not torch.allclose(guided, saliency.gradient(model, image, 0))
    assert not any(module._forward_hooks for module in model.modules())
    positive = initialize(AlexNet(striped_network.CONFIG), seed=1).eval()
    with torch.no_grad():
        for parameter in positive.parameters():
            parameter.abs_()
    # Where no slope is negative there is nothing to drop.
    same = saliency.guided(positive, image, 0)
    assert torch.allclose(same, saliency.gradient(positive, image, 0), rtol=1e-4)


def test_random_weights_begin_at_the_top(model):
    kept = [module.weight.clone() for module in saliency._weighted(model)]
    for layers in (0, 1, 3, 8):
        changed = saliency.randomised(model, layers, seed=5)
        same = [torch.equal(a, b.weight) for a, b in zip(kept, saliency._weighted(changed))]
        assert same == [True] * (8 - layers) + [False] * layers
    assert all(torch.equal(a, b.weight) for a, b in zip(kept, saliency._weighted(model)))
    with pytest.raises(ValueError, match="has 8 layers"):
        saliency.randomised(model, 9)


def test_maps_agree_by_the_order_of_their_pixels(image):
    assert saliency.rank_agreement(image[0], image[0] ** 3) == pytest.approx(1)
    assert saliency.rank_agreement(image[0], -image[0]) == pytest.approx(-1)
    assert abs(saliency.rank_agreement(image[0], image[1])) < 0.1


def test_only_classes_that_exist_can_be_asked(model, image):
    with pytest.raises(ValueError, match="not one of 0 … 2"):
        saliency.gradient(model, image, 3)
