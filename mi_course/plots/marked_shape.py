"""A digit's outline with coloured places: what a hand-written feature looks at."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mi_course.methods.stroke_features import Shape
from mi_course.plots.style import COLOURS

OPENING_COLOURS = {
    "left_bay": COLOURS["vermilion"],
    "right_bay": COLOURS["blue"],
    "hole": COLOURS["green"],
    "channel": COLOURS["purple"],
}
"""One colour for each kind of opening, wherever it is drawn."""


def marked_shape(
    shape: Shape, marks: Mapping[str, Bool[Tensor, "height width"]]
) -> Float[Tensor, "3 framed_height framed_width"]:
    """The shape as a picture, paper white and ink grey, with each mask in its colour ("#RRGGBB").

    A margin of paper around the frame shows what lies at its edge.
    """
    picture = (1 - 0.25 * shape.grey - 0.4 * shape.ink)[None].repeat(3, 1, 1)
    for colour, mask in marks.items():
        tint = torch.tensor([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        picture = torch.where(mask, 0.8 * tint[:, None, None] + 0.2 * picture, picture)
    return torch.nn.functional.pad(picture, (2, 2, 2, 2), value=1.0)


def with_openings(shape: Shape) -> Float[Tensor, "3 framed_height framed_width"]:
    """The shape with its bays, holes and channels in the colours of ``OPENING_COLOURS``."""
    marks = {colour: getattr(shape.openings, name) for name, colour in OPENING_COLOURS.items()}
    return marked_shape(shape, marks)
