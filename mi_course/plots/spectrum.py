"""How much lies at each frequency: one stem a frequency."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real

import numpy as np

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, INK, new_figure, over_axes, styled

_MARKERS = ("o", "x", "^")


def spectrum(
    shares: Mapping[str, object],
    *,
    title: str,
    ylabel: str,
    alt: str,
    named: float | int = 0.05,
    limit: Real | None = None,
) -> Picture:
    """Stems for the first label, marks for the others, over the frequencies 1, 2, 3 …

    ``shares``: one number a frequency, by label. Frequencies of the first label whose share is at least ``named``
    carry their number. ``limit`` fixes the upper end of the axis, so that pictures can be compared.
    """
    drawn = {label: to_array(values, f"The spectrum {label!r}") for label, values in shares.items()}
    if not 1 <= len(drawn) <= len(_MARKERS):
        raise ValueError(f"{len(drawn)} spectra: show between 1 and {len(_MARKERS)}.")
    lengths = {values.shape for values in drawn.values()}
    if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
        raise ValueError(
            f"The spectra have shapes {sorted(lengths)}; give one number a frequency, to all alike."
        )
    with styled():
        figure = new_figure(2.9)
        axes = figure.subplots()
        for number, (label, values) in enumerate(drawn.items()):
            colour, frequencies = list(COLOURS.values())[number], np.arange(1, len(values) + 1)
            if number == 0:
                axes.vlines(frequencies, 0, values, color=colour, linewidth=1.6)
            axes.plot(
                frequencies,
                values,
                linestyle="",
                marker=_MARKERS[number],
                color=colour,
                markersize=4,
                label=label,
            )
        first = next(iter(drawn.values()))
        for index in np.flatnonzero(first >= named):
            axes.annotate(
                str(index + 1),
                (index + 1, first[index]),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=9,
                color=INK,
                in_layout=False,
            )
        highest = max(float(values.max(initial=0)) for values in drawn.values())
        axes.set(
            xlabel="frequency",
            ylabel=ylabel,
            xlim=(0, len(first) + 1),
            ylim=(0, limit or 1.15 * highest or 1),
        )
        axes.grid(axis="y")
        axes.set_title(over_axes(title))
        if len(drawn) > 1:
            figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=3)
        return Picture(figure, alt, title=title)
