"""Does another network, trained from another seed, have the same first-layer filters? Match them and see.

Two trainings number their filters differently, and a stripe may sit a pixel further to the left. So each filter
looks for its best partner in the other network, over small shifts. With a choice among so many partners even
noise finds a friend: every similarity needs the one that chance reaches beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Matches:
    """For each filter of one network its best partner in the other.

    ``similarity``: cosine of the two filters at the best shift, 1 = the same up to brightness, 0 = unrelated.
    ``partner``: the partner's number. ``shift``: how far the partner had to move, in pixels (down, right).
    ``sign``: 1, or −1 where the partner is the negative.
    """

    similarity: Float[Tensor, " filter"]
    partner: Int[Tensor, " filter"]
    shift: Int[Tensor, "filter 2"]
    sign: Float[Tensor, " filter"]


def match(
    weight: Float[Tensor, "filter 3 height width"],
    other: Float[Tensor, "partner 3 height width"],
    *,
    most_shift: int = 2,
    ignore_sign: bool = False,
) -> Matches:
    """The best partner of each filter of ``weight`` among ``other``.

    ``most_shift``: partners may move up to so many pixels in each direction; what leaves the square is lost, and
    counts against them. ``ignore_sign``: whether a filter may match the negative of another. Several filters
    may have the same partner. A high similarity says that both networks learned this filter; it does not say
    that they use it alike.
    """
    if weight.shape[1:] != other.shape[1:]:
        raise ValueError(
            f"Filters of shape {tuple(weight.shape[1:])} and {tuple(other.shape[1:])} cannot be laid over each other."
        )
    if most_shift < 0:
        raise ValueError(f"most_shift={most_shift}: a number of pixels, 0 or more.")
    moved = torch.nn.functional.pad(_unit(other), [most_shift] * 4)
    cosine = torch.nn.functional.conv2d(moved, _unit(weight)).transpose(0, 1)  # filter partner down right
    steps, partners = cosine.shape[-1], cosine.shape[1]
    flat = cosine.flatten(1)
    best = (flat.abs() if ignore_sign else flat).argmax(dim=1)
    found = flat.gather(1, best[:, None])[:, 0]
    sign = torch.where(found < 0, -1.0, 1.0) if ignore_sign else torch.ones_like(found)
    assert partners * steps**2 == flat.shape[1]
    return Matches(
        similarity=found * sign,
        partner=best // steps**2,
        # The window that moves right over the partner sees it move left.
        shift=most_shift - torch.stack([best % steps**2 // steps, best % steps], dim=1),
        sign=sign,
    )


def shuffle_pixels(
    weight: Float[Tensor, "filter 3 height width"], *, seed: int = 0
) -> Float[Tensor, "filter 3 height width"]:
    """A control: every filter keeps its pixels with their colours, but each of them in another place."""
    generator = torch.Generator().manual_seed(seed)
    flat = weight.flatten(2)
    orders = torch.stack([torch.randperm(flat.shape[2], generator=generator) for _ in flat])
    return flat.gather(2, orders[:, None].expand_as(flat)).view_as(weight)


def _unit(weight: Float[Tensor, "filter 3 height width"]) -> Float[Tensor, "filter 3 height width"]:
    norm = weight.flatten(1).norm(dim=1).clamp_min(torch.finfo(weight.dtype).tiny)
    return weight / norm[:, None, None, None]
