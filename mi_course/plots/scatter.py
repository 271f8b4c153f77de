"""Points in the plane, in groups that can be told apart without colour."""

from __future__ import annotations

from collections.abc import Mapping

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, INK, new_figure, over_axes, styled

_MARKERS = ("o", "x", "^", "D")


def scatter(
    groups: Mapping[str, tuple],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    alt: str,
    thresholds: tuple[float | None, float | None] = (None, None),
    diagonal: bool = False,
) -> Picture:
    """One point for each pair (x, y) of each group ``{label: (x, y)}``.

    ``thresholds``: a value on x and one on y to mark by dashed lines, or None. ``diagonal``: a dashed line where x
    and y are equal, for two measurements of the same thing.
    """
    if not 1 <= len(groups) <= len(_MARKERS):
        raise ValueError(f"{len(groups)} groups: show between 1 and {len(_MARKERS)}.")
    with styled():
        figure = new_figure(4.2)
        axes = figure.subplots()
        for (label, (x, y)), colour, marker in zip(groups.items(), COLOURS.values(), _MARKERS):
            axes.scatter(
                to_array(x, label), to_array(y, label), c=colour, marker=marker, s=26, alpha=0.8, label=label
            )
        for value, line in zip(thresholds, (axes.axvline, axes.axhline)):
            if value is not None:
                line(value, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        if diagonal:
            axes.axline((0, 0), slope=1, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.set(xlabel=xlabel, ylabel=ylabel)
        axes.set_title(over_axes(title))
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=4)
        return Picture(figure, alt, title=title)
