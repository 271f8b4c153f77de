"""Cover a small patch of a digit with paper and see how much belief is lost."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.data.digits import SIDE
from mi_course.models.black_box import BlackBox

PATCH = 2
"""Side of the patch, in pixels."""


def drop_when_hidden(box: BlackBox, image: Float[Tensor, "8 8"], digit: int, row: int, column: int) -> float:
    """How far the probability of ``digit`` falls when the 2 × 2 patch at (row, column) is empty paper.

    ``row`` and ``column`` (0 to 6) name the patch's upper left pixel. Positive: what was there spoke for
    the digit. Negative: against it. Zero: it did not matter *while everything else was there*; two
    patches of which either would do both show zero. It says where evidence lies, not what it means.
    """
    last = SIDE - PATCH
    if not (0 <= row <= last and 0 <= column <= last):
        raise ValueError(
            f"A patch at ({row}, {column}) leaves the picture; rows and columns are 0 to {last}."
        )
    if not 0 <= digit <= 9:
        raise ValueError(f"digit={digit} is none; choose 0 to 9.")
    covered = image.clone()
    covered[row : row + PATCH, column : column + PATCH] = 0
    before, after = box.probabilities(torch.stack([image, covered]))[:, digit].tolist()
    return before - after


def drop_map(box: BlackBox, image: Float[Tensor, "8 8"], digit: int) -> Float[Tensor, "7 7"]:
    """``drop_when_hidden`` for every place of the patch."""
    places = range(SIDE - PATCH + 1)
    drops = [[drop_when_hidden(box, image, digit, row, column) for column in places] for row in places]
    return torch.tensor(drops, dtype=torch.float64)
