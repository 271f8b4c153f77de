"""A table of numbers as coloured cells."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import numpy as np

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import (
    DIVERGING,
    FAINT,
    SEQUENTIAL,
    ink_on,
    new_figure,
    short_number,
    styled,
    wrapped,
)

MOST_WRITTEN_CELLS = 150
"""Up to so many cells also carry their number in writing."""


def heatmap(
    values,
    *,
    rows: Sequence,
    columns: Sequence,
    title: str,
    unit: str,
    alt: str,
    signed: bool = True,
    xlabel: str = "",
    ylabel: str = "",
    limit: Real | None = None,
) -> Picture:
    """Colour each cell of a table, ``values[row, column]``.

    ``rows`` and ``columns`` label the cells, ``ylabel`` and ``xlabel`` say what they are, ``unit``
    names the quantity on the colour bar. Signed values diverge from white at zero: red is positive,
    blue is negative, and both ends reach equally far. With ``signed=False`` the colours run from
    zero up. ``limit`` fixes the end of the scale, so that two figures can be compared; otherwise it
    is the largest absolute value. Not-a-number is grey: not measured.
    """
    values = to_array(values, "values")
    if values.shape != (len(rows), len(columns)) or values.size == 0:
        raise ValueError(
            f"values has shape {values.shape}, but there are {len(rows)} row labels and "
            f"{len(columns)} column labels; give one label for each row and each column."
        )
    if not signed and (values < 0).any():
        raise ValueError(f"values go down to {np.nanmin(values):.3g}; use signed=True for negative numbers.")
    if limit is None:
        limit = float(np.abs(values[np.isfinite(values)]).max(initial=0)) or 1.0

    with styled():
        cell = min(0.45, max(0.16, 5.0 / len(rows)))
        figure = new_figure(min(8.0, 1.6 + cell * len(rows)))
        axes = figure.subplots()
        image = axes.imshow(
            np.ma.masked_invalid(values),
            cmap=_with_grey(DIVERGING if signed else SEQUENTIAL),
            vmin=-limit if signed else 0,
            vmax=limit,
            aspect="auto",
        )
        if values.size <= MOST_WRITTEN_CELLS and len(columns) <= 16:
            _write_numbers(axes, values, image)
        _label(axes.set_xticks, columns, room=max(1, 56 // max(1, len(columns))))
        _label(axes.set_yticks, rows, room=None)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        axes.set_title(wrapped(title, 68))
        bar = figure.colorbar(image, ax=axes, label=unit, fraction=0.04, pad=0.02)
        bar.outline.set_visible(False)
        return Picture(figure, alt, title=title)


def _with_grey(name: str):
    import matplotlib

    return matplotlib.colormaps[name].with_extremes(bad=FAINT)


def _write_numbers(axes, values: np.ndarray, image) -> None:
    for (row, column), value in np.ndenumerate(values):
        if not np.isfinite(value):
            continue
        axes.text(
            column,
            row,
            short_number(value),
            ha="center",
            va="center",
            fontsize=8.5,
            color=ink_on(image.cmap(image.norm(value))),
            in_layout=False,  # inside its cell it moves nothing, and measuring every number takes long
        )


def _label(set_ticks, labels: Sequence, room: int | None) -> None:
    """Label every cell, or every n-th where there are too many to read."""
    words = [str(label) for label in labels]
    step = 1 + (len(words) - 1) // 32
    shown = range(0, len(words), step)
    turned = room is not None and max(map(len, words)) > room * step
    set_ticks(
        list(shown),
        [words[index] for index in shown],
        **({"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if turned else {}),
    )
