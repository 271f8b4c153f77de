"""Put a unit of your own into a network: a copy in which one channel has other weights."""

from __future__ import annotations

import copy

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.models.alexnet import AlexNet


@torch.no_grad()
def replace_unit(
    model: AlexNet,
    layer: int,
    channel: int,
    kernel: Float[Tensor, "channel_in height width"],
    *,
    bias: float | int = 0.0,
) -> AlexNet:
    """A copy of ``model`` in which ``channel`` of convolution ``layer`` (1 is the first) has this kernel and bias.

    ``kernel`` covers the input channels that the unit sees, which are those of its group. What later layers made
    of the old unit they now make of the new one. The model that was given stays as it was.
    """
    if not 1 <= layer <= len(model.convolutions):
        raise ValueError(f"layer={layer}: this network has convolutions 1 to {len(model.convolutions)}.")
    conv = model.convolutions[layer - 1]
    if not 0 <= channel < conv.out_channels:
        raise ValueError(f"channel={channel}: convolution {layer} has channels 0 to {conv.out_channels - 1}.")
    if kernel.shape != conv.weight.shape[1:]:
        raise ValueError(
            f"kernel has shape {tuple(kernel.shape)}; a unit of convolution {layer} has {tuple(conv.weight.shape[1:])}"
            f"{': it sees the channels of its group only' if conv.groups > 1 else ''}."
        )
    edited = copy.deepcopy(model)
    edited.convolutions[layer - 1].weight[channel] = kernel
    edited.convolutions[layer - 1].bias[channel] = bias
    return edited


def shuffle_places(
    kernel: Float[Tensor, "channel_in height width"], *, seed: int = 0
) -> Float[Tensor, "channel_in height width"]:
    """A control: the same weights for the same channels, with the places of the kernel in another order."""
    order = torch.randperm(kernel.shape[1] * kernel.shape[2], generator=torch.Generator().manual_seed(seed))
    return kernel.flatten(1)[:, order].view_as(kernel)
