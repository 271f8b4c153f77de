"""What shall an image make large? Objectives for feature visualization, which can be added, subtracted and weighted.

    channel("conv4.pre", 7)                                   one feature, everywhere in the picture
    channel("conv4.pre", [3, 7, 9])                           three images at once, each with its own channel
    neuron("conv4.pre", 7)                                    the same feature, but only in the middle
    channel("conv5.pre", 1) - channel("conv5.pre", 2)         what moves one and not the other
    channel("conv5.pre", [1] * 4) + 2 * diversity("conv4")    four different ways to move one channel
    neuron("fc7.pre", 5) - 0.5 * contrast()                   without the loudest colours

Ask *before* the ReLU (``conv4.pre``): behind it, a unit that is off gives no direction in which to look for more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.errors import CourseError

IMAGE = "image"
"""Among the activations that an objective gets: the image itself, in [0, 1], before any random transform."""

Activations = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Objective:
    """A number for every image, to be made as large as possible.

    ``labels``: what each image is to show, in words; None if the objective fits any number of images. ``points``: the
    activations that it looks at. ``value``: from these activations to one number an image.
    """

    labels: tuple[str, ...] | None
    points: frozenset[str]
    value: Callable[[Activations], Float[Tensor, " image"]]

    def __add__(self, other: Objective) -> Objective:
        return (
            self._with(other, " + ", lambda a, b: a + b) if isinstance(other, Objective) else NotImplemented
        )

    def __sub__(self, other: Objective) -> Objective:
        return (
            self._with(other, " − ", lambda a, b: a - b) if isinstance(other, Objective) else NotImplemented
        )

    def __mul__(self, weight: Real) -> Objective:
        if not isinstance(weight, Real):
            return NotImplemented
        labels = self.labels and tuple(f"{weight:g} · {label}" for label in self.labels)
        return Objective(labels, self.points, lambda activations: float(weight) * self.value(activations))

    __rmul__ = __mul__

    def __neg__(self) -> Objective:
        labels = self.labels and tuple(f"− {label}" for label in self.labels)
        return Objective(labels, self.points, lambda activations: -self.value(activations))

    def _with(self, other: Objective, sign: str, combine: Callable[[Tensor, Tensor], Tensor]) -> Objective:
        ours, theirs = self.labels, other.labels
        if ours and theirs and len(ours) != len(theirs):
            raise CourseError(
                f"One objective is for {len(ours)} images, the other for {len(theirs)}; give both the same number."
            )
        both = tuple(f"{a}{sign}{b}" for a, b in zip(ours, theirs)) if ours and theirs else ours or theirs
        return Objective(both, self.points | other.points, lambda x: combine(self.value(x), other.value(x)))


def channel(point: str, channels: int | Sequence[int]) -> Objective:
    """One image for each of ``channels``: the channel's mean over all places of the map ``point``."""
    numbers = _listed(channels)

    def value(activations: Activations) -> Tensor:
        return _chosen(activations[point], numbers, point).flatten(1).mean(dim=1)

    return Objective(tuple(f"{_short(point)} channel {n}" for n in numbers), frozenset({point}), value)


