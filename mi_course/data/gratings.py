"""Synthetic pictures with known parameters: gratings, curves and corners, for asking a unit one question at a time.

A photograph changes in a thousand ways at once. A grating changes in the few that you choose: the direction
of its stripes, how narrow they are, where they begin, their colour. Hubel and Wiesel (1959) asked cells of
the cat's visual cortex with bars of light; these pictures ask units of a network in the same way.

Angles are in degrees, counter-clockwise from horizontal, as in `methods.filters`: stripes at 0 lie level, at
90 they stand upright, at 45 they run like "/". All pictures are RGB in [0, 1], with middle grey as their mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.errors import UnknownName

COLOURS = {
    "grey": (1.0, 1.0, 1.0),
    "red-green": (1.0, -1.0, 0.0),
    "blue-yellow": (-0.5, -0.5, 1.0),
}
"""How red, green and blue go up and down together along a stripe; the last two hardly change brightness."""


def grating(
    orientation: float | int,
    frequency: float | int,
    *,
    phase: float | int = 0.0,
    contrast: float | int = 1.0,
    colour: str = "grey",
    side: int = 64,
) -> Float[Tensor, "3 side side"]:
    """Stripes that run at ``orientation`` degrees, light and dark as a cosine.

    ``frequency``: cycles per pixel, 0 to 0.5 (a cycle is one light and one dark stripe; 0.1 makes it 10
    pixels wide). ``phase``: degrees; 0 puts the middle of a light stripe into the middle of the picture, 180
    that of a dark one. ``contrast``: 0 = plain grey, 1 = from black to white. ``colour``: one of `COLOURS`.
    """
    if not 0 <= frequency <= 0.5:
        raise ValueError(
            f"frequency={frequency} cycles per pixel cannot be drawn: the finest stripes that a pixel grid holds "
            "have 0.5. For a cycle of n pixels give 1 / n."
        )
    x, y = _from_the_middle(side)
    angle = math.radians(orientation)
    across = -math.sin(angle) * x + math.cos(angle) * y  # stripes run along the angle and change across it
    wave = torch.cos(2 * math.pi * frequency * across + math.radians(phase))
    return _painted(wave, contrast, colour)


def gratings(
    orientations: Sequence[float | int],
    frequencies: Sequence[float | int],
    *,
    n_phases: int = 8,
    contrast: float | int = 1.0,
    colour: str = "grey",
    side: int = 64,
) -> Float[Tensor, "frequency orientation phase 3 side side"]:
    """Every orientation at every frequency, each in ``n_phases`` equally spaced phases; see `grating`."""
    phases = [360 * i / n_phases for i in range(n_phases)]
    options = {"contrast": contrast, "colour": colour, "side": side}
    return torch.stack(
        [
            torch.stack(
                [torch.stack([grating(o, f, phase=p, **options) for p in phases]) for o in orientations]
            )
            for f in frequencies
        ]
    )


def corner(
    direction: float | int,
    *,
    opening: float | int = 90,
    contrast: float | int = 1.0,
    colour: str = "grey",
    shift: tuple[float | int, float | int] = (0, 0),
    side: int = 64,
) -> Float[Tensor, "3 side side"]:
    """A light wedge on dark with its tip in the middle; ``direction``: where the wedge opens to, in degrees.

    ``opening``: the angle between its two edges. 90 is the corner of a square, 180 a straight edge, 270 the
    same corner with dark and light exchanged, turned round. ``contrast`` below 0 exchanges light and dark.
    ``shift``: moves the tip by so many pixels to the right and upwards.
    """
    if not 0 < opening < 360:
        raise ValueError(f"opening={opening} degrees: a wedge has more than 0 and less than 360.")
    x, y = _from_the_middle(side, shift)
    inside = []
    for turn in (90 - opening / 2, opening / 2 - 90):  # the two edges' normals, pointing into the wedge
        normal = math.radians(direction + turn)
        inside.append(math.cos(normal) * x + math.sin(normal) * y)
    within = torch.minimum(*inside) if opening <= 180 else torch.maximum(*inside)
    return _painted(_soft_step(within), contrast, colour)


def curve(
    direction: float | int,
    *,
    radius: float | int = 16,
    contrast: float | int = 1.0,
    colour: str = "grey",
    shift: tuple[float | int, float | int] = (0, 0),
    side: int = 64,
) -> Float[Tensor, "3 side side"]:
    """A light disc on dark whose edge runs through the middle; ``direction``: where the disc's centre lies.

    ``radius`` in pixels: small is strongly bent, ``math.inf`` a straight edge. ``contrast`` below 0 makes the
    disc dark. ``shift``: moves the point of the edge by so many pixels to the right and upwards.
    """
    if not radius > 0:
        raise ValueError(f"radius={radius} pixels: give more than 0; math.inf for a straight edge.")
    x, y = _from_the_middle(side, shift)
    towards = math.cos(math.radians(direction)) * x + math.sin(math.radians(direction)) * y
    if math.isinf(radius):
        return _painted(_soft_step(towards), contrast, colour)
    centre_x, centre_y = (
        radius * math.cos(math.radians(direction)),
        radius * math.sin(math.radians(direction)),
    )
    return _painted(
        _soft_step(radius - ((x - centre_x).square() + (y - centre_y).square()).sqrt()), contrast, colour
    )


def _from_the_middle(
    side: int, shift: tuple[float | int, float | int] = (0, 0)
) -> tuple[Float[Tensor, "side side"], Float[Tensor, "side side"]]:
    """How far each pixel lies to the right of, and above, the middle (moved by ``shift``)."""
    if side < 1:
        raise ValueError(f"side={side} makes no picture; give the side in pixels, 1 or more.")
    place = torch.arange(side) - (side - 1) / 2
    x, y = place[None, :] - shift[0], -place[:, None] - shift[1]  # rows count downwards, y upwards
    return x.expand(side, side), y.expand(side, side)


def _soft_step(distance: Float[Tensor, "side side"]) -> Float[Tensor, "side side"]:
    """−1 outside, 1 inside, and in between on the one pixel that the outline crosses."""
    return (2 * distance).clamp(-1, 1)


def _painted(
    wave: Float[Tensor, "side side"], contrast: float | int, colour: str
) -> Float[Tensor, "3 side side"]:
    """Numbers from −1 to 1 as light around middle grey."""
    if not -1 <= contrast <= 1:
        raise ValueError(f"contrast={contrast}: give −1 to 1; 1 reaches from black to white.")
    return 0.5 + 0.5 * contrast * wave * direction_of(colour)[:, None, None]


def direction_of(colour: str) -> Float[Tensor, " 3"]:
    """The entry of `COLOURS` as a tensor; raises UnknownName for any other."""
    if colour not in COLOURS:
        raise UnknownName("colour of gratings", colour, COLOURS)
    return torch.tensor(COLOURS[colour])
