"""A line for each thing and a mark for each way to measure it: many comparisons under one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, FAINT, new_figure, styled, wrapped

MOST_ROWS = 70
_MARKERS = ("o", "x", "|", "^", "D")


def dots(
    rows: Mapping[str, Sequence[str]],
    marks: Mapping[str, object],
    *,
    title: str,
    xlabel: str,
    alt: str,
    level: tuple[str, float] | None = None,
) -> Picture:
    """``rows``: labels in groups, with the group's heading as the key. ``marks``: for each way to measure one number a
    label, in the order in which the groups list them. Marks differ in shape and colour. ``level``: a line from top to
    bottom with a name. Not-a-number is left out.
    """
    labels = [label for group in rows.values() for label in group]
    if not labels or len(labels) > MOST_ROWS:
        raise ValueError(f"{len(labels)} labels; between 1 and {MOST_ROWS} can be shown.")
    if len(marks) > len(_MARKERS):
        raise ValueError(f"{len(marks)} kinds of marks cannot be told apart; show {len(_MARKERS)} or fewer.")
    numbers = {name: to_array(values, f"The marks {name!r}") for name, values in marks.items()}
    for name, values in numbers.items():
        if values.shape != (len(labels),):
            raise ValueError(f"The marks {name!r} have shape {values.shape}; there are {len(labels)} labels.")
    places, y = [], 0.0
    with styled():
        figure = new_figure(1.25 + 0.165 * (len(labels) + 1.3 * len(rows)))
        axes = figure.subplots()
        ticks = []
        for heading, group in rows.items():
            ticks.append((y, heading, True))
            y += 1.0
            for label in group:
                ticks.append((y, label, False))
                places.append(y)
                y += 1.0
            y += 0.3
        axes.hlines(places, 0, 1, color=FAINT, linewidth=0.5)
        for (name, values), marker, colour in zip(numbers.items(), _MARKERS, COLOURS.values()):
            axes.plot(values, places, marker, color=colour, label=name, markersize=5.5, markeredgewidth=1.5)
        if level is not None:
            axes.axvline(
                level[1], color=COLOURS["grey"], linewidth=1.2, linestyle=(0, (4, 3)), label=level[0]
            )
        axes.set_yticks([place for place, _, _ in ticks], [text for _, text, _ in ticks], fontsize=8)
        for tick, (_, _, heading) in zip(axes.get_yticklabels(), ticks):
            tick.set_weight("bold" if heading else "normal")
        axes.tick_params(axis="y", length=0)
        axes.set(xlim=(-0.02, 1.02), ylim=(y - 0.3, -0.8), xlabel=xlabel)
        figure.suptitle(wrapped(title), x=0.02, ha="left", weight="bold", fontsize=11.5)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=3)
        return Picture(figure, alt, title=title)
