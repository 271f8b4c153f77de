"""Scrub through a training: curves with a moving cursor, and beneath them what each checkpoint looks like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import ipywidgets
import numpy as np

from mi_course.plots.curves import curves as draw_curves
from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.pictures import Pictures
from mi_course.widgets.explorer import Explorer


class TrainingScrubber(Explorer):
    """A slider over stored checkpoints.

    ``steps``: when each checkpoint was stored, rising numbers. ``draw(index)``: the picture of checkpoint number
    ``index``, counted from 0. ``curves``: numbers by label, measured at ``x``, which is ``steps`` if it is
    not given, and may be finer: a loss is logged more often than a model is stored. The cursor and the alt
    text say each curve's value at the checkpoint, or at the measurement nearest to it.

    A picture that has been drawn is kept, so that going back is immediate.
    """

    def __init__(
        self,
        steps,
        draw: Callable[[int], Picture | Pictures],
        *,
        curves: Mapping[str, object],
        x=None,
        title: str,
        ylabel: str,
        xlabel: str = "step",
        xscale: Literal["linear", "log"] = "linear",
        yscale: Literal["linear", "log"] = "linear",
    ):
        self.steps = to_array(steps, "steps").astype(int).tolist()
        if not self.steps or sorted(set(self.steps)) != self.steps:
            raise ValueError("steps must rise, and hold at least one checkpoint.")
        self.x = to_array(self.steps if x is None else x, "x")
        self.curves = {label: to_array(values, f"The curve {label!r}") for label, values in curves.items()}
        for label, values in self.curves.items():
            if values.shape != self.x.shape:
                raise ValueError(
                    f"The curve {label!r} has shape {values.shape}, but there are {len(self.x)} places on the "
                    f"x axis; give one number for each, or give x."
                )
        self._draw_checkpoint = draw
        self._title, self._labels = title, {"xlabel": xlabel, "ylabel": ylabel}
        self._scales = {"xscale": xscale, "yscale": yscale}
        self._drawn: dict[int, Pictures] = {}

    def controls(self) -> dict[str, ipywidgets.Widget]:
        options = [(f"{step:,}", index) for index, step in enumerate(self.steps)]
        return {
            "checkpoint": ipywidgets.SelectionSlider(
                options=options, value=len(options) - 1, description=self._labels["xlabel"].capitalize()
            )
        }

    def draw(self, checkpoint: int) -> Pictures:
        if checkpoint not in self._drawn:
            below = self._draw_checkpoint(checkpoint)
            parts = below.pictures if isinstance(below, Pictures) else (below,)
            self._drawn[checkpoint] = Pictures([self._curves_at(checkpoint), *parts])
        return self._drawn[checkpoint]

    def _curves_at(self, checkpoint: int) -> Picture:
        if not 0 <= checkpoint < len(self.steps):
            raise ValueError(f"There is no checkpoint {checkpoint}; there are 0 to {len(self.steps) - 1}.")
        step = self.steps[checkpoint]
        nearest = int(np.abs(self.x - step).argmin())
        values = ", ".join(f"{label} {values[nearest]:.3g}" for label, values in self.curves.items())
        name = f"{self._labels['xlabel']} {step:,}"
        return draw_curves(
            self.x,
            self.curves,
            title=self._title,
            alt=f"{self._title.rstrip('.')}. At {name}: {values}.",
            cursor=(name, step),
            **self._labels,
            **self._scales,
        )
