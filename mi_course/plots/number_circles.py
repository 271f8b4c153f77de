"""Where the numbers of a clock lie in a plane: small drawings in a row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, FAINT, INK, new_figure, outlined, styled, wrapped

MOST_IN_A_ROW = 4
_NAMED = 3


def number_circles(planes: Mapping[str, object], *, title: str, alt: str) -> Picture:
    """One drawing a plane: a dot for every number, and a line from each number to the next.

    ``planes``: "number 2" by label. Each drawing has its own scale, and the origin, a small cross, in the middle. The
    numbers 0, 1 and 2 are written; a hand that goes round evenly makes a regular star.
    """
    drawn = {label: to_array(places, f"The plane {label!r}") for label, places in planes.items()}
    if not 1 <= len(drawn) <= MOST_IN_A_ROW:
        raise ValueError(f"{len(drawn)} planes: show between 1 and {MOST_IN_A_ROW}.")
    for label, places in drawn.items():
        if places.ndim != 2 or places.shape[1] != 2 or len(places) < _NAMED:
            raise ValueError(f"The plane {label!r} has shape {places.shape}; give two coordinates a number.")
    with styled():
        figure = new_figure(0.7 + 7.3 / max(3, len(drawn)))
        figure.suptitle(wrapped(title), x=0.02, ha="left", weight="bold", fontsize=11.5)
        for axes, (label, places) in zip(
            figure.subplots(1, max(3, len(drawn)), squeeze=False)[0], drawn.items(), strict=False
        ):
            _numbers(axes, places)
            axes.set_title(label, loc="center", fontsize=9.5, weight="normal", pad=3)
        for axes in figure.axes[len(drawn) :]:
            axes.set_axis_off()
        return Picture(figure, alt, title=title)


def _numbers(axes, places: np.ndarray) -> None:
    round_trip = np.concatenate([places, places[:1]])
    axes.plot(*round_trip.T, color=FAINT, linewidth=0.6)
    axes.plot(*places.T, "o", color=COLOURS["blue"], markersize=3)
    axes.plot(0, 0, "+", color=INK, markersize=8)
    limit = 1.25 * float(np.abs(places).max()) or 1.0
    for number, place in enumerate(places[:_NAMED]):
        length = float(np.hypot(*place)) or 1.0
        label = axes.text(
            *(place * (1 + 0.13 * limit / length)), str(number), ha="center", va="center", fontsize=9,
            color=INK, weight="bold", in_layout=False,
        )  # fmt: skip
        outlined(label)
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set_visible(False)
