"""Bars that lie: for many labels, and for labels that are words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real

from mi_course.plots.numbers import with_interval
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, INK, new_figure, styled, wrapped
from mi_course.plots.token_words import token_labels

MOST_BARS = 60


def horizontal_bars(
    values: Mapping[str, object] | Sequence[tuple[str, object]],
    *,
    title: str,
    xlabel: str,
    alt: str,
    most: int | None = None,
    before: tuple[str, Sequence[Real]] | None = None,
    marked: Sequence[str] = (),
    limit: Real | None = None,
    number: str = ".3g",
) -> Picture:
    """One bar a label, from the top, to the right where it is positive and to the left where it is negative.

    For next-token probabilities and for contributions to a logit. Labels are shown as tokens are: what
    is invisible in them is made visible. Pairs instead of a mapping may repeat a label. A value is a number,
    or ``(value, low, high)`` with a whisker from low to high.

    ``most``: keep only so many bars, those of the largest absolute value, largest first; the title or the
    alt text should say so. ``before``: a name and one number a bar, drawn as a line across it (for instance
    the probabilities at temperature 1). ``marked``: labels whose bars are vermilion. ``limit``: where the
    axis ends. ``number``: the format of the numbers, as in f-strings (".1%").
    """
    pairs = list(values.items()) if isinstance(values, Mapping) else list(values)
    if not pairs:
        raise ValueError("values is empty: give at least one bar, as {label: number}.")
    measured = [with_interval(value, f"The bar {label!r}") for label, value in pairs]
    for (label, _), (value, _, _) in zip(pairs, measured):
        if value.ndim != 0:
            raise ValueError(f"The bar {label!r} has shape {value.shape}; give one number.")
    if before is not None and len(before[1]) != len(pairs):
        raise ValueError(f"{before[0]!r} has {len(before[1])} numbers for {len(pairs)} bars; give one a bar.")
    order = list(range(len(pairs)))
    if most is not None:
        order = sorted(order, key=lambda bar: -abs(float(measured[bar][0])))[:most]
    if len(order) > MOST_BARS:
        raise ValueError(f"{len(order)} bars cannot be read; show the largest with most=20, say.")

    with styled():
        figure = new_figure(
            0.9 + 0.25 * len(order) + (0.3 if before else 0) + 0.22 * len(wrapped(title).splitlines())
        )
        axes = figure.subplots()
        for row, bar in enumerate(order):
            value, low, high = measured[bar]
            colour = COLOURS["vermilion" if pairs[bar][0] in marked else "blue"]
            hatch = (
                "///" if pairs[bar][0] in marked else None
            )  # two ways to tell them apart, one without colour
            axes.barh(row, value, height=0.7, color=colour, hatch=hatch, edgecolor="white", linewidth=0)
            end = float(value)
            if low is not None:
                axes.hlines(row, low, high, color=INK, linewidth=1.6)
                end = float(high if value >= 0 else low)
            if before is not None:
                level = float(before[1][bar])
                axes.vlines(
                    level, row - 0.4, row + 0.4, color=INK, linewidth=1.8, label=None if row else before[0]
                )
                end = max(end, level) if value >= 0 else min(end, level)
            axes.annotate(
                f"{float(value):{number}}".replace("-", "−"),
                (end, row),
                xytext=(4 if value >= 0 else -4, 0),
                textcoords="offset points",
                ha="left" if value >= 0 else "right",
                va="center",
                fontsize=8.5,
            )
        axes.set_yticks(range(len(order)), token_labels([str(pairs[bar][0]) for bar in order], 28))
        axes.set_ylim(len(order) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.margins(x=0.12)
        if min(float(measured[bar][0]) for bar in order) >= 0:
            axes.set_xlim(left=0)
        if limit is not None:
            axes.set_xlim(right=limit)
        axes.set_xlabel(xlabel)
        axes.grid(axis="x")
        figure.suptitle(wrapped(title), x=0.02, ha="left", weight="bold", fontsize=11.5)
        if before is not None:
            figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left")
        return Picture(figure, alt, title=title)
