"""Objectives mean what their formulas say, can be combined, and refuse in words."""

import pytest
import torch

from mi_course.errors import CourseError
from mi_course.methods import objectives
from mi_course.methods.objectives import (
    IMAGE,
    channel,
    contrast,
    direction,
    diversity,
    layer,
    neuron,
    total_variation,
)

MAPS = torch.randn(2, 5, 3, 4, generator=torch.Generator().manual_seed(0))
UNITS = torch.randn(2, 6, generator=torch.Generator().manual_seed(1))
PICTURES = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(2))
ACTIVATIONS = {"conv4.pre": MAPS, "fc7.pre": UNITS, IMAGE: PICTURES}


def value(objective, activations=ACTIVATIONS):
    return objective.value(activations).tolist()


def test_a_channel_is_its_mean_over_all_places_each_image_with_its_own():
    found = channel("conv4.pre", [3, 1])
    assert found.labels == ("conv4 channel 3", "conv4 channel 1")
    assert found.points == {"conv4.pre"}
    assert value(found) == pytest.approx([MAPS[0, 3].mean().item(), MAPS[1, 1].mean().item()])
    assert value(channel("fc7.pre", [2, 2])) == pytest.approx(UNITS[:, 2].tolist())


def test_a_neuron_is_one_cell_the_middle_one_unless_told():
    assert value(neuron("conv4.pre", [0, 4])) == pytest.approx(
        [MAPS[0, 0, 1, 2].item(), MAPS[1, 4, 1, 2].item()]
    )
    there = neuron("conv4.pre", [0, 4], place=(2, 0))
    assert value(there) == pytest.approx([MAPS[0, 0, 2, 0].item(), MAPS[1, 4, 2, 0].item()])
    assert value(neuron("fc7.pre", [5, 0])) == pytest.approx([UNITS[0, 5].item(), UNITS[1, 0].item()])


def test_a_direction_does_not_depend_on_its_length():
    vectors = torch.eye(5)[[3, 1]]
    plain = channel("conv4.pre", [3, 1])
    assert value(direction("conv4.pre", vectors)) == pytest.approx(value(plain))
    assert value(direction("conv4.pre", 7 * vectors)) == pytest.approx(value(plain))
    mixed = direction("fc7.pre", torch.tensor([1.0, 1, 0, 0, 0, 0]).repeat(2, 1), labels=["a", "b"])
    assert mixed.labels == ("a", "b")
    assert value(mixed) == pytest.approx(((UNITS[:, 0] + UNITS[:, 1]) / 2**0.5).tolist())
    assert direction("conv4.pre", torch.ones(5)).labels == ("conv4 direction 0",)


def test_a_layer_is_its_mean_square():
    assert layer("conv4.pre", n=2).labels == ("all of conv4",) * 2
    assert value(layer("conv4.pre", n=2)) == pytest.approx(MAPS.square().mean(dim=(1, 2, 3)).tolist())


def test_they_add_subtract_and_weigh_up():
    one, other = channel("conv4.pre", [3, 1]), neuron("fc7.pre", [0, 2])
    a, b = torch.tensor(value(one)), torch.tensor(value(other))
    assert value(one + other) == pytest.approx((a + b).tolist())
    assert value(one - 0.5 * other) == pytest.approx((a - 0.5 * b).tolist())
    assert value(-one * 2) == pytest.approx((-2 * a).tolist())
    assert (one + other).points == {"conv4.pre", "fc7.pre"}
    assert (one - 0.5 * other).labels == (
        "conv4 channel 3 − 0.5 · fc7 neuron 0",
        "conv4 channel 1 − 0.5 · fc7 neuron 2",
    )


def test_a_penalty_fits_any_number_of_images_and_leaves_the_label_alone():
    penalised = channel("conv4.pre", [3, 1]) - 2 * contrast()
    assert penalised.labels == ("conv4 channel 3", "conv4 channel 1")
    expected = [a - 2 * b for a, b in zip(value(channel("conv4.pre", [3, 1])), value(contrast()))]
    assert value(penalised) == pytest.approx(expected)


def test_contrast_and_total_variation_have_their_ends_where_they_say():
    grey, loud = torch.full((1, 3, 4, 4), 0.5), torch.tensor([0.0, 1.0]).repeat(1, 3, 4, 2)
    assert value(contrast(), {IMAGE: grey}) == [0.0]
    assert value(contrast(), {IMAGE: loud}) == [1.0]
    assert value(contrast(), {IMAGE: torch.full((1, 3, 4, 4), 0.75)}) == [0.25]
    board = ((torch.arange(4)[:, None] + torch.arange(4)) % 2).float().expand(1, 3, 4, 4)
    assert value(total_variation(), {IMAGE: grey}) == [0.0]
    assert value(total_variation(), {IMAGE: board}) == [1.0]
    assert value(total_variation(), {IMAGE: loud}) == [0.5]


def test_diversity_is_minus_one_for_copies_and_zero_for_strangers():
    maps = torch.zeros(2, 4, 2, 2)
    maps[0, :2], maps[1, 2:] = 1.0, 1.0
    assert value(diversity("conv4"), {"conv4": maps}) == pytest.approx([0, 0])
    assert value(diversity("conv4"), {"conv4": maps[:1].repeat(3, 1, 1, 1)}) == pytest.approx([-1, -1, -1])
    moved = maps[:1].clone().flip(2)
    assert value(diversity("conv4"), {"conv4": torch.cat([maps[:1], moved])}) == pytest.approx([-1, -1])


def test_what_cannot_be_is_refused_in_words():
    with pytest.raises(CourseError, match="no channel 5; its channels are 0 to 4"):
        value(channel("conv4.pre", [0, 5]))
    with pytest.raises(CourseError, match="2 images, but the objective is for 3"):
        value(channel("conv4.pre", [0, 1, 2]))
    with pytest.raises(CourseError, match=r"no cell \(3, 0\): its map is 3 × 4"):
        value(neuron("conv4.pre", [0, 1], place=(3, 0)))
    with pytest.raises(CourseError, match="made of 4 numbers"):
        value(direction("conv4.pre", torch.ones(4)))
    with pytest.raises(CourseError, match="1 labels for 2 directions"):
        direction("conv4.pre", torch.ones(2, 5), labels=["one"])
    with pytest.raises(CourseError, match="ask for two or more"):
        value(diversity("conv4"), {"conv4": MAPS[:1]})
    with pytest.raises(CourseError, match="not a feature map"):
        value(diversity("fc7"), {"fc7": UNITS})
    with pytest.raises(CourseError, match="for 2 images, the other for 3"):
        channel("conv4.pre", [0, 1]) + channel("conv4.pre", [0, 1, 2])
    with pytest.raises(TypeError):
        channel("conv4.pre", 1) + 3
    with pytest.raises(TypeError):
        channel("conv4.pre", 1) * contrast()


def test_one_number_is_a_list_of_one():
    assert objectives.channel("conv4.pre", 3).labels == ("conv4 channel 3",)
