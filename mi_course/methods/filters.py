"""What kind of thing does a first-layer filter look for? Answers that can be counted.

A filter of the first layer is a small picture, so it can be looked at. Looking is not measuring:
these functions put numbers on *striped*, *coloured* and *noisy*, and say what pure noise would score.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

SPECTRUM = 32
"""Side of the zero-padded spectrum: fine enough for 9×9 and 11×11 filters alike."""

NOISY_ABOVE = 0.35
"""Cycles per pixel. Stripes narrower than 1.4 pixels a half-wave are finer than edges in photographs."""

DEAD_BELOW = 0.05
"""Weights smaller than this share of the layer's median norm: the filter sees next to nothing."""


@dataclass(frozen=True)
class FilterMeasures:
    """One number a filter for each question; all tensors have one entry a filter.

    ``norm``: length of the weights, relative to the layer's median (1 = typical, 0 = dead).
    ``noise``: share of spectral energy above `NOISY_ABOVE`, 0 to 1.
    ``orientation``: direction of the stripes in degrees, 0 = horizontal, 90 = vertical, in [0, 180).
    ``concentration``: 0 = energy in all directions alike, 1 = stripes of a single orientation.
    ``chromatic``: share of energy that a grey picture cannot excite; 0 = grey filter, 1 = pure colour.
    """

    norm: Float[Tensor, " filter"]
    noise: Float[Tensor, " filter"]
    orientation: Float[Tensor, " filter"]
    concentration: Float[Tensor, " filter"]
    chromatic: Float[Tensor, " filter"]


def normalize_for_display(
    weight: Float[Tensor, "filter 3 height width"],
) -> Float[Tensor, "filter 3 height width"]:
    """Filters as pictures: each scaled by its own largest weight, so that zero is middle grey (0.5).

    One scale for all three colours, so that hues are true. What is lost: filters can no longer be
    compared in strength, and a dead filter's noise looks as loud as a strong edge.
    """
    peak = weight.abs().amax(dim=(1, 2, 3), keepdim=True)
    return 0.5 + 0.5 * weight / peak.clamp_min(torch.finfo(weight.dtype).tiny)


def spectrum(weight: Float[Tensor, "filter 3 height width"]) -> Float[Tensor, "filter f_y f_x"]:
    """Energy of each filter by spatial frequency, summed over colours, frequency zero in the middle.

    Axes run from −0.5 to 0.5 cycles per pixel (see `frequencies`). The energies sum to the filter's
    squared norm (Parseval), which `spectrum` keeps by dividing by the number of frequencies.
    """
    transformed = torch.fft.fft2(weight, s=(SPECTRUM, SPECTRUM))
    energy = transformed.abs().square().sum(dim=1) / SPECTRUM**2
    return torch.fft.fftshift(energy, dim=(-2, -1))


def frequencies() -> tuple[Float[Tensor, "f_y 1"], Float[Tensor, "1 f_x"]]:
    """The vertical and horizontal frequency of each entry of `spectrum`, in cycles per pixel."""
    axis = torch.fft.fftshift(torch.fft.fftfreq(SPECTRUM))
    return axis[:, None], axis[None, :]


def noise_share(weight: Float[Tensor, "filter 3 height width"]) -> Float[Tensor, " filter"]:
    """Share of a filter's energy above `NOISY_ABOVE` cycles per pixel. White noise scores about 0.62.

    The expected share of noise is the part of the frequency square outside the circle: 1 − π·0.35².
    """
    f_y, f_x = frequencies()
    energy = spectrum(weight)
    high = (f_y.square() + f_x.square()).sqrt() > NOISY_ABOVE
    return (energy * high).sum(dim=(-2, -1)) / _total(energy)


def orientation(
    weight: Float[Tensor, "filter 3 height width"],
) -> tuple[Float[Tensor, " filter"], Float[Tensor, " filter"]]:
    """Direction of a filter's stripes in degrees, and how concentrated its energy is on it.

    A stripe of frequency f = (f_y, f_x) changes along f, so it *runs* at right angles to f. Energy at
    f and −f is the same stripe; doubling the angle makes the two add up instead of cancelling:
    the mean of energy·exp(2i·angle) has the orientation as half its angle, and as its length the
    concentration (0: all directions alike; 1: one direction). The mean brightness (frequency zero)
    has no direction and is left out. Angles are counted from horizontal, counter-clockwise, in
    [0, 180): horizontal stripes 0, vertical stripes 90, a stripe like "/" 45.

    A flat or isotropic filter has a concentration near zero, and its angle means nothing.
    """
    f_y, f_x = frequencies()
    energy = spectrum(weight)
    angle = torch.atan2(-f_y, f_x)  # rows count downwards, angles upwards
    directed = (f_y != 0) | (f_x != 0)
    vector = (energy * directed * torch.exp(2j * angle)).sum(dim=(-2, -1))
    degrees = torch.rad2deg(vector.angle() / 2) + 90
    return degrees % 180, vector.abs() / _total(energy * directed)


