"""A unit is replaced in a copy, and only there."""

import pytest
import torch

from mi_course.methods import weight_surgery
from tests.methods.striped_network import striped


def test_the_copy_has_the_new_unit_and_nothing_else_changed():
    model = striped()
    kernel = torch.full((4, 5, 5), 0.5)
    edited = weight_surgery.replace_unit(model, 2, 3, kernel, bias=-1.0)
    assert torch.equal(edited.convolutions[1].weight[3], kernel)
    assert edited.convolutions[1].bias[3] == -1
    assert (model.convolutions[1].weight[3] == 0).all()
    changed = [
        name
        for name, value in model.state_dict().items()
        if not torch.equal(value, edited.state_dict()[name])
    ]
    assert changed == ["features.3.weight", "features.3.bias"]
    assert torch.equal(model.convolutions[1].weight[:3], edited.convolutions[1].weight[:3])


def test_shuffled_places_keep_every_channels_weights():
    kernel = torch.arange(50.0).view(2, 5, 5)
    mixed = weight_surgery.shuffle_places(kernel, seed=0)
    assert torch.equal(mixed.flatten(1).sort(1).values, kernel.flatten(1))
    assert not torch.equal(mixed, kernel)
    assert torch.equal(mixed[1] - mixed[0], torch.full((5, 5), 25.0)), "one order for all channels"


@pytest.mark.parametrize(
    ("layer", "channel", "shape", "words"),
    [
        (6, 0, (4, 5, 5), "convolutions 1 to 5"),
        (2, 4, (4, 5, 5), "channels 0 to 3"),
        (2, 0, (8, 5, 5), "its group only"),
    ],
    ids=["layer", "channel", "shape"],
)
def test_what_does_not_fit_is_refused(layer, channel, shape, words):
    with pytest.raises(ValueError, match=words):
        weight_surgery.replace_unit(striped(), layer, channel, torch.zeros(shape))