def neuron(point: str, channels: int | Sequence[int], *, place: tuple[int, int] | None = None) -> Objective:
    """One image for each of ``channels``: the activation of a single cell of its map.

    ``place``: row and column of the cell; None takes the middle. In a fully connected layer every channel is one
    neuron, and there is no place.
    """
    numbers = _listed(channels)

    def value(activations: Activations) -> Tensor:
        maps = _chosen(activations[point], numbers, point)
        if maps.shape[1:] == (1, 1):
            return maps[:, 0, 0]
        row, column = place or (maps.shape[1] // 2, maps.shape[2] // 2)
        if not (0 <= row < maps.shape[1] and 0 <= column < maps.shape[2]):
            raise CourseError(
                f"{point!r} has no cell {(row, column)}: its map is {maps.shape[1]} × {maps.shape[2]}."
            )
        return maps[:, row, column]

    return Objective(tuple(f"{_short(point)} neuron {n}" for n in numbers), frozenset({point}), value)


def direction(
    point: str, vectors: Float[Tensor, "*image channel"], *, labels: Sequence[str] = ()
) -> Objective:
    """One image for each of ``vectors``: the activation along it, as a mean over all places.

    A direction is a mixture of channels; its length does not matter (it is divided out). ``vectors``: "channel" for
    one image or "image channel" for several.
    """
    rows = torch.atleast_2d(vectors.detach())
    rows = rows / rows.norm(dim=1, keepdim=True).clamp_min(torch.finfo(rows.dtype).tiny)
    names = tuple(labels) or tuple(f"{_short(point)} direction {n}" for n in range(len(rows)))
    if len(names) != len(rows):
        raise CourseError(f"{len(names)} labels for {len(rows)} directions; give one for each.")

    def value(activations: Activations) -> Tensor:
        found = activations[point]
        if found.shape[1] != rows.shape[1]:
            raise CourseError(
                f"{point!r} has {found.shape[1]} channels, but the direction is made of {rows.shape[1]} numbers."
            )
        return (_as_maps(found).flatten(2).mean(dim=2) * rows.to(found)).sum(dim=1)

    return Objective(names, frozenset({point}), value)


def layer(point: str, *, n: int = 1) -> Objective:
    """Whatever the layer likes: the mean square of its activations, as in DeepDream (Mordvintsev et al. 2015).

    ``n``: how many images.
    """

    def value(activations: Activations) -> Tensor:
        return activations[point].flatten(1).square().mean(dim=1)

    return Objective((f"all of {_short(point)}",) * n, frozenset({point}), value)


def diversity(point: str) -> Objective:
    """How little an image resembles the others of its batch: 0 = nothing in common, −1 = all the same.

    Resemblance is the cosine between the images' Gram matrices: which channels of ``point`` go together, wherever
    in the picture (Gatys, Ecker and Bethge 2015). Add a multiple of it to an objective for several images of one
    channel.
    """

    def value(activations: Activations) -> Tensor:
        maps = activations[point]
        if maps.ndim != 4:
            raise CourseError(
                f"{point!r} is not a feature map; diversity needs a convolution, such as 'conv4'."
            )
        if len(maps) < 2:
            raise CourseError(
                "Diversity compares images: ask for two or more, as in channel('conv4.pre', [7] * 4)."
            )
        cells = maps.flatten(2)
        gram = (cells @ cells.mT).flatten(1)
        gram = gram / gram.norm(dim=1, keepdim=True).clamp_min(torch.finfo(gram.dtype).tiny)
        alike = gram @ gram.T
        return -(alike.sum(dim=1) - alike.diagonal()) / (len(maps) - 1)

    return Objective(None, frozenset({point}), value)


def contrast() -> Objective:
    """How far an image is from flat middle grey, 0 to 1: subtract a multiple of it against over-saturated pictures.

    The mean square distance of red, green and blue from 0.5, times 4 (an L2 penalty): 1 = only pure colours.
    """
    return Objective(None, frozenset({IMAGE}), lambda x: (2 * x[IMAGE] - 1).square().flatten(1).mean(dim=1))


def total_variation() -> Objective:
    """How restless an image is: the mean step from pixel to pixel. Subtract a multiple of it for calmer pictures.

    0 = flat, 1 = black and white in turn. Source: Rudin, Osher and Fatemi 1992.
    """

    def value(activations: Activations) -> Tensor:
        image = activations[IMAGE]
        down, across = image.diff(dim=2).abs(), image.diff(dim=3).abs()
        return (down.flatten(1).mean(dim=1) + across.flatten(1).mean(dim=1)) / 2

    return Objective(None, frozenset({IMAGE}), value)


def _listed(channels: int | Sequence[int]) -> tuple[int, ...]:
    return (channels,) if isinstance(channels, int) else tuple(int(n) for n in channels)


def _short(point: str) -> str:
    return point.removesuffix(".pre")


def _as_maps(activation: Tensor) -> Tensor:
    return activation if activation.ndim == 4 else activation[:, :, None, None]


def _chosen(activation: Tensor, numbers: tuple[int, ...], point: str) -> Float[Tensor, "image height width"]:
    """Of image i the map of channel ``numbers[i]``; of a fully connected layer, maps of one cell."""
    wrong = [n for n in numbers if not 0 <= n < activation.shape[1]]
    if wrong:
        raise CourseError(
            f"{point!r} has no channel {wrong[0]}; its channels are 0 to {activation.shape[1] - 1}."
        )
    if len(activation) != len(numbers):
        raise CourseError(
            f"There are {len(activation)} images, but the objective is for {len(numbers)}; give one channel for each."
        )
    return _as_maps(activation)[torch.arange(len(numbers)), torch.tensor(numbers)]
