"""The pixels that move a unit are those that the formula says it can see."""

import pytest
import torch

from mi_course.methods import layer_arithmetic
from mi_course.methods.receptive_field import extent, gradient_map
from mi_course.models.alexnet import ALEXNET_MINI, AlexNet, AlexNetConfig, Convolution, initialize

NARROW = AlexNetConfig(
    image_size=64,
    convolutions=tuple(
        Convolution(2, kernel=c.kernel, stride=c.stride, padding=c.padding, pool=c.pool)
        for c in ALEXNET_MINI.convolutions
    ),
    grid=3,
    hidden=(2, 2),
    n_classes=2,
    pool_padding=1,
)


@pytest.fixture(scope="module")
def model():
    """As deep as AlexNet-mini, two channels wide, and linear but for the pools: no unit is ever off."""
    torch.manual_seed(0)
    model = AlexNet(NARROW).eval()
    with torch.no_grad():
        for layer in model.convolutions:
            layer.weight.uniform_(0.5, 1.0)
            layer.weight.div_(layer.weight.sum())
            layer.bias.fill_(10.0)
    return model


@pytest.mark.parametrize("name", ["conv1.pre", "conv1", "pool1", "conv2", "conv3"])
def test_the_extent_of_the_gradient_is_the_receptive_field(model, name):
    row = layer_arithmetic.layer(NARROW, name.removesuffix(".pre"))
    seen = gradient_map(model, name, image_size=row.receptive_field + 3 * row.step, n_images=24)
    assert extent(seen) == row.receptive_field


@pytest.mark.parametrize("name", ["conv4", "pool5"])
def test_deep_layers_see_no_pixel_outside_their_field_and_most_of_it(model, name):
    row = layer_arithmetic.layer(NARROW, name)
    seen = gradient_map(model, name, image_size=row.receptive_field + 3 * row.step, n_images=24)
    assert 0.9 * row.receptive_field < extent(seen) <= row.receptive_field


@pytest.mark.parametrize("name", ["conv1", "conv2", "conv4", "pool5"])
def test_alexnet_mini_sees_at_most_what_the_formula_allows(name):
    mini = initialize(AlexNet(ALEXNET_MINI), seed=0).eval()
    row = layer_arithmetic.layer(ALEXNET_MINI, name)
    seen = gradient_map(mini, name, n_images=4)
    assert row.receptive_field * 0.6 < extent(seen) <= row.receptive_field
    assert extent(seen, share=0.5) < row.receptive_field


def test_the_map_of_the_first_layer_is_the_sum_of_its_weights_sizes():
    """For one image and one linear layer the gradient is the weights; the ReLU is not in between."""
    mini = initialize(AlexNet(ALEXNET_MINI), seed=0).eval()
    seen = gradient_map(mini, "conv1.pre", image_size=21, n_images=1)
    weights = (mini.convolutions[0].weight.detach().sum(0) / mini.std).abs().sum(0)
    rows, columns = seen.nonzero(as_tuple=True)
    found = seen[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert torch.allclose(found, weights / weights.max(), atol=1e-5)


def test_a_map_runs_from_0_to_1_and_repeats_itself(model):
    first = gradient_map(model, "conv2", image_size=60, n_images=2, seed=3)
    assert first.shape == (60, 60)
    assert first.min() == 0
    assert first.max() == 1
    assert torch.equal(first, gradient_map(model, "conv2", image_size=60, n_images=2, seed=3))
    assert not torch.equal(first, gradient_map(model, "conv2", image_size=60, n_images=2, seed=4))


def test_it_works_under_no_grad_and_leaves_no_gradient_in_the_weights(model):
    with torch.no_grad():
        gradient_map(model, "conv1", image_size=30, n_images=1)
    assert all(p.grad is None for p in model.parameters())


def test_a_layer_without_rows_and_columns_is_refused(model):
    with pytest.raises(ValueError, match="'fc6' is not a feature map"):
        gradient_map(model, "fc6", image_size=64, n_images=1)


def square(side, *, at=10, size=31):
    gradients = torch.zeros(size, size)
    gradients[at : at + side, at : at + side] = 1
    return gradients


@pytest.mark.parametrize("side", [1, 3, 7, 9])
def test_the_extent_of_a_square_is_its_side(side):
    assert extent(square(side)) == side
    assert extent(square(side), share=0.999) == side


def test_a_share_counts_from_the_middle():
    gradients = square(9) * 0.01 + square(3, at=13)
    assert extent(gradients, share=0.9) == 3
    assert extent(gradients) == 9


def test_a_larger_share_takes_a_larger_square():
    smooth = torch.rand(40, 40, generator=torch.Generator().manual_seed(0))
    sides = [extent(smooth, share=share) for share in (0.1, 0.5, 0.9, 0.9999999, 1.0)]
    assert sides == sorted(sides)
    assert sides[-1] == 40


def test_a_map_of_zeros_has_no_extent():
    assert extent(torch.zeros(5, 5)) == 0
    assert extent(torch.zeros(5, 5), share=0.9) == 0


@pytest.mark.parametrize("share", [0.0, -0.5, 1.1])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(ValueError, match="must be above 0 and at most 1"):
        extent(square(3), share=share)
