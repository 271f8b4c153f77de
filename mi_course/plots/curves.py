"""Curves over a common axis, with bands that say how sure each one is."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Literal

import numpy as np

from mi_course.plots.numbers import to_array, with_interval
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, INK, new_figure, over_axes, styled

_DASHES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
MOST_CURVES = len(COLOURS)


def curves(
    x,
    ys: Mapping[str, object],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    alt: str,
    baseline: tuple[str, Real] | None = None,
    cursor: tuple[str, Real] | None = None,
    xscale: Literal["linear", "log"] = "linear",
    yscale: Literal["linear", "log"] = "linear",
) -> Picture:
    """Draw one curve for each label in ``ys``, against ``x``.

    ``x`` holds n numbers, or n words, which are then set at equal distances (layers, for instance).
    Each value of ``ys`` is n numbers, or ``(y, low, high)``: the band between low and high is
    shaded. Say in the title or the labels what the band is (for instance a 95 % interval). Not-a-number
    leaves a gap. ``baseline`` is a dashed line across, such as ``("chance", 0.5)``; ``cursor`` a line
    from top to bottom, such as ``("step 400", 400)``.

    ``title`` is the finding or the question; the labels name quantity and unit. Curves differ in
    colour, marker and dashes, so no reader depends on the colours.
    """
    if not ys:
        raise ValueError("ys is empty: give at least one curve, as {label: numbers}.")
    if len(ys) > MOST_CURVES:
        raise ValueError(f"{len(ys)} curves in one figure cannot be told apart; show {MOST_CURVES} or fewer.")
    x = list(x) if not hasattr(x, "tolist") else x.tolist()
    words = [str(word) for word in x] if any(isinstance(item, str) for item in x) else None
    positions = np.arange(len(x), dtype=float) if words else to_array(x, "x")

    with styled():
        figure = new_figure(4.0)
        axes = figure.subplots()
        for number, (label, value) in enumerate(ys.items()):
            y, low, high = with_interval(value, f"The curve {label!r}")
            if y.shape != positions.shape:
                raise ValueError(
                    f"The curve {label!r} has shape {y.shape}, but x has {len(positions)} values; "
                    "give one y for each x."
                )
            colour = list(COLOURS.values())[number]
            if low is not None:
                axes.fill_between(positions, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(
                positions,
                y,
                color=colour,
                label=label,
                linestyle=_DASHES[number % len(_DASHES)],
                marker=_MARKERS[number] if len(positions) <= 25 else None,
            )
        if baseline is not None:
            name, level = baseline
            axes.axhline(level, color=INK, linewidth=1, linestyle=(0, (4, 3)), label=name)
        if cursor is not None:
            name, place = cursor
            axes.axvline(place, color=INK, linewidth=1.4, label=name)
        axes.set(xlabel=xlabel, ylabel=ylabel, xscale=xscale, yscale=yscale)
        if words:
            axes.set_xticks(positions, words, rotation=30 if sum(map(len, words)) > 70 else 0)
        elif xscale == "log" and len(positions) <= 8:
            axes.set_xticks(positions, [f"{p:,.0f}" if p >= 100 else f"{p:.4g}" for p in positions])
            axes.minorticks_off()
        axes.grid(axis="y")
        axes.set_title(over_axes(title))
        if len(ys) > 1 or baseline is not None or cursor is not None:
            figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=4)
        return Picture(figure, alt, title=title)
