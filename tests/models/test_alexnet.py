"""AlexNet at three widths: its counts, its names, what it computes, and what it refuses."""

import json

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mi_course.models.alexnet import (
    ALEXNET_2012,
    ALEXNET_MINI,
    IMAGENET_MEAN,
    IMAGENET_STD,
    TORCHVISION_ALEXNET,
    AlexNet,
    AlexNetConfig,
    Convolution,
    initialize,
)
from tests.models.public_checkpoint import SHAPES

CONFIGS = {"2012": ALEXNET_2012, "torchvision": TORCHVISION_ALEXNET, "mini": ALEXNET_MINI}
every_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def on_meta(config):
    with torch.device("meta"):
        return AlexNet(config)


@pytest.fixture(scope="module")
def mini():
    return initialize(AlexNet(ALEXNET_MINI), seed=0).eval()


@pytest.mark.parametrize(
    ("config", "count"),
    [(TORCHVISION_ALEXNET, 61_100_840), (ALEXNET_2012, 60_965_224), (ALEXNET_MINI, 1_031_272)],
    ids=["torchvision", "2012", "mini"],
)
def test_the_number_of_parameters_is_the_published_one(config, count):
    assert sum(p.numel() for p in on_meta(config).parameters()) == count


def test_the_state_dict_has_the_names_shapes_and_order_of_torchvision():
    found = {name: tuple(tensor.shape) for name, tensor in on_meta(TORCHVISION_ALEXNET).state_dict().items()}
    assert list(found.items()) == list(SHAPES.items())


@every_config
def test_every_width_has_the_same_names(config):
    assert list(on_meta(config).state_dict()) == list(SHAPES)


@every_config
def test_the_feature_map_of_a_whole_picture_has_the_side_that_the_classifier_expects(config):
    features = on_meta(config).features.to_empty(device="cpu")
    with torch.no_grad():
        maps = features(torch.zeros(1, 3, config.image_size, config.image_size))
    assert maps.shape[-2:] == ((4, 4) if config is ALEXNET_MINI else (config.grid, config.grid))


def test_logits_are_what_the_layers_written_out_by_hand_give(mini):
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    w = mini.state_dict()
    x = torch.stack([(images[:, c] - IMAGENET_MEAN[c]) / IMAGENET_STD[c] for c in range(3)], dim=1)
    x = F.max_pool2d(F.conv2d(x, w["features.0.weight"], w["features.0.bias"], stride=2).relu(), 3, 2, 1)
    x = F.conv2d(x, w["features.3.weight"], w["features.3.bias"], padding=2, groups=2).relu()
    x = F.max_pool2d(x, 3, 2, 1)
    x = F.conv2d(x, w["features.6.weight"], w["features.6.bias"], padding=1).relu()
    x = F.conv2d(x, w["features.8.weight"], w["features.8.bias"], padding=1, groups=2).relu()
    x = F.conv2d(x, w["features.10.weight"], w["features.10.bias"], padding=1, groups=2).relu()
    x = F.adaptive_avg_pool2d(F.max_pool2d(x, 3, 2, 1), 3).flatten(1)
    x = (x @ w["classifier.1.weight"].T + w["classifier.1.bias"]).relu()
    x = (x @ w["classifier.4.weight"].T + w["classifier.4.bias"]).relu()
    logits = x @ w["classifier.6.weight"].T + w["classifier.6.bias"]
    with torch.no_grad():
        assert torch.allclose(mini(images), logits, atol=1e-5)


def test_normalisation_happens_inside(mini):
    mean_colour = torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1).expand(1, 3, 64, 64)
    _, cache = mini.run_with_cache(mean_colour, ["conv1.pre"])
    bias = mini.convolutions[0].bias.view(1, -1, 1, 1)
    assert torch.allclose(cache["conv1.pre"], bias.expand_as(cache["conv1.pre"]), atol=1e-6)


def test_groups_do_not_see_each_other(mini):
    pool1 = torch.rand(1, 64, 14, 14, generator=torch.Generator().manual_seed(2))
    other_half = pool1.clone()
    other_half[:, 32:] = 0
    conv2 = mini.convolutions[1]
    with torch.no_grad():
        assert torch.equal(conv2(pool1)[:, :48], conv2(other_half)[:, :48])
        assert not torch.allclose(conv2(pool1)[:, 48:], conv2(other_half)[:, 48:])


