"""Describe a handwritten digit in words that a person can check: bays, holes, widths, where the ink is.

Everything is measured inside the *frame*, the smallest rectangle that holds all of the digit's ink.
Lengths and areas are in pixels of the 8 × 8 picture.

How they were found matters for what the test pictures can say: `ENLARGED` and `INK` were compared once, early
on, on all pictures; features and rules after that on the first 1,200 only, which leaves the last 597 for the test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mi_course.runtime import one_thread

ENLARGED = 4
"""Small squares to a pixel's side: outlines can then run between pixels."""

INK = 0.4
"""From this share of full ink on, a small square counts as ink."""


@dataclass(frozen=True, eq=False)
class Shape:
    """A digit, enlarged four times and cut to its frame.

    ``grey``: ink from 0 to 1. ``ink``: where ``grey`` is at least ``INK``. Four squares are one pixel.
    """

    grey: Float[Tensor, "height width"]
    ink: Bool[Tensor, "height width"]

    @cached_property
    def openings(self) -> Openings:
        """The bays, holes and channels between the strokes."""
        return openings(self.ink)

    @property
    def height(self) -> int:
        """Rows of the frame, in small squares."""
        return self.ink.shape[0]

    @property
    def width(self) -> int:
        """Columns of the frame, in small squares."""
        return self.ink.shape[1]

    def row_at(self, depth: float) -> int:
        """The row that lies ``depth`` of the way down the frame: 0 is the top row, 1 the bottom row."""
        return round(depth * (self.height - 1))


def shapes_of(images: Float[Tensor, "image 8 8"]) -> list[Shape]:
    """Enlarge pictures (straight lines between the pixels' values) and cut each to its frame.

    A picture without ink has no frame; its shape is one empty pixel.
    """
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1))[:, None]
    with one_thread():
        enlarged = torch.nn.functional.interpolate(padded, scale_factor=ENLARGED, mode="bilinear")[:, 0]
        return [_in_its_frame(grey) for grey in enlarged]


def _in_its_frame(grey: Float[Tensor, "height width"]) -> Shape:
    ink = grey >= INK
    rows, columns = ink.any(dim=1).nonzero(), ink.any(dim=0).nonzero()
    if len(rows) == 0:
        empty = torch.zeros(ENLARGED, ENLARGED)
        return Shape(empty, empty > 0)
    frame = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    return Shape(grey[frame], ink[frame])


@dataclass(frozen=True, eq=False)
class Openings:
    """The empty places between strokes, by the side on which they are open.

    Take every empty square that has ink somewhere above *and* somewhere below it. Neighbours hang
    together in patches. A patch is a ``left_bay`` if from some of its squares the way left to the frame
    is free (and right from none), a ``right_bay`` the other way round, a ``hole`` if neither, a
    ``channel`` if both. No flood fill: a loop that is not quite closed above or below still counts.
    """

    left_bay: Bool[Tensor, "height width"]
    right_bay: Bool[Tensor, "height width"]
    hole: Bool[Tensor, "height width"]
    channel: Bool[Tensor, "height width"]


def openings(ink: Bool[Tensor, "height width"]) -> Openings:
    """Sort the empty places between strokes into bays, holes and channels."""
    from skimage.measure import label

    squares = ink.numpy()
    ink_above, ink_left = _ink_before(squares, axis=0), _ink_before(squares, axis=1)
    ink_below = _ink_before(squares[::-1], axis=0)[::-1]
    ink_right = _ink_before(squares[:, ::-1], axis=1)[:, ::-1]
    between = ~squares & ink_above & ink_below
    patch = label(between, connectivity=1)
    count = int(patch.max()) + 1
    open_left = np.bincount(patch[between & ~ink_left], minlength=count) > 0
    open_right = np.bincount(patch[between & ~ink_right], minlength=count) > 0
    kinds = {
        "left_bay": open_left & ~open_right,
        "right_bay": open_right & ~open_left,
        "hole": ~open_left & ~open_right,
        "channel": open_left & open_right,
    }
    return Openings(**{name: torch.from_numpy(kind[patch] & between) for name, kind in kinds.items()})


def _ink_before(squares: np.ndarray, *, axis: int) -> np.ndarray:
    """Whether there is ink at an earlier place of the same column (axis 0) or row (axis 1)."""
    return (squares.cumsum(axis=axis) - squares) > 0


Mask = Bool[Tensor, "height width"]


@dataclass(frozen=True)
class Feature:
    """A named measurement: ``measure(shape)`` is one number, ``unit`` is "pixels" or "share" (0 to 1).

    ``where(shape)`` marks the squares that it looks at, for pictures; it may be left out.
    """

    name: str
    meaning: str
    unit: str
    measure: Callable[[Shape], float]
    where: Callable[[Shape], Mask] | None = None


def area(mask: Mask) -> float:
    """The area of a mask of small squares, in pixels."""
    return int(mask.sum()) / ENLARGED**2


