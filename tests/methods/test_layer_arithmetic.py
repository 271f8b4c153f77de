"""What the formulas say of a layer is what PyTorch finds when it runs the layer."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mi_course.errors import UnknownName
from mi_course.methods.layer_arithmetic import layer, layers
from mi_course.models.alexnet import ALEXNET_2012, ALEXNET_MINI, TORCHVISION_ALEXNET, AlexNet

CONFIGS = {"2012": ALEXNET_2012, "torchvision": TORCHVISION_ALEXNET, "mini": ALEXNET_MINI}
every_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


@pytest.fixture(scope="module")
def networks():
    def empty(config):
        with torch.device("meta"):
            model = AlexNet(config)
        model.features.to_empty(device="cpu")
        return model.eval()

    return {config: empty(config) for config in CONFIGS.values()}


def by_name(config, **options):
    return {row.name: row for row in layers(config, **options)}


@every_config
def test_every_layer_is_there_in_order(config, networks):
    points = [name for name in networks[config].hook_points() if not name.endswith(".pre")]
    assert [row.name for row in layers(config)] == points


@every_config
def test_parameters_are_those_of_the_modules(config, networks):
    model, rows = networks[config], by_name(config)
    points = model.hook_points()
    for name, row in rows.items():
        module = points.get(f"{name}.pre", points[name])
        assert row.parameters == sum(p.numel() for p in module.parameters()), name
    assert sum(row.parameters for row in rows.values()) == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("grown", [0, 33], ids=["usual size", "larger picture"])
@every_config
def test_shapes_are_those_of_a_real_run(config, networks, grown):
    model, size = networks[config], config.image_size + grown
    rows = by_name(config, image_size=size)
    x = torch.zeros(1, 3, size, size)
    modules = {id(module): name for name, module in model.hook_points().items()}
    with torch.no_grad():
        for module in model.features:
            x = module(x)
            row = rows[modules[id(module)].removesuffix(".pre")]
            assert x.shape == (1, row.channels, row.side, row.side), row.name
    for name in ("fc6", "fc7", "logits"):
        assert rows[name].side == 1
        assert (
            rows[name].channels
            == model.hook_points()[name if name == "logits" else f"{name}.pre"].out_features
        )


@every_config
def test_multiplications_are_half_of_the_operations_that_pytorch_counts(config, networks):
    """PyTorch counts a multiplication and an addition apart."""
    model = networks[config]
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model.features(torch.zeros(1, 3, config.image_size, config.image_size))
        model.classifier(torch.zeros(1, model.classifier[1].in_features, device="meta"))
    assert 2 * sum(row.multiplications for row in layers(config)) == counter.get_total_flops()


def test_figures_of_the_paper():
    """Krizhevsky et al. 2012, section 3.5: maps of conv1 are 55 cells wide; fc6 sees 256 maps of 6 cells."""
    rows = by_name(ALEXNET_2012)
    assert (rows["conv1"].channels, rows["conv1"].side) == (96, 55)
    assert rows["conv1"].parameters == 34_944
    assert (rows["pool5"].channels, rows["pool5"].side) == (256, 6)
    assert rows["fc6"].parameters == 37_752_832


@every_config
def test_two_neighbouring_cells_see_squares_one_step_apart(config):
    field, step = 1, 1
    for row in layers(config)[:-3]:
        assert row.step % step == 0
        assert (row.receptive_field - field) % step == 0
        assert row.receptive_field > field
        field, step = row.receptive_field, row.step


def test_receptive_fields_written_out():
    rows = by_name(ALEXNET_MINI)
    found = {
        name: (rows[name].receptive_field, rows[name].step) for name in ("conv1", "pool1", "conv2", "pool5")
    }
    assert found == {"conv1": (9, 2), "pool1": (13, 4), "conv2": (29, 4), "pool5": (101, 16)}
    assert by_name(TORCHVISION_ALEXNET)["pool5"].receptive_field == 195  # Araujo et al. 2019, table 1


def test_a_fully_connected_layer_sees_the_whole_picture():
    assert layer(ALEXNET_MINI, "fc6").receptive_field == 64
    assert layer(ALEXNET_MINI, "logits", image_size=100).receptive_field == 100


def test_one_layer_by_its_name():
    assert layer(ALEXNET_MINI, "conv4") == by_name(ALEXNET_MINI)["conv4"]
    with pytest.raises(UnknownName, match=r"no layer named 'conv6'.*'conv5'"):
        layer(ALEXNET_MINI, "conv6")


def test_a_picture_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="image_size=8 is too small: a 9×9 kernel"):
        layers(ALEXNET_MINI, image_size=8)
    with pytest.raises(ValueError, match="image_size=40 is too small"):
        layers(ALEXNET_2012, image_size=40)
