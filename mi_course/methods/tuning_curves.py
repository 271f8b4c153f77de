"""What does a unit answer to which stripes? Its tuning, measured with gratings.

Physiologists turn a bar of light in front of a cell and count its spikes (Hubel and Wiesel 1959). A network holds
still, so every channel can be asked with every orientation, spatial frequency and colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.data.gratings import gratings
from mi_course.errors import UnknownName
from mi_course.models.alexnet import AlexNet

ORIENTATIONS = tuple(range(0, 180, 15))
"""Degrees: stripes every 15°, level ones first."""

FREQUENCIES = (1 / 16, 1 / 12, 1 / 8, 1 / 6, 1 / 4.5)
"""Cycles per pixel: light and dark together take 16, 12, 8, 6 and 4.5 pixels."""


@dataclass(frozen=True)
class Tuning:
    """``responses[channel, frequency, orientation]`` of one layer to gratings of one colour.

    Measured: the mean over phases of the activation at ``layer``, in its own unit; 0 after a ReLU means that no
    phase of this grating moves the unit. ``orientations``: degrees. ``frequencies``: cycles per pixel.
    """

    responses: Float[Tensor, "channel frequency orientation"]
    orientations: tuple[float | int, ...]
    frequencies: tuple[float | int, ...]
    colour: str
    layer: str

    @property
    def by_orientation(self) -> Float[Tensor, "channel orientation"]:
        """The mean over frequencies: one curve a channel."""
        return self.responses.mean(dim=1)


@torch.no_grad()
def measure(
    model: AlexNet,
    layer: str,
    *,
    orientations: Sequence[float | int] = ORIENTATIONS,
    frequencies: Sequence[float | int] = FREQUENCIES,
    n_phases: int = 8,
    contrast: float | int = 1.0,
    colour: str = "grey",
    side: int = 64,
) -> Tuning:
    """The tuning of every channel of ``layer``: the mean answer of its middle cell over ``n_phases`` phases.

    ``layer``: a feature map ("conv1", "conv2.pre", "pool1" …). Before a ReLU the mean over phases may be below
    0. A tuning curve says what a unit does with stripes. It does not say what the unit is *for*: few things in
    photographs are gratings, and a unit that ignores all of them may be waiting for something else.
    """
    images = gratings(
        orientations, frequencies, n_phases=n_phases, contrast=contrast, colour=colour, side=side
    )
    answers = middle_responses(model, layer, images.flatten(0, 2)).view(*images.shape[:3], -1)
    return Tuning(
        responses=answers.mean(dim=2).permute(2, 0, 1).contiguous(),
        orientations=tuple(orientations),
        frequencies=tuple(frequencies),
        colour=colour,
        layer=layer,
    )


def middle_responses(
    model: AlexNet, layer: str, images: Float[Tensor, "image 3 height width"], *, batch: int = 128
) -> Float[Tensor, "image channel"]:
    """The activation of every channel of the feature map ``layer`` in its middle cell, image by image."""
    return middle_responses_at(model, [layer], images, batch=batch)[layer]


@torch.no_grad()
def middle_responses_at(
    model: AlexNet, layers: Sequence[str], images: Float[Tensor, "image 3 height width"], *, batch: int = 128
) -> dict[str, Float[Tensor, "image channel"]]:
    """`middle_responses` of several layers in one pass, which ends behind the last of them."""
    points, steps = model.hook_points(), list(model.features)
    for layer in layers:
        if layer not in points:
            raise UnknownName("activation", layer, points)
        if points[layer] not in steps:
            raise ValueError(f"{layer!r} is not a feature map; choose a convolution or a pool.")
    upto = 1 + max(steps.index(points[layer]) for layer in layers)
    answers: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    for part in images.split(batch):
        with model.caching(layers) as cache:
            model.features[:upto]((part - model.mean) / model.std)
        for layer, activation in cache.items():
            answers[layer].append(activation[:, :, activation.shape[2] // 2, activation.shape[3] // 2])
    return {layer: torch.cat(parts) for layer, parts in answers.items()}


def preferred(
    curve: Float[Tensor, "channel orientation"], orientations: Sequence[float | int] = ORIENTATIONS
) -> tuple[Float[Tensor, " channel"], Float[Tensor, " channel"]]:
    """The orientation that each channel answers to most, in degrees, and how selective it is.

    Adds up one arrow an orientation, as long as the response and at *twice* the angle, since stripes at 0° and
    at 180° are the same. Selectivity is the length of the sum over the sum of the lengths: 0 = all orientations
    alike, 1 = a single one. ``curve`` holds responses that are not negative, at equally spaced orientations. Of a
    channel that never answers both are 0 and mean nothing.
    """
    if (curve < 0).any():
        raise ValueError(
            f"The curve goes down to {float(curve.min()):.3g}; take responses behind the ReLU, which are never "
            "negative: an arrow of negative length would point the wrong way."
        )
    angle = torch.deg2rad(torch.tensor([float(o) for o in orientations]))
    arrow = (curve * torch.exp(2j * angle)).sum(dim=1)
    degrees = torch.rad2deg(arrow.angle() / 2) % 180
    length = curve.sum(dim=1)
    return degrees, arrow.abs() / length.clamp_min(torch.finfo(curve.dtype).tiny)


def correlation(
    a: Float[Tensor, "channel ..."], b: Float[Tensor, "channel ..."]
) -> Float[Tensor, " channel"]:
    """Pearson's correlation of the two tables of each channel: 1 = the same shape, 0 = unrelated.

    It is blind to scale and offset. A table without any variation has no correlation: not-a-number.
    """
    if a.shape != b.shape:
        raise ValueError(f"The tables have shapes {tuple(a.shape)} and {tuple(b.shape)}; make them equal.")
    x, y = (table.flatten(1) - table.flatten(1).mean(dim=1, keepdim=True) for table in (a, b))
    scale = x.norm(dim=1) * y.norm(dim=1)
    return torch.where(scale > 0, (x * y).sum(dim=1) / scale, torch.nan)
