"""What is won against what is lost: one path a method, from dose to dose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real

from mi_course.plots.numbers import with_interval
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, INK, new_figure, outlined, over_axes, styled

_DASHES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
_SIDES = ((1, 1), (-1, -1), (1, -1), (-1, 1))
"""Right and left, above and below: where each path's names stand, so that those of two paths can be told apart."""

MOST_PATHS = len(COLOURS)


def trade_off(
    paths: Mapping[str, Sequence[tuple[str, object, object]]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    alt: str,
    points: Mapping[str, tuple[Real, Real]] | None = None,
) -> Picture:
    """Draw one path for each label, through its steps ``(name, x, y)`` in the order in which they are given.

    ``name`` is written beside the step ("2×"); an empty one is not. ``x`` and ``y`` are numbers, or ``(value, low,
    high)`` with whiskers from low to high: say in the labels what they are. ``points``: places to compare with, as
    stars. Of two paths, the better one at the same x is the one that wins; the steps of different paths need not
    correspond.
    """
    if not paths or not all(paths.values()):
        raise ValueError("paths is empty: give at least one path with one step, {label: [(name, x, y)]}.")
    if len(paths) > MOST_PATHS:
        raise ValueError(f"{len(paths)} paths cannot be told apart; show {MOST_PATHS} or fewer.")
    with styled():
        figure = new_figure(4.2)
        axes = figure.subplots()
        for number, (label, steps) in enumerate(paths.items()):
            colour = list(COLOURS.values())[number]
            places = []
            for name, *sides in steps:
                (x, *x_range), (y, *y_range) = (
                    with_interval(side, f"{label!r} at {name!r}") for side in sides
                )
                if x.ndim or y.ndim:
                    raise ValueError(f"{label!r} at {name!r}: give one number for x and one for y.")
                x, y = float(x), float(y)
                places.append((x, y))
                if x_range[0] is not None:
                    axes.hlines(y, *map(float, x_range), color=colour, linewidth=1, alpha=0.5)
                if y_range[0] is not None:
                    axes.vlines(x, *map(float, y_range), color=colour, linewidth=1, alpha=0.5)
                if name:
                    outlined(_beside(axes, name, (x, y), _SIDES[number % len(_SIDES)]))
            axes.plot(
                *zip(*places),
                color=colour,
                label=label,
                linestyle=_DASHES[number % len(_DASHES)],
                marker=_MARKERS[number],
            )
        for name, (x, y) in (points or {}).items():
            axes.plot(x, y, color=INK, marker="*", markersize=11, linestyle="none", label=name)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        axes.margins(0.08)
        axes.grid()
        axes.set_title(over_axes(title))
        if len(paths) > 1 or points:
            figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=3)
        return Picture(figure, alt, title=title)


def _beside(axes, name: str, place: tuple[float, float], side: tuple[int, int]):
    right, above = side
    return axes.annotate(
        name,
        place,
        xytext=(5 * right, 5 * above),
        textcoords="offset points",
        ha="left" if right > 0 else "right",
        va="bottom" if above > 0 else "top",
        fontsize=8.5,
    )
