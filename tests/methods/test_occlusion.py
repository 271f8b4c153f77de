"""Covering a part of a picture: what the map says is what the network says of each covered picture."""

import dataclasses

import pytest
import torch

from mi_course.methods.occlusion import occlusion_map
from mi_course.models.alexnet import ALEXNET_MINI, AlexNet, initialize


@pytest.fixture(scope="module")
def model():
    config = dataclasses.replace(ALEXNET_MINI, n_classes=3)
    return initialize(AlexNet(config, ("cat", "dog", "owl")), seed=0).eval()


@pytest.fixture(scope="module")
def image():
    return torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))


class Sum(AlexNet):
    """A network whose logits can be computed by head: class 0 adds up the red of one region."""

    def __init__(self):
        super().__init__(dataclasses.replace(ALEXNET_MINI, n_classes=3))
        self.batches = []

    def forward(self, images):
        self.batches.append(len(images))
        red = images[:, 0, 8:16, 8:16].sum((1, 2))
        return torch.stack([red, -red, torch.zeros_like(red)], dim=1)


def test_each_entry_is_the_fall_of_the_logit_of_one_covered_picture(model, image):
    result = occlusion_map(model, image, 1, patch=16, stride=12, fill=0.25)
    assert result.drop.shape == (5, 5)
    with torch.no_grad():
        whole = model(image[None])[0, 1].item()
        assert result.whole == pytest.approx(whole)
        for row, column in ((0, 0), (2, 3), (4, 4)):
            covered = image.clone()
            covered[:, 12 * row : 12 * row + 16, 12 * column : 12 * column + 16] = 0.25
            expected = whole - model(covered[None])[0, 1].item()
            assert result.drop[row, column].item() == pytest.approx(expected, abs=1e-5)


def test_only_what_lies_under_the_patch_counts():
    image = torch.ones(3, 32, 32)
    for_class = occlusion_map(Sum(), image, 0, patch=8, stride=8, fill=0.0)
    expected = torch.zeros(4, 4)
    expected[1, 1] = 64
    assert torch.equal(for_class.drop, expected)
    assert for_class.whole == 64
    assert torch.equal(occlusion_map(Sum(), image, 1, patch=8, stride=8, fill=0.0).drop, -expected)
    assert not occlusion_map(Sum(), image, 2, patch=8, stride=8, fill=0.0).drop.any()


def test_covering_a_flat_picture_with_its_own_colour_changes_nothing(model):
    flat = torch.tensor([0.2, 0.5, 0.7])[:, None, None].expand(3, 64, 64)
    assert occlusion_map(model, flat, 0, stride=16).drop.abs().max() < 1e-4
    assert occlusion_map(model, flat, 0, stride=16, fill=0.0).drop.abs().max() > 1e-2


def test_without_a_fill_the_patch_has_the_mean_colour():
    image = torch.ones(3, 32, 32)
    image[0, 16:] = 0.5
    result = occlusion_map(Sum(), image, 0, patch=8, stride=8)
    assert result.drop[1, 1].item() == pytest.approx(64 * (1 - 0.75))


def test_the_picture_is_left_alone(model, image):
    before = image.clone()
    occlusion_map(model, image, 0, stride=24)
    assert torch.equal(image, before)


def test_the_size_of_a_batch_bounds_what_is_computed_at_once_and_changes_nothing(model, image):
    network = Sum()
    some = occlusion_map(network, torch.ones(3, 32, 32), 0, patch=8, stride=4, batch=5)
    assert max(network.batches) == 5
    assert torch.equal(some.drop, occlusion_map(network, torch.ones(3, 32, 32), 0, patch=8, stride=4).drop)
    small, large = (occlusion_map(model, image, 0, stride=16, batch=b).drop for b in (2, 64))
    assert torch.allclose(small, large, atol=1e-5)


def test_a_picture_need_not_be_square():
    result = occlusion_map(Sum(), torch.ones(3, 24, 40), 0, patch=8, stride=8, fill=0.0)
    assert result.drop.shape == (3, 5)
    assert result.drop[1, 1] == 64


def test_the_result_names_the_class_and_its_own_scale(model, image):
    result = occlusion_map(model, image, 2, patch=20, stride=22)
    assert (result.class_name, result.patch, result.stride) == ("owl", 20, 22)
    assert occlusion_map(Sum(), torch.ones(3, 32, 32), 2).class_name == "class 2"


def test_no_graph_is_kept(model, image):
    assert not occlusion_map(model, image, 0, stride=24).drop.requires_grad


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"class_index": 3}, "class_index=3 is not one of 0 … 2"),
        ({"class_index": -1}, "class_index=-1"),
        ({"patch": 65}, "patch=65 is larger than the 64×64 image"),
        ({"patch": 0}, "patch=0, stride=4: both are counted in pixels"),
        ({"stride": 0}, "patch=16, stride=0"),
    ],
)
def test_what_makes_no_map_is_refused(model, image, options, said):
    with pytest.raises(ValueError, match=said):
        occlusion_map(model, image, options.pop("class_index", 0), **options)
