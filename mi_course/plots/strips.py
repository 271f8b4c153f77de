"""Every single value, in one strip of dots for each group, with lines at levels that have a name."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real

import numpy as np

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, FAINT, INK, new_figure, over_axes, styled


def strips(
    groups: Mapping[str, object],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    alt: str,
    levels: Mapping[str, Real] | None = None,
) -> Picture:
    """One dot a value, groups side by side. Dots of one group are spread sideways, in their order, to be told apart.

    ``groups``: numbers by label; a group may be empty. ``levels``: a line across at each, with its name at the right.
    Where a mean would say "0.47", strips show whether the values are all alike or of two kinds.
    """
    if not groups:
        raise ValueError("groups is empty: give at least one, as {label: numbers}.")
    with styled():
        figure = new_figure(4.2)
        axes = figure.subplots()
        for place, (label, values) in enumerate(groups.items()):
            values = to_array(values, f"The group {label!r}").flatten()
            aside = np.linspace(-0.32, 0.32, len(values)) if len(values) > 1 else np.zeros(len(values))
            axes.plot(
                place + aside,
                values,
                "o",
                color=COLOURS["blue"],
                markersize=3.5,
                alpha=0.75,
                markeredgewidth=0,
            )
        for name, level in (levels or {}).items():
            axes.axhline(level, color=FAINT, linewidth=1, zorder=0)
            axes.text(
                1.01, level, name, transform=axes.get_yaxis_transform(), va="center", fontsize=8.5, color=INK
            )
        axes.set_xticks(range(len(groups)), list(groups))
        axes.set_xlim(-0.6, len(groups) - 0.4)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        axes.set_title(over_axes(title))
        return Picture(figure, alt, title=title)
