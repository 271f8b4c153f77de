"""A feature at a glance: texts on the colour of its activity, how active it is, and the words it promotes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mi_course.plots.picture import Picture
from mi_course.plots.style import (
    COLOURS,
    FAINT,
    INK,
    MONOSPACED,
    ON_PAPER,
    QUIET,
    WIDTH,
    ink_on,
    new_figure,
    short_number,
    styled,
    wrapped,
)
from mi_course.plots.token_words import token_label, token_labels
from mi_course.plots.tokens import CHARACTER

FONT_SIZE, LINE, MARGIN = 8.5, 0.235, 0.22

Row = tuple[Sequence[str], Sequence[float], int]
"""Words, the activity at each, and which word is meant."""


def feature_panel(
    examples: Mapping[str, Sequence[Row]],
    *,
    edges,
    counts,
    effects: Sequence[tuple[str, float]],
    title: str,
    alt: str,
    largest: float | None = None,
) -> Picture:
    """Draw groups of examples, one a line, above a histogram of the activity and bars of the logit effects.

    ``examples``: rows by the heading of their group, such as {"most active": …, "active, but weaker": …}. The word that
    is meant stands at the same place in every line, so words before it are cut off at the left. ``largest``: the
    activity with the darkest colour; by default the largest in ``examples``. ``edges``, ``counts``: the histogram.
    ``effects``: words with what they gain or lose.
    """
    rows = [row for group in examples.values() for row in group]
    if largest is None:
        largest = max((float(max(values)) for _, values, _ in rows if len(values)), default=1.0) or 1.0
    with styled():
        import matplotlib

        heading = wrapped(title)
        top = 0.2 + 0.22 * len(heading.splitlines()) + 0.08
        lines = sum(len(group) + 1 for group in examples.values())
        below = top + lines * LINE + 0.3
        height = below + 2.35
        figure = new_figure(height, layout="none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDTH), ylim=(height, 0))
        axes.axis("off")
        axes.text(MARGIN, 0.16, heading, weight="bold", fontsize=11.5, va="top")
        colours, y = matplotlib.colormaps[ON_PAPER], top
        for label, group in examples.items():
            axes.text(MARGIN, y + LINE / 2, label, fontsize=9, va="center_baseline", color=QUIET)
            y += LINE
            for words, values, at in group:
                _line(axes, words, values, at, y, largest, colours)
                y += LINE
        _histogram(figure, edges, counts, below, height)
        _bars(figure, effects, below, height)
        return Picture(figure, alt, title=title)


def _line(axes, words, values, at: int, y: float, largest: float, colours) -> None:
    """One example; the word that is meant begins at two thirds of the width."""
    import matplotlib

    shown = [token_label(word, 16) for word in words]
    widths = [CHARACTER * FONT_SIZE * (len(word.replace(r"\$", "$")) + 0.7) for word in shown]
    x = 0.66 * WIDTH - sum(widths[:at])
    for index, (word, value, width) in enumerate(zip(shown, values, widths)):
        if x >= MARGIN and x + width <= WIDTH - 0.05:
            colour = colours(float(value) / largest)
            axes.add_patch(
                matplotlib.patches.Rectangle(
                    (x, y + 0.015), width, LINE - 0.03, facecolor=colour,
                    edgecolor=INK if index == at else FAINT, linewidth=0.9 if index == at else 0.3,
                )
            )  # fmt: skip
            axes.text(
                x + width / 2, y + LINE / 2, word, ha="center", va="center_baseline", family=MONOSPACED,
                fontsize=FONT_SIZE, color=ink_on(colour),
            )  # fmt: skip
        x += width


def _histogram(figure, edges, counts, below: float, height: float) -> None:
    edges, counts = np.asarray(edges, dtype=float), np.asarray(counts, dtype=float)
    axes = figure.add_axes((0.09, 0.55 / height, 0.4, (height - below - 0.85) / height))
    axes.bar(
        edges[:-1],
        counts,
        width=np.diff(edges),
        align="edge",
        color=COLOURS["blue"],
        edgecolor="white",
        lw=0.4,
    )
    axes.set(xlabel="activity, where it is active", ylabel="words")
    axes.set_title("How active?", fontsize=10)


def _bars(figure, effects, below: float, height: float) -> None:
    axes = figure.add_axes((0.68, 0.55 / height, 0.27, (height - below - 0.85) / height))
    values = [value for _, value in effects]
    axes.barh(
        range(len(effects)),
        values,
        height=0.72,
        color=[COLOURS["vermilion" if v > 0 else "blue"] for v in values],
    )
    axes.set_yticks(range(len(effects)), token_labels([word for word, _ in effects], 16))
    axes.set_ylim(len(effects) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0, labelsize=8)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set(xlabel="change of the logit")
    axes.set_title("Which next words?", fontsize=10)


def described(examples: Sequence[tuple[str, float]]) -> str:
    """Words with their numbers, for an alt text."""
    return ", ".join(f"{word} {short_number(value)}" for word, value in examples)
