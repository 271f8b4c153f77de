"""Predict a unit's tuning from its weights alone: no picture ever passes through the network.

Two steps, each of them simple enough to do by hand. A first-layer filter answers to a grating with a cosine
whose height is the filter's Fourier amplitude at that grating. And a second-layer unit adds up what its inputs
do, with the weights that `excitation.net` reads off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.data.gratings import direction_of
from mi_course.methods import excitation
from mi_course.methods.tuning_curves import FREQUENCIES, ORIENTATIONS, Tuning
from mi_course.models.alexnet import AlexNet


def amplitude(
    weight: Float[Tensor, "filter 3 height width"],
    orientation: float | int,
    frequency: float | int,
    *,
    colour: str = "grey",
) -> Float[Tensor, " filter"]:
    """How high a filter's response swings when a grating moves past it: |Σ weight · exp(i 2π f · place)|.

    In units of the weights, for a grating whose channels swing by 1 · `COLOURS`; 0 = the filter cannot see it.
    """
    height, width = weight.shape[-2:]
    y = -(torch.arange(height, dtype=weight.dtype)[:, None] - (height - 1) / 2)  # rows count downwards
    x = torch.arange(width, dtype=weight.dtype)[None, :] - (width - 1) / 2
    angle = math.radians(orientation)
    across = -math.sin(angle) * x + math.cos(angle) * y
    wave = torch.exp(2j * math.pi * frequency * across)
    mixed = torch.einsum("fchw,c->fhw", weight, direction_of(colour).to(weight))
    return (mixed * wave).sum(dim=(1, 2)).abs()


def first_layer(
    model: AlexNet,
    *,
    orientations: Sequence[float | int] = ORIENTATIONS,
    frequencies: Sequence[float | int] = FREQUENCIES,
    contrast: float | int = 1.0,
    colour: str = "grey",
) -> Tuning:
    """What each first-layer channel answers to each grating in its best phase: ReLU(rest + amplitude).

    *Rest* is its response to plain middle grey. The best phase stands for what max-pooling hands on, because a
    pool takes the largest of nearby answers. For stripes much wider than the pool no place near has the best
    phase, and this is too high.
    """
    conv = model.convolutions[0]
    weight = conv.weight.detach() / model.std  # the network divides pixels by the deviation of each colour
    rest = conv.bias.detach() + (weight * (0.5 - model.mean)).sum(dim=(1, 2, 3))
    swing = torch.stack(
        [
            torch.stack(
                [0.5 * contrast * amplitude(weight, o, f, colour=colour) for o in orientations], dim=1
            )
            for f in frequencies
        ],
        dim=1,
    )
    return Tuning(
        responses=(rest[:, None, None] + swing).relu(),
        orientations=tuple(orientations),
        frequencies=tuple(frequencies),
        colour=colour,
        layer="conv1",
    )


def second_layer(
    model: AlexNet,
    inputs: Tuning,
    *,
    weights: Float[Tensor, "channel channel_in"] | None = None,
    relu: bool = True,
) -> Tuning:
    """What each second-layer channel should answer: ReLU(bias + Σ weights · inputs).

    ``inputs``: from `first_layer`. ``weights``: `excitation.net` by default; others make a control
    (`excitation.shuffled`). ``relu=False`` leaves the sum as it is.

    Summed weights know nothing of arrangement, and a grating fills a unit's whole field alike, so this
    is the easiest test that reading weights can be put to. Passing it does not show that a unit is understood.
    """
    table = excitation.net(model) if weights is None else weights
    total = torch.einsum("oc,cfa->ofa", table, inputs.responses)
    total = total + model.convolutions[1].bias.detach()[:, None, None]
    return Tuning(
        responses=total.relu() if relu else total,
        orientations=inputs.orientations,
        frequencies=inputs.frequencies,
        colour=inputs.colour,
        layer="conv2" if relu else "conv2.pre",
    )
