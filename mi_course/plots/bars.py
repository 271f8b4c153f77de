"""Bars from zero, one for each label, with whiskers that say how sure each one is."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from numbers import Real

import numpy as np

from mi_course.plots.numbers import with_interval
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, INK, new_figure, over_axes, styled


def bars(
    values: Mapping[str, object],
    *,
    title: str,
    ylabel: str,
    alt: str,
    baseline: Real | tuple[str, Real] | None = None,
) -> Picture:
    """Draw one bar for each label, from zero to its value.

    A value is a number, or ``(value, low, high)``: a whisker spans low to high. ``baseline`` is a
    dashed line across that says what nothing at all would score, such as ``("chance", 0.5)``.
    ``title`` is the finding or the question; ``ylabel`` names quantity and unit.
    """
    if not values:
        raise ValueError("values is empty: give at least one bar, as {label: number}.")
    with styled():
        figure = new_figure(3.8)
        axes = figure.subplots()
        tops = []
        for position, (label, value) in enumerate(values.items()):
            height, low, high = with_interval(value, f"The bar {label!r}")
            if height.ndim != 0:
                raise ValueError(f"The bar {label!r} has shape {height.shape}; give one number.")
            axes.bar(position, height, width=0.66, color=COLOURS["blue"])
            end = float(height)
            if low is not None:
                axes.vlines(position, low, high, color=INK, linewidth=1.6)
                end = float(high if height >= 0 else low)
            tops.append(end)
            axes.annotate(
                _short(float(height)),
                (position, end),
                xytext=(0, 4 if height >= 0 else -4),
                textcoords="offset points",
                ha="center",
                va="bottom" if height >= 0 else "top",
                fontsize=9.5,
            )
        if baseline is not None:
            name, level = baseline if isinstance(baseline, tuple) else (None, baseline)
            axes.axhline(level, color=COLOURS["vermilion"], linewidth=1.4, linestyle=(0, (4, 3)), label=name)
            if name:
                figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left")
        room = max(8, 84 // len(values))
        axes.set_xticks(range(len(values)), [textwrap.fill(label, room) for label in values])
        axes.tick_params(axis="x", length=0)
        axes.set_xlim(-0.6, len(values) - 0.4)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.margins(y=0.12)
        if np.nanmin(tops) >= 0:
            axes.set_ylim(bottom=0)
        if max(map(abs, axes.get_ylim())) >= 10_000:
            axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_ylabel(ylabel)
        axes.grid(axis="y")
        axes.set_title(over_axes(title))
        return Picture(figure, alt, title=title)


def _short(value: float) -> str:
    """Three significant digits, thousands grouped, minus as a minus."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", "−")
