"""Shift, turn and zoom a picture a little at random: an optimised image must then survive what a photograph would.

A photograph shows the same thing when the camera moves by a few pixels. The exact noise that drives a unit up does
not survive that, so an ascent that sees every step from another view cannot use it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class RandomTransforms:
    """How far a view may be off.

    ``shift`` in pixels, ``turn`` in degrees, ``zoom`` as a share (0.1: 0.9 to 1.1 times).
    Each is drawn evenly from −x to x, for every image apart; 0 switches it off. What comes in from outside the
    picture is its mirror image. Source: Olah et al. 2017, section "Transformation robustness"; what they call
    jitter is our shift.
    """

    shift: float | int = 4
    turn: float | int = 10
    zoom: float | int = 0.1

    def __post_init__(self):
        if min(self.shift, self.turn, self.zoom) < 0 or self.zoom >= 1:
            raise ValueError(f"{self}: shift and turn are 0 or more, zoom is 0 or more and below 1.")

    def __call__(
        self, images: Float[Tensor, "image 3 height width"], generator: torch.Generator
    ) -> Float[Tensor, "image 3 height width"]:
        """Another random view of every image. Nothing moves, bit for bit, if all three are 0."""
        if not (self.shift or self.turn or self.zoom):
            return images
        n, _, height, width = images.shape
        right, down, turn, zoom = 2 * torch.rand(4, n, generator=generator) - 1
        angle, size = math.radians(self.turn) * turn, 1 + self.zoom * zoom
        cos, sin = angle.cos() / size, angle.sin() / size
        slant = height / width  # affine_grid measures both sides from −1 to 1
        from_where = torch.stack(
            [
                torch.stack([cos, -sin * slant, 2 * self.shift / width * right], dim=1),
                torch.stack([sin / slant, cos, 2 * self.shift / height * down], dim=1),
            ],
            dim=1,
        ).to(images)
        grid = torch.nn.functional.affine_grid(from_where, list(images.shape), align_corners=False)
        view = torch.nn.functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
        return view.clamp(0, 1)


VIEWS = RandomTransforms()
"""The views that an ascent sees unless it is told otherwise."""

STILL = RandomTransforms(shift=0, turn=0, zoom=0)
"""No transforms at all."""