def test_pictures_of_other_sizes_pass_too(mini):
    with torch.no_grad():
        assert mini(torch.rand(2, 3, 80, 50)).shape == (2, 200)


def test_each_picture_of_a_batch_is_answered_by_itself(mini):
    images = torch.rand(3, 3, 64, 64)
    with torch.no_grad():
        together = mini(images)
        alone = torch.cat([mini(image[None]) for image in images])
    assert torch.allclose(together, alone, atol=1e-5)


@every_config
def test_points_to_hook_stand_in_the_order_in_which_they_are_computed(config):
    assert list(on_meta(config).hook_points()) == [
        "conv1.pre",
        "conv1",
        "pool1",
        "conv2.pre",
        "conv2",
        "pool2",
        "conv3.pre",
        "conv3",
        "conv4.pre",
        "conv4",
        "conv5.pre",
        "conv5",
        "pool5",
        "fc6.pre",
        "fc6",
        "fc7.pre",
        "fc7",
        "logits",
    ]


def test_points_are_called_in_that_order(mini):
    called = []
    mini.run_with_hooks(
        torch.rand(1, 3, 64, 64),
        [(name, lambda _, at: called.append(at)) for name in reversed(list(mini.hook_points()))],
    )
    assert called == list(mini.hook_points())


def test_convolutions_are_the_five_first_to_last(mini):
    assert [layer.out_channels for layer in mini.convolutions] == [64, 96, 160, 160, 128]
    assert all(isinstance(layer, nn.Conv2d) for layer in mini.convolutions)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (torch.rand(3, 64, 64), r"shape \(3, 64, 64\).*batch axis: images\[None\]"),
        (torch.rand(2, 1, 64, 64), r"shape \(2, 1, 64, 64\); expected \(batch, 3, height, width\)"),
        (torch.rand(2, 64, 64, 3), r"shape \(2, 64, 64, 3\)"),
        (torch.randint(256, (1, 3, 64, 64), dtype=torch.uint8), "torch.uint8.*divide bytes by 255"),
        (torch.full((1, 3, 64, 64), 255.0), "from 255 to 255"),
        (torch.rand(1, 3, 64, 64) * 4.8 - 2.1, "subtracts the mean and divides by the deviation itself"),
        (torch.full((1, 3, 64, 64), torch.nan), "from nan to nan"),
        (torch.full((1, 3, 64, 64), torch.inf), "from inf to inf"),
    ],
    ids=["no batch axis", "grey", "channels last", "bytes", "0 to 255", "normalised", "NaN", "infinite"],
)
def test_what_is_not_an_rgb_picture_from_0_to_1_is_refused_with_a_remedy(
    mini, images, said, without_type_checks
):
    with pytest.raises(ValueError, match=said):
        mini(images)


def test_pictures_a_little_out_of_range_pass(mini):
    with torch.no_grad():
        mini(torch.rand(1, 3, 64, 64) * 1.8 - 0.4)


def test_class_names_must_be_as_many_as_classes():
    with pytest.raises(ValueError, match="2 class names for 200 classes"):
        AlexNet(ALEXNET_MINI, classes=("cat", "dog"))


@every_config
def test_a_configuration_survives_json(config):
    read = AlexNetConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert read == config
    assert all(isinstance(convolution, Convolution) for convolution in read.convolutions)
    hash(read)


def test_reading_a_configuration_leaves_the_dictionary_alone():
    values = ALEXNET_MINI.to_dict()
    before = json.dumps(values)
    AlexNetConfig.from_dict(values)
    assert json.dumps(values) == before


def test_the_start_of_training_depends_on_the_seed_alone():
    first, again, other = (initialize(AlexNet(), seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["features.0.weight"], other["features.0.weight"])


def test_drawing_the_first_weights_leaves_the_global_random_numbers_alone():
    model = AlexNet()
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    initialize(model, seed=5)
    assert torch.equal(torch.rand(3), expected)


def test_the_first_weights_have_the_deviation_of_he_and_the_first_layer_a_tenth_of_it(mini):
    for name, weight in mini.named_parameters():
        if name.endswith("bias"):
            assert not weight.any()
        else:
            expected = (2 / weight[0].numel()) ** 0.5 * (0.1 if name == "features.0.weight" else 1)
            assert weight.std().item() == pytest.approx(expected, rel=0.03)