def upper_half(shape: Shape) -> Mask:
    """True in the upper half of the frame; a row in the middle belongs to the lower half."""
    return _down(shape.height)[:, None].lt(0.5).expand(shape.height, shape.width)


def ninth(shape: Shape, row: int, column: int) -> Mask:
    """One of the frame's nine parts: rows and columns 0, 1, 2, counted from the top left."""
    return _third(shape.height, row)[:, None] & _third(shape.width, column)


@lru_cache(maxsize=256)
def _third(count: int, number: int) -> Bool[Tensor, " place"]:
    return (_down(count) * 3).floor() == number


def _down(count: int) -> Float[Tensor, " place"]:
    """How far down (or to the right) the middle of each of ``count`` squares lies, 0 to 1."""
    return (torch.arange(count) + 0.5) / count


def stroke_width(shape: Shape, depth: float) -> Mask:
    """The row that lies ``depth`` of the way down, from its first ink to its last."""
    row, marked = shape.row_at(depth), torch.zeros_like(shape.ink)
    columns = shape.ink[row].nonzero()
    if len(columns):
        marked[row, int(columns[0]) : int(columns[-1]) + 1] = True
    return marked


def gap_on_the_right(shape: Shape, depth: float) -> Mask:
    """The row that lies ``depth`` of the way down, from its last ink to the right side of the frame."""
    row, marked = shape.row_at(depth), torch.zeros_like(shape.ink)
    columns = shape.ink[row].nonzero()
    marked[row, int(columns[-1]) + 1 if len(columns) else 0 :] = True
    return marked


def right_gap(shape: Shape) -> float:
    """How many pixels are empty between the last ink and the frame's right side, two thirds down."""
    return int(gap_on_the_right(shape, 2 / 3).sum()) / ENLARGED


def mean_ink(shape: Shape, where: Mask) -> float:
    """The mean grey where the mask is True, from 0 (paper) to 1 (ink); 0 for an empty mask."""
    return float(shape.grey[where].double().mean()) if where.any() else 0.0


def symmetry(shape: Shape) -> float:
    """How well the digit fits its reflection in a lake: 1 exactly, 0 no ink in common."""
    total = float(shape.grey.double().sum())
    difference = float((shape.grey - shape.grey.flip(0)).double().abs().sum())
    return 1 - difference / (2 * total) if total else 1.0


def _area_feature(name: str, meaning: str, where: Callable[[Shape], Mask]) -> Feature:
    return Feature(name, meaning, "pixels", lambda shape: area(where(shape)), where)


def _length_feature(name: str, meaning: str, where: Callable[[Shape], Mask]) -> Feature:
    return Feature(name, meaning, "pixels", lambda shape: int(where(shape).sum()) / ENLARGED, where)


def _ink_feature(name: str, meaning: str, where: Callable[[Shape], Mask]) -> Feature:
    return Feature(name, meaning, "share", lambda shape: mean_ink(shape, where(shape)), where)


FEATURES: Mapping[str, Feature] = {
    feature.name: feature
    for feature in (
        _area_feature("left_bay", "area of bays open to the left", lambda shape: shape.openings.left_bay),
        _area_feature(
            "upper_left_bay",
            "the same, in the upper half only",
            lambda shape: shape.openings.left_bay & upper_half(shape),
        ),
        _area_feature("right_bay", "area of bays open to the right", lambda shape: shape.openings.right_bay),
        _area_feature("hole", "area enclosed by ink", lambda shape: shape.openings.hole),
        _length_feature("shoulders", "width, a quarter of the way down", lambda s: stroke_width(s, 0.25)),
        _length_feature("foot", "width, just above the base", lambda shape: stroke_width(shape, 0.85)),
        _ink_feature("middle", "ink in the middle ninth", lambda shape: ninth(shape, 1, 1)),
        _ink_feature("upper_right", "ink in the upper right ninth", lambda shape: ninth(shape, 0, 2)),
        _ink_feature("lower_right", "ink in the lower right ninth", lambda shape: ninth(shape, 2, 2)),
        Feature(
            "symmetry",
            "likeness to its reflection in a lake",
            "share",
            symmetry,
            lambda shape: shape.ink & shape.ink.flip(0),
        ),
    )
}
"""The hand-written features, by name."""

RIGHT_GAP = Feature(
    "right_gap",
    "empty space on the right, two thirds down",
    "pixels",
    right_gap,
    lambda shape: gap_on_the_right(shape, 2 / 3),
)
"""One more, which the reader of chapter 00 writes."""


def measure(
    shapes: Sequence[Shape], features: Mapping[str, Feature] = FEATURES
) -> Float[Tensor, "image feature"]:
    """Every feature of every shape, in double precision; columns in the order of ``features``."""
    if not features:
        raise ValueError("features is empty: name at least one.")
    with one_thread():
        rows = [[float(feature.measure(shape)) for feature in features.values()] for shape in shapes]
    return torch.tensor(rows, dtype=torch.float64).reshape(len(shapes), len(features))
