"""Who excites a unit and who inhibits it? The weights between two convolutions, as a table.

A weight of a later layer multiplies one channel of the layer before it, at one place. Channels behind a ReLU are
never negative, so the weight's sign has a meaning: positive *excites*, negative *inhibits* (Olah et al. 2020,
"Zoom In").
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mi_course.models.alexnet import AlexNet


def full_kernel(convolution: nn.Conv2d) -> Float[Tensor, "channel channel_in height width"]:
    """The weights over *all* input channels: those of the other groups, which a unit cannot see, are 0."""
    weight, groups = convolution.weight.detach(), convolution.groups
    channels, seen = weight.shape[0] // groups, weight.shape[1]
    full = weight.new_zeros(weight.shape[0], seen * groups, *weight.shape[2:])
    for group in range(groups):
        rows = slice(group * channels, (group + 1) * channels)
        full[rows, group * seen : (group + 1) * seen] = weight[rows]
    return full


def net(model: AlexNet, layer: int = 2) -> Float[Tensor, "channel channel_in"]:
    """How much each channel of the layer before drives each channel of convolution ``layer``, all in all.

    The sum of the kernel over its places. Above 0: excites wherever it fires; below 0: inhibits; 0 for a channel
    in another group. Unit: response per unit of input. Behind max-pooling the input is the strongest answer
    near a place.

    What it does not show: *arrangement*. A unit that wants a channel on its left and not on its right may have
    a sum of 0 (see `corner_detector`).
    """
    if not 2 <= layer <= len(model.convolutions):
        raise ValueError(f"layer={layer}: convolutions 2 to {len(model.convolutions)} read other channels.")
    return full_kernel(model.convolutions[layer - 1]).sum(dim=(2, 3))


def shuffled(
    table: Float[Tensor, "channel channel_in"], groups: int, *, seed: int = 0
) -> Float[Tensor, "channel channel_in"]:
    """A control: every unit keeps its weights, dealt out anew to the channels of its group.

    What remains is how much a unit is excited and inhibited at all; what is lost is by whom.
    """
    generator = torch.Generator().manual_seed(seed)
    result = table.clone()
    rows, columns = table.shape[0] // groups, table.shape[1] // groups
    for unit in range(table.shape[0]):
        first = unit // rows * columns
        order = torch.randperm(columns, generator=generator)
        result[unit, first : first + columns] = table[unit, first : first + columns][order]
    return result
