"""An image in the making: which numbers does gradient ascent turn, and how do they become a picture?

Ascent takes equal steps in every number that it may turn. If the numbers are pixels, the finest patterns grow as
easily as large shapes, and no photograph looks like that. If they are *frequencies*, scaled as in photographs, the
same ascent prefers large shapes. If they are the colour axes along which photographs really vary, it prefers light
and dark to rainbow. No picture becomes impossible by this; what changes is which ones are near.

Source: Olah, Mordvintsev and Schubert 2017, "Feature Visualization", section "Preconditioning and parameterization".
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.models import pretrained

Parameterisation = Literal["fourier", "pixels"]
Colour = Literal["decorrelated", "plain"]

FINEST = 0.5
"""Cycles per pixel: the finest stripes that a pixel grid can hold, upright or level."""

FIRST_NOISE = 0.01
"""Spread of the numbers that an image begins with: nearly flat grey."""

STEEPNESS = 3.0
"""How fast a picture goes from grey to black or white as its numbers grow; at 4 it would begin one to one."""


def frequency_scale(side: int, *, finest: float = FINEST) -> Float[Tensor, "height f_x"]:
    """How strongly each frequency of `torch.fft.rfft2` counts: 1/frequency, as in photographs; mean square 1.

    Frequency zero, the mean, gets the scale of one cycle per picture. Above ``finest`` cycles per pixel, upright,
    level or oblique, the scale is zero if ``finest`` is below 0.5. That is the remedy against checkerboards:
    convolutions with a stride push the finest patterns into the picture (Odena, Dumoulin and Olah 2016), and where
    there is no coefficient nothing can be pushed.
    """
    frequency = _frequencies(side)
    scale = 1 / frequency.clamp_min(1 / side)
    if finest < FINEST:
        scale = scale * (frequency <= finest)
    return scale / ((scale.square() * _mirrored(side)).sum() / side**2).sqrt()


def fourier_image(
    coefficients: Float[Tensor, "*channels height f_x 2"], *, finest: float = FINEST
) -> Float[Tensor, "*channels height height"]:
    """The image whose frequencies have these real and imaginary parts, each scaled by `frequency_scale`.

    Coefficients drawn at random with a spread of 1 give an image with a spread of about 1.
    """
    side = coefficients.shape[-3]
    spectrum = torch.view_as_complex(coefficients.contiguous()) * frequency_scale(side, finest=finest)
    return torch.fft.irfft2(spectrum, s=(side, side), norm="ortho") / 2**0.5


@cache
def colour_axes() -> Float[Tensor, "axis 3"]:
    """The three directions in which the colours of photographs vary, each as long as its spread; the longest is 1.

    Measured on the training photographs of AlexNet-mini (`recipes.colour_axes`; the figures are in the model's
    card): first light against dark, then warm against cold, then purple against green. Columns are red, green,
    blue.
    """
    axes = torch.tensor(pretrained.card("alexnet-mini")["colours"]["axes"])
    return axes / axes.norm(dim=1).max()


def paint(
    levels: Float[Tensor, "image 3 height width"], *, colour: Colour = "decorrelated"
) -> Float[Tensor, "image 3 height width"]:
    """Numbers of any size as a picture in [0, 1]: 0 is middle grey, and black and white are never quite reached.

    ``colour="decorrelated"``: the three channels are the `colour_axes`. "plain": red, green and blue.
    """
    if colour == "decorrelated":
        levels = torch.einsum("iahw,ac->ichw", levels, colour_axes().to(levels))
    return (STEEPNESS * levels).sigmoid()


class Canvas:
    """Images that gradient ascent can change.

    ``parameters`` are the numbers that it turns, ``images()`` the pictures that they make.
    All begin as nearly flat grey, each with its own noise, drawn from ``seed``.
    """

    def __init__(
        self,
        n: int,
        side: int,
        *,
        parameterisation: Parameterisation = "fourier",
        colour: Colour = "decorrelated",
        finest: float = FINEST,
        seed: int = 0,
    ):
        if parameterisation not in ("fourier", "pixels"):
            raise ValueError(f'parameterisation={parameterisation!r} is neither "fourier" nor "pixels".')
        if colour not in ("decorrelated", "plain"):
            raise ValueError(f'colour={colour!r} is neither "decorrelated" nor "plain".')
        self.parameterisation, self.colour, self.finest = parameterisation, colour, finest
        shape = (n, 3, side, side // 2 + 1, 2) if parameterisation == "fourier" else (n, 3, side, side)
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
        self.parameters = (FIRST_NOISE * noise).requires_grad_()

    def images(self) -> Float[Tensor, "image 3 side side"]:
        levels = self.parameters
        if self.parameterisation == "fourier":
            levels = fourier_image(levels, finest=self.finest)
        return paint(levels, colour=self.colour)


def fine_share(images: Float[Tensor, "image 3 side side"], *, above: float = 0.25) -> Float[Tensor, " image"]:
    """Share of an image's energy in patterns finer than ``above`` cycles per pixel, 0 to 1, its mean left out.

    With ``above=0.25`` (a cycle of four pixels) white noise has about 0.80; photographs have a few hundredths.
    """
    side = images.shape[-1]
    frequency = _frequencies(side)
    energy = torch.fft.rfft2(images).abs().square().sum(dim=1) * _mirrored(side) * (frequency > 0)
    total = energy.sum(dim=(1, 2)).clamp_min(torch.finfo(energy.dtype).tiny)
    return (energy * (frequency > above)).sum(dim=(1, 2)) / total


def _frequencies(side: int) -> Float[Tensor, "height f_x"]:
    return torch.hypot(torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None])


def _mirrored(side: int) -> Float[Tensor, " f_x"]:
    """How many frequencies each column of `torch.fft.rfft2` stands for: itself and, mostly, its mirror image."""
    times = torch.full((side // 2 + 1,), 2.0)
    times[0] = 1.0
    if side % 2 == 0:
        times[-1] = 1.0
    return times