def chromatic_share(weight: Float[Tensor, "filter 3 height width"]) -> Float[Tensor, " filter"]:
    """Share of a filter's energy that lies off the grey axis R = G = B. White noise scores about 2/3.

    Grey is one of three directions of colour space; noise falls on all three alike, so two thirds of
    it are "colour". Only a share well above 2/3 is a sign of a colour filter, and only one well
    below it a sign of a grey one.
    """
    total = weight.square().sum(dim=(1, 2, 3))
    grey = 3 * weight.mean(dim=1).square().sum(dim=(1, 2))
    return (total - grey).clamp_min(0) / total.clamp_min(torch.finfo(weight.dtype).tiny)


def measure(weight: Float[Tensor, "filter 3 height width"]) -> FilterMeasures:
    """All measures of `FilterMeasures` for every filter of a first layer."""
    norm = weight.flatten(1).norm(dim=1)
    degrees, concentration = orientation(weight)
    return FilterMeasures(
        norm=norm / norm.median().clamp_min(torch.finfo(weight.dtype).tiny),
        noise=noise_share(weight),
        orientation=degrees,
        concentration=concentration,
        chromatic=chromatic_share(weight),
    )


def smooth_noise(
    weight: Float[Tensor, "filter 3 height width"], n: int, *, seed: int = 0
) -> Float[Tensor, "noise 3 height width"]:
    """``n`` random filters that are as smooth as the layer's, but prefer no direction and no colour.

    White noise is a weak opponent: anything smooth looks striped beside it. This noise has, at every
    frequency, the mean energy that the layer has there, averaged over all directions. Its filters are
    cut from a larger field, as if by a window: their spectra are blurred like those of real filters.
    """
    f_y, f_x = frequencies()
    ring = ((f_y.square() + f_x.square()).sqrt() * SPECTRUM).round().long().flatten()
    energy = spectrum(weight)
    mean = (energy / _total(energy)[:, None, None]).mean(dim=0).flatten()
    profile = mean.new_zeros(int(ring.max()) + 1).index_add(0, ring, mean) / ring.bincount()
    amplitude = torch.fft.ifftshift(profile[ring].view(SPECTRUM, SPECTRUM).sqrt())
    white = torch.randn(n, 3, SPECTRUM, SPECTRUM, generator=torch.Generator().manual_seed(seed))
    field = torch.fft.ifft2(torch.fft.fft2(white) * amplitude).real
    return field[..., : weight.shape[-2], : weight.shape[-1]]


@dataclass(frozen=True)
class NoiseLimits:
    """What noise reaches in one filter of a hundred: a filter above it is hardly there by chance."""

    concentration: float
    chromatic: float


def noise_limits(weight: Float[Tensor, "filter 3 height width"], *, seed: int = 0) -> NoiseLimits:
    """The 99th percentile of each measure over 1,000 filters of `smooth_noise`."""
    null = measure(smooth_noise(weight, 1000, seed=seed))
    return NoiseLimits(float(null.concentration.quantile(0.99)), float(null.chromatic.quantile(0.99)))


KINDS = ("oriented", "colour", "noisy", "dead", "other")


def kinds(weight: Float[Tensor, "filter 3 height width"]) -> list[str]:
    """A name for every filter, one of `KINDS`, with thresholds taken from noise rather than from taste.

    ``dead``: norm below `DEAD_BELOW` of the median. ``oriented`` and ``colour``: concentration or
    chromatic share above `noise_limits`. ``noisy``: more than half of the energy above `NOISY_ABOVE`.
    A filter gets the first name that fits in the order dead, oriented, colour, noisy, so that a coloured
    edge and a fine weave are "oriented". Of a layer of noise, one filter in a hundred is called oriented
    and one coloured.
    """
    found, limits = measure(weight), noise_limits(weight)
    answers = (
        ("dead", found.norm < DEAD_BELOW),
        ("oriented", found.concentration > limits.concentration),
        ("colour", found.chromatic > limits.chromatic),
        ("noisy", found.noise > 0.5),
        ("other", torch.ones(len(weight), dtype=torch.bool)),
    )
    return [next(name for name, fits in answers if fits[i]) for i in range(len(weight))]


def _total(energy: Float[Tensor, "filter f_y f_x"]) -> Float[Tensor, " filter"]:
    return energy.sum(dim=(-2, -1)).clamp_min(torch.finfo(energy.dtype).tiny)
