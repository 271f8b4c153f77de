"""Patches cut from photographs, with the photograph as their label: a test of what a layer knows.

Which picture was this patch cut from? The question has a known answer, needs no labels from anybody,
and cannot be answered by position. Patches to learn from come from the left half of each picture, the
ones to be tested on from the right half, so that no pixel is shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.data.photographs import Photograph

GREY = torch.tensor([0.299, 0.587, 0.114])
"""Weights of red, green and blue in the brightness of a picture (ITU-R BT.601)."""


@dataclass(frozen=True)
class Patches:
    """``images``: RGB in [0, 1]. ``labels``: which of ``names`` each was cut from."""

    images: Float[Tensor, "patch 3 height width"]
    labels: Int[Tensor, " patch"]
    names: tuple[str, ...]


def cut(
    photographs: Sequence[Photograph], *, per_photograph: int = 40, side: int = 64, seed: int = 0
) -> tuple[Patches, Patches]:
    """Patches from the left halves, and as many from the right halves, of all ``photographs``.

    Each picture is first scaled to a height of 4.5 patches. Colour, brightness and contrast alone would tell
    many pictures apart, so patches are turned grey and equalised: every patch holds the same brightnesses,
    evenly spread from 0 to 1, and differs from the others only in where they are. Parts that were flat turn
    into fine noise.
    """
    generator = torch.Generator().manual_seed(seed)
    halves: tuple[list[Tensor], list[Tensor]] = ([], [])
    for photograph in photographs:
        grey = _scaled(photograph.pixels, round(4.5 * side))
        _, height, width = grey.shape
        if width < 2 * side:
            raise ValueError(f"{photograph.name!r} is too narrow for two halves of {side}-pixel patches.")
        for half, (first, last) in zip(halves, ((0, width // 2 - side), (width // 2, width - side))):
            y = torch.randint(0, height - side + 1, (per_photograph,), generator=generator).tolist()
            x = torch.randint(first, last + 1, (per_photograph,), generator=generator).tolist()
            half.extend(grey[:, b : b + side, a : a + side] for a, b in zip(x, y))
    names = tuple(p.name for p in photographs)
    labels = torch.arange(len(names)).repeat_interleave(per_photograph)
    left, right = (Patches(_same_histogram(torch.stack(half), generator), labels, names) for half in halves)
    return left, right


def _scaled(pixels: Float[Tensor, "3 height width"], height: int) -> Float[Tensor, "1 new_height new_width"]:
    grey = torch.einsum("chw,c->hw", pixels, GREY)[None, None]
    width = round(pixels.shape[2] * height / pixels.shape[1])
    return torch.nn.functional.interpolate(grey, (height, width), mode="bilinear", antialias=True)[0]


def _same_histogram(
    grey: Float[Tensor, "patch 1 height width"], generator: torch.Generator
) -> Float[Tensor, "patch 3 height width"]:
    """Each patch with its pixels in the same order of brightness, but spread evenly over [0, 1].

    Equal pixels are put in random order: without it, flat parts would show the order of the memory.
    """
    flat = grey.flatten(1)
    flat = flat + 1e-4 * torch.rand(flat.shape, generator=generator)
    ranks = flat.argsort(dim=1).argsort(dim=1)
    even = ranks.to(grey.dtype) / (flat.shape[1] - 1)
    return even.view_as(grey).expand(-1, 3, -1, -1).contiguous()
