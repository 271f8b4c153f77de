"""Photographs cut into square tiles, in colour: material to ask a unit what it likes best."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.data.photographs import Photograph


def cut(
    photographs: Sequence[Photograph], *, rows: int = 3, side: int = 64
) -> Float[Tensor, "tile 3 side side"]:
    """All tiles of all ``photographs``, left to right and top to bottom, in the order of the photographs.

    Each picture is scaled to a height of ``rows`` tiles; what is left over at its right is cut away.
    """
    if rows < 1 or side < 1:
        raise ValueError(f"rows={rows}, side={side}: both are 1 or more.")
    tiles = []
    for photograph in photographs:
        _, height, width = photograph.pixels.shape
        new_width = max(side, round(width * rows * side / height))
        scaled = torch.nn.functional.interpolate(
            photograph.pixels[None], (rows * side, new_width), mode="bilinear", antialias=True
        )[0].clamp(0, 1)
        for top in range(0, rows * side, side):
            tiles += [scaled[:, top : top + side, x : x + side] for x in range(0, new_width - side + 1, side)]
    return torch.stack(tiles)
