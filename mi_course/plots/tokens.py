"""A text as its tokens, each on the colour of its value."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import numpy as np

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import (
    DIVERGING,
    FAINT,
    MONOSPACED,
    ON_PAPER,
    WIDTH,
    ink_on,
    new_figure,
    short_number,
    styled,
    wrapped,
)
from mi_course.plots.token_words import token_label

FONT_SIZE = 10.5
NUMBER_SIZE = 8.0
CHARACTER = 0.63 / 72
"""Inches that a monospaced character takes for each point of its size, when it is set on whole pixels."""

MARGIN, GAP = 0.22, 0.05
LONGEST_TOKEN = 40


def tokens(
    tokens: Sequence[str | int],
    values,
    *,
    title: str,
    unit: str,
    alt: str,
    signed: bool = False,
    limit: Real | None = None,
    numbers: bool = False,
) -> Picture:
    """Colour each token of a text by its value, ``values[pos]``.

    The text runs on as it is read; a token with a line break ends its line. ``unit`` names the quantity
    below the colours. With ``signed=True`` red is positive, blue is negative and white is zero; otherwise
    the colours run from paper at zero to dark. ``limit`` fixes the end of the scale, so that two figures
    can be compared. Not-a-number is grey: not measured. ``numbers=True`` also writes each value down.
    """
    values = to_array(values, "values")
    if values.shape != (len(tokens),) or not len(tokens):
        raise ValueError(
            f"values has shape {values.shape}, but there are {len(tokens)} tokens; give one value a token."
        )
    if not signed and (values < 0).any():
        raise ValueError(f"values go down to {np.nanmin(values):.3g}; use signed=True for negative numbers.")
    if limit is None:
        limit = float(np.abs(values[np.isfinite(values)]).max(initial=0)) or 1.0

    with styled():
        import matplotlib
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        heading = wrapped(title)
        top = 0.18 + 0.22 * len(heading.splitlines()) + 0.08
        written = [short_number(value) if numbers and np.isfinite(value) else "" for value in values]
        words = [token_label(token, LONGEST_TOKEN) for token in tokens]
        places, lines = _set(words, written, breaks=["\n" in str(token) for token in tokens])
        line = 0.36 + (0.15 if numbers else 0.0)
        height = top + lines * line + 0.62
        figure = new_figure(height, layout="none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDTH), ylim=(height, 0))
        axes.axis("off")
        axes.text(MARGIN, 0.16, heading, weight="bold", fontsize=11.5, va="top")

        colours = ScalarMappable(
            Normalize(-limit if signed else 0, limit),
            matplotlib.colormaps[DIVERGING if signed else ON_PAPER].with_extremes(bad=FAINT),
        )
        painted = colours.to_rgba(np.ma.masked_invalid(values))
        for word, number, colour, (x, width, row) in zip(words, written, painted, places):
            y = top + row * line
            axes.add_patch(
                matplotlib.patches.FancyBboxPatch(
                    (x, y),
                    width,
                    0.26,
                    boxstyle="round,pad=0,rounding_size=0.04",
                    facecolor=colour,
                    edgecolor=FAINT,
                    linewidth=0.6,
                )
            )
            middle = x + width / 2
            text = {"ha": "center", "family": MONOSPACED}
            axes.text(
                middle, y + 0.13, word, va="center_baseline", color=ink_on(colour), fontsize=FONT_SIZE, **text
            )
            if number:
                axes.text(middle, y + 0.29, number, va="top", fontsize=NUMBER_SIZE, **text)

        scale = figure.add_axes((MARGIN / WIDTH, 0.36 / height, 2.2 / WIDTH, 0.1 / height))
        bar = figure.colorbar(colours, cax=scale, orientation="horizontal")
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=2, labelsize=8.5)
        bar.locator = matplotlib.ticker.MaxNLocator(5)
        axes.text(MARGIN + 2.32, height - 0.41, unit, fontsize=9.5, va="center")
        return Picture(figure, alt, title=title)


def _set(
    words: Sequence[str], numbers: Sequence[str], breaks: Sequence[bool]
) -> tuple[list[tuple[float, float, int]], int]:
    """Where each token stands, as (left edge, width, line), and how many lines there are."""
    places, x, row = [], MARGIN, 0
    for word, number, ends_line in zip(words, numbers, breaks):
        width = CHARACTER * max(
            FONT_SIZE * (len(word.replace(r"\$", "$")) + 0.8), NUMBER_SIZE * (len(number) + 0.4)
        )
        if x + width > WIDTH - MARGIN and x > MARGIN:
            x, row = MARGIN, row + 1
        places.append((x, width, row))
        x += width + GAP
        if ends_line:
            x, row = MARGIN, row + 1
    return places, places[-1][2] + 1
