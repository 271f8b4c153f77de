"""Step through digits, or draw one, and watch both boxes decide: the one you can read, the one you cannot."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets
import torch

from mi_course.data.digits import SIDE, Digits
from mi_course.methods.glass_box import GlassBox
from mi_course.methods.stroke_features import shapes_of
from mi_course.models.black_box import BlackBox
from mi_course.plots.picture import Picture
from mi_course.plots.two_boxes import two_boxes
from mi_course.widgets.explorer import Explorer
from mi_course.widgets.pixel_grid import PixelGrid, flip

BLANK = "a blank page"


class GlassBoxExplorer(Explorer):
    """Any picture of ``digits``, with any pixels flipped, through a glass box and a black box.

    Pictures come in groups by who is right about them; "a blank page" is for a digit of your own.
    """

    def __init__(self, glass: GlassBox, black: BlackBox, digits: Digits):
        self.glass, self.black, self.digits = glass, black, digits
        self.groups = self._groups()

    def controls(self) -> dict[str, ipywidgets.Widget]:
        group = ipywidgets.Dropdown(options=list(self.groups), description="Pictures")
        number = ipywidgets.IntSlider(0, 0, len(self.groups[group.value]) - 1, description="Number")
        pixels = PixelGrid(self._image_of(group.value, 0))

        def follow(_change: dict) -> None:
            pixels.show(self._image_of(group.value, number.value))

        def follow_group(_change: dict) -> None:
            # A slider shorter than its value would move by itself; start each group at its first picture.
            number.value = 0
            number.max = len(self.groups[group.value]) - 1
            follow(_change)

        number.observe(follow, names="value")
        group.observe(follow_group, names="value")
        return {"group": group, "number": number, "pixels": pixels}

    def draw(self, group: str, number: int, pixels: tuple = ()) -> Picture:
        """``pixels``: the (row, column) places that are flipped, ink to paper or paper to ink."""
        number = min(number, len(self.groups[group]) - 1)
        image = flip(self._image_of(group, number), pixels)
        rule = self.glass.rule_for(self.glass.measures(shapes_of(image[None])[0]))
        probabilities = self.black.probabilities(image[None])[0]
        says, sure = int(probabilities.argmax()), float(probabilities.max())
        what = self._name(group, number, changed=bool(pixels))
        verdicts = f"glass box {rule.answer}, black box {says} ({sure:.0%} sure)"
        return two_boxes(
            image,
            self.glass,
            self.black,
            title=f"{what}: {verdicts}",
            alt=(
                f"{what}. The glass box says {rule.answer}, because {' and '.join(map(str, rule.conditions))}. "
                f"The black box says {says} with probability {sure:.2f}; its four weight pictures show "
                "no strokes that a reader could name."
            ),
        )

    def _groups(self) -> Mapping[str, torch.Tensor]:
        glass = self.glass.answer(self.digits.images) == self.digits.labels
        black = self.black.answer(self.digits.images) == self.digits.labels
        members = {
            "all": torch.ones_like(glass),
            "both boxes right": glass & black,
            "only the glass box right": glass & ~black,
            "only the black box right": ~glass & black,
            "both boxes wrong": ~glass & ~black,
        }
        numbers = {name: where.nonzero().flatten() for name, where in members.items() if where.any()}
        return {**numbers, BLANK: torch.tensor([-1])}

    def _image_of(self, group: str, number: int) -> torch.Tensor:
        if group == BLANK:
            return torch.zeros(SIDE, SIDE)
        return self.digits.images[self.groups[group][number]]

    def _name(self, group: str, number: int, *, changed: bool) -> str:
        if group == BLANK:
            return "Your drawing" if changed else "A blank page"
        index = int(self.groups[group][number])
        name = f"Picture {index}, a {int(self.digits.labels[index])}"
        return f"{name}, changed by you" if changed else name
