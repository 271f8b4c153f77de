"""One unit of the second layer: the filters that excite and inhibit it, and its tuning curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, INK, new_figure, short_number, styled, wrapped

_LINES = {"measured": ("blue", "-", "o"), "predicted from weights": ("vermilion", "--", "s")}
_MORE = (("green", "-.", "^"), ("purple", ":", "D"))


def tuning_panel(
    excites: Sequence[tuple[object, float]],
    inhibits: Sequence[tuple[object, float]],
    orientations: Sequence[float | int],
    curves: Mapping[str, object],
    *,
    title: str,
    alt: str,
) -> Picture:
    """Filters on the left, each with its net weight; response by orientation on the right.

    ``excites`` and ``inhibits``: up to four pairs (filter "3 height width" in [0, 1], net weight), strongest first.
    ``curves``: one number an orientation for each label, at most four labels. Responses are in the unit's own
    scale, and the axis begins at 0: what lies below it, the ReLU has set to 0.
    """
    if not 1 <= len(curves) <= 4:
        raise ValueError(f"{len(curves)} curves: show one to four.")
    if max(len(excites), len(inhibits)) > 4:
        raise ValueError("Show at most four filters a row: more cannot be made out.")
    with styled():
        figure = new_figure(3.9, layout="none")
        figure.text(0.02, 0.965, wrapped(title), va="top", weight="bold", fontsize=11.5)
        for row, (name, filters) in enumerate((("excited by", excites), ("inhibited by", inhibits))):
            bottom = 0.49 - 0.37 * row
            figure.text(0.02, bottom + 0.255, name, fontsize=9.5, color=INK)
            for place, (picture, weight) in enumerate(filters):
                axes = figure.add_axes((0.02 + 0.105 * place, bottom, 0.095, 0.18))
                axes.imshow(to_array(picture, "the filter").transpose(1, 2, 0), interpolation="nearest")
                axes.set(xticks=[], yticks=[])
                axes.set_title(
                    ("+" if weight > 0 else "") + short_number(float(weight)),
                    fontsize=8.5,
                    weight="normal",
                    loc="center",
                    pad=2,
                )
            if not filters:
                figure.text(0.02, bottom + 0.1, "no channel", fontsize=9, color=INK)
        axes = figure.add_axes((0.53, 0.27, 0.45, 0.56))
        others = iter(_MORE)
        for label, values in curves.items():
            colour, dash, marker = _LINES.get(label) or next(others)
            axes.plot(
                to_array(list(orientations), "orientations"),
                to_array(values, label),
                color=COLOURS[colour],
                linestyle=dash,
                marker=marker,
                label=label,
            )
        axes.set(xlabel="orientation of the stripes (degrees)", ylabel="response", xticks=range(0, 181, 45))
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        figure.legend(*axes.get_legend_handles_labels(), loc="lower right", ncols=2, fontsize=8.5)
        return Picture(figure, alt, title=title)
