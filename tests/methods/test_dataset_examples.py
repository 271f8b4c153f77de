"""The best pieces of photographs are where we put them, and are what the unit saw."""

import pytest
import torch

from mi_course.data.gratings import grating
from mi_course.data.photographs import Photograph
from mi_course.errors import CourseError, UnknownName
from mi_course.methods.dataset_examples import strongest
from mi_course.models.alexnet import ALEXNET_MINI, TORCHVISION_ALEXNET, AlexNet, initialize
from tests.methods import striped_network


def photograph(name, pixels):
    return Photograph(name, pixels, "made for a test", "ours", "here")


def with_stripes(name, degrees, y, x):
    """A grey photograph, 48 × 64, with a striped square of 13 pixels."""
    pixels = torch.full((3, 48, 64), 0.5)
    pixels[:, y : y + 13, x : x + 13] = grating(degrees, striped_network.FREQUENCY, side=13)
    return photograph(name, pixels)


@pytest.fixture(scope="module")
def model():
    return striped_network.striped()


def test_each_channel_finds_its_stripes(model):
    both = [with_stripes("level", 0, 20, 30), with_stripes("upright", 90, 8, 12)]
    found = strongest(model, "conv1", [0, 1], both, k=1, height=48)
    assert found.crops.shape == (2, 1, 3, 9, 9)
    assert [found.names[i] for i in found.sources[:, 0]] == ["level", "upright"]
    assert found.channels == (0, 1)
    assert (found.values > 0).all()


@pytest.mark.parametrize("point", ["conv1", "pool1", "conv2.pre"])
def test_what_is_shown_is_what_the_unit_saw(model, point):
    pixels = torch.rand(3, 60, 80, generator=torch.Generator().manual_seed(0))
    found = strongest(model, point, [0, 2], [photograph("noise", pixels)], k=2, height=60)
    side = found.crops.shape[-1]
    changed = pixels.clone()
    place = next(
        (y, x)
        for y in range(60 - side + 1)
        for x in range(80 - side + 1)
        if torch.equal(pixels[:, y : y + side, x : x + side], found.crops[0, 0])
    )
    outside = torch.ones(60, 80, dtype=torch.bool)
    outside[place[0] : place[0] + side, place[1] : place[1] + side] = False
    changed[:, outside] = 0.5
    again = strongest(model, point, [0, 2], [photograph("changed", changed)], k=1, height=60)
    assert again.values[0, 0] >= found.values[0, 0] - 1e-4  # nothing outside the crop was needed


def test_pieces_of_one_photograph_lie_apart_and_are_not_more_than_asked(model):
    pixels = torch.rand(3, 60, 80, generator=torch.Generator().manual_seed(1))
    twice = [photograph("one", pixels), photograph("two", pixels.flip(2))]
    found = strongest(model, "conv1", [0], twice, k=6, per_photograph=3, height=60)
    assert found.sources[0].bincount().tolist() == [3, 3]
    assert (found.values[0].diff() <= 1e-6).all()
    crops = found.crops[0][found.sources[0] == 0].flatten(1)
    assert torch.cdist(crops, crops)[~torch.eye(3, dtype=torch.bool)].min() > 0


def test_only_whole_fields_count(model):
    pixels = torch.rand(3, 60, 80, generator=torch.Generator().manual_seed(2))
    found = strongest(
        model, "conv2.pre", range(4), [photograph("noise", pixels)], k=5, per_photograph=5, height=60
    )
    places = pixels.unfold(1, 29, 1).unfold(2, 29, 1)
    for crop in found.crops.flatten(0, 1):
        assert (places == crop[:, None, None]).all(dim=(0, 3, 4)).any()


@pytest.mark.parametrize("config", [ALEXNET_MINI, TORCHVISION_ALEXNET], ids=["mini", "torchvision"])
def test_the_field_is_that_of_the_gradient(config):
    from mi_course.methods.dataset_examples import _field

    torch.manual_seed(0)
    model = initialize(AlexNet(config), seed=0)
    for name in ("conv1", "pool1", "conv2", "conv3"):
        field, step, offset = _field(config, name)
        images = torch.rand(1, 3, 160, 160, requires_grad=True)
        with model.caching([name]) as cache:
            model.features(images)
        row, column = cache[name].shape[2] // 2, cache[name].shape[3] // 2 - 1
        (gradient,) = torch.autograd.grad(cache[name][0, :, row, column].sum(), images)
        rows, columns = gradient[0].abs().sum(0).nonzero(as_tuple=True)
        assert offset + step * row <= rows.min()
        assert rows.max() < offset + step * row + field
        assert offset + step * column <= columns.min()
        assert columns.max() < offset + step * column + field
        assert rows.max() - rows.min() + 1 >= 0.8 * field


def test_what_cannot_be_is_refused_in_words(model):
    one = [with_stripes("level", 0, 20, 30)]
    with pytest.raises(CourseError, match="fewer than k=6"):
        strongest(model, "conv1", [0], one)
    with pytest.raises(CourseError, match="Give a larger height"):
        strongest(model, "conv3", [0], one, k=1, height=16)
    with pytest.raises(CourseError, match="sees the whole picture"):
        strongest(model, "fc6", [0], one, k=1)
    with pytest.raises(UnknownName, match="no layer named 'conv9'"):
        strongest(model, "conv9", [0], one, k=1)
