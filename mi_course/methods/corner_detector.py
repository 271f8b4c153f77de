"""A detector made by hand: second-layer weights, written down and not learned, that fire at one kind of corner.

A light square's upper left corner has a level edge to its right and an upright edge below it, and neither on the
other two sides. A kernel of the second layer can say just that, in terms of first-layer channels that tell level
stripes from upright ones. (After an idea of Cammarata et al. 2021, "Curve Circuits", who set all the weights of a
curve detector by hand.)
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.methods.tuning_from_weights import first_layer
from mi_course.models.alexnet import AlexNet


def level_minus_upright(model: AlexNet) -> Float[Tensor, " channel"]:
    """How much rather each first-layer channel answers to level stripes than to upright ones, from its weights.

    (level − upright) / (level + upright): 1 = level only, −1 = upright only, 0 = both alike, or neither.
    """
    level, upright = first_layer(model, orientations=(0, 90)).by_orientation.T
    total = level + upright
    return (level - upright) / total.clamp_min(torch.finfo(total.dtype).tiny)


def layout(side: int = 5, *, quarter_turns: int = 0) -> Float[Tensor, "height width"]:
    """Where a corner wants level edges (1), where upright ones (−1): a cross of four arms, with 0 elsewhere.

    A corner that opens to the lower right has its level edge on the right and its upright edge below. On the
    left and above the signs are the other way round, so that a straight edge or a crossing cancels out. All of it
    sums to 0. ``quarter_turns``: counter-clockwise.
    """
    if side < 3 or side % 2 == 0:
        raise ValueError(f"side={side}: a corner needs a middle and arms; give an odd number, 3 or more.")
    grid, middle = torch.zeros(side, side), side // 2
    grid[middle, middle + 1 :] = 1
    grid[middle + 1 :, middle] = -1
    grid[middle, :middle] = -1
    grid[:middle, middle] = 1
    # A quarter turn also exchanges level and upright, hence the sign.
    return torch.rot90(grid, quarter_turns) * (-1) ** quarter_turns


def kernel(
    model: AlexNet, *, group: int = 0, quarter_turns: int = 0
) -> Float[Tensor, "channel_in height width"]:
    """The corner detector's weights for a unit of the second layer in ``group``; to be put in by `weight_surgery`.

    channel × place: `level_minus_upright` × `layout`. Every channel is divided by how strongly it answers at all, so
    that a loud one counts no more than a faint one. Works as far as the group *has* level and upright
    channels: what the parts cannot tell apart, no weights can.
    """
    conv = model.convolutions[1]
    seen = conv.weight.shape[1]
    if not 0 <= group < conv.groups:
        raise ValueError(f"group={group}: the second layer has groups 0 to {conv.groups - 1}.")
    channels = slice(group * seen, (group + 1) * seen)
    loudness = first_layer(model, orientations=(0, 90)).by_orientation.amax(dim=1)
    wants = level_minus_upright(model) / loudness.clamp_min(0.1 * loudness.median())
    return wants[channels, None, None] * layout(conv.kernel_size[0], quarter_turns=quarter_turns)
