"""Layers × positions: the word that each layer would say next at each token."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from numbers import Real

import numpy as np

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import (
    COLOURS,
    FAINT,
    ON_PAPER,
    WIDTH,
    ink_on,
    new_figure,
    styled,
    wrapped,
)
from mi_course.plots.token_words import drawable, shortened, token_labels, visible

LARGEST_TYPE, SMALLEST_TYPE = 9.0, 6.0
LETTER = 0.6 / 72
"""Inches that a letter of DejaVu Sans takes on average for each point of its size."""


def logit_lens_table(
    words: Sequence[Sequence[str]],
    values,
    *,
    rows: Sequence,
    tokens: Sequence[str | int],
    title: str,
    alt: str,
    unit: str = "probability of the word",
    limit: Real = 1.0,
    answers: Sequence[str | None] | None = None,
    framed: str = "what truly comes next",
) -> Picture:
    """A table with a word in each cell, on the colour of its value.

    ``words[row][pos]`` is the token that comes out on top there, ``values[row, pos]`` its probability, or
    whatever ``unit`` names, from 0 to ``limit``. ``rows`` names the layers, in the order in which they
    are shown from the top; ``tokens`` are the model's input, one a column. ``answers``: a token for each
    position; the cells that say it are framed, and ``framed`` says below what it is. Long words are cut
    with "…".

    What a layer "would say" is read through the last layer norm and the unembedding, which that layer
    never meets in the model: early rows show how far this reading works, not what the model believes.
    """
    values = to_array(values, "values")
    shape = (len(rows), len(tokens))
    if 0 in shape or values.shape != shape or [len(row) for row in words] != [shape[1]] * shape[0]:
        raise ValueError(
            f"There are {shape[0]} rows and {shape[1]} tokens, but values has shape {values.shape} and words "
            f"has {len(words)} rows of {sorted({len(row) for row in words})} words; give one word and one "
            "value for each row and token."
        )
    if answers is not None and len(answers) != len(tokens):
        raise ValueError(f"There are {len(answers)} answers for {len(tokens)} tokens; give one a token.")

    with styled():
        import matplotlib

        names = [drawable(str(row)) for row in rows]
        figure = new_figure(max(3.2, 1.5 + 0.27 * len(rows)) + 0.2 * len(wrapped(title).splitlines()))
        axes = figure.subplots()
        image = axes.imshow(
            np.ma.masked_invalid(values),
            cmap=matplotlib.colormaps[ON_PAPER].with_extremes(bad=FAINT),
            vmin=0,
            vmax=limit,
            aspect="auto",
        )
        room = (WIDTH - 1.3 - 0.07 * max(map(len, names))) / len(tokens)
        for (row, column), value in np.ndenumerate(values):
            colour = image.cmap(image.norm(value)) if np.isfinite(value) else (1, 1, 1)
            said = answers is not None and words[row][column] == answers[column]
            text, size = _fitting(visible(words[row][column]), room - 0.05)
            axes.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                fontsize=size,
                color=ink_on(colour),
                in_layout=False,
            )
            if said:
                axes.add_patch(
                    matplotlib.patches.Rectangle(
                        (column - 0.46, row - 0.44),
                        0.92,
                        0.88,
                        fill=False,
                        edgecolor=COLOURS["vermilion"],
                        linewidth=1.5,
                    )
                )
        axes.set_xticks(
            range(len(tokens)), token_labels(tokens), rotation=45, ha="right", rotation_mode="anchor"
        )
        axes.set_yticks(range(len(rows)), names)
        axes.set_xticks(np.arange(len(tokens) + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=1)
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
        axes.set(xlabel="token that the model has read" + (f"; framed: {framed}" if answers else ""))
        figure.suptitle(wrapped(title), x=0.02, ha="left", weight="bold", fontsize=11.5)
        bar = figure.colorbar(image, ax=axes, label=textwrap.fill(unit, 30), fraction=0.03, pad=0.01)
        bar.outline.set_visible(False)
        return Picture(figure, alt, title=title)


def _fitting(word: str, room: float) -> tuple[str, float]:
    """The word and the size of its type, so that it fits into so many inches; cut off if nothing else helps."""
    size = min(LARGEST_TYPE, max(SMALLEST_TYPE, room / (LETTER * len(word))))
    return drawable(shortened(word, max(2, int(room / (LETTER * size) + 1e-9)))), size
