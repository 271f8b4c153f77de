"""What happens in each of many worlds, over two quantities that set them apart, with the border that a theory draws."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import DIVERGING, INK, new_figure, styled, wrapped

_DASHES = ("-", "--", ":")


def phase_diagram(
    x,
    y,
    values,
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    unit: str,
    alt: str,
    borders: Mapping[str, object] | None = None,
) -> Picture:
    """Colour a cell for each pair of an ``x`` and a ``y``, ``values[y, x]`` from −1 (blue) over 0 (white) to 1 (red).

    Both axes are logarithmic, so x and y must be above 0 and rise. ``borders``: lines by label, each a pair (x, y) of
    equally long rows of numbers.
    """
    x, y, values = to_array(x, "x"), to_array(y, "y"), to_array(values, "values")
    if values.shape != (len(y), len(x)):
        raise ValueError(f"values has shape {values.shape}, but there are {len(y)} y and {len(x)} x.")
    for name, along in (("x", x), ("y", y)):
        if len(along) < 2 or along[0] <= 0 or (np.diff(along) <= 0).any():
            raise ValueError(f"{name} must hold two or more rising numbers above 0.")
    from matplotlib.ticker import LogLocator

    with styled():
        figure = new_figure(4.4)
        axes = figure.subplots()
        mesh = axes.pcolormesh(_edges(x), _edges(y), values, cmap=DIVERGING, vmin=-1, vmax=1)
        for (label, (along, height)), dash in zip((borders or {}).items(), _DASHES):
            axes.plot(to_array(along, label), to_array(height, label), color=INK, linestyle=dash, label=label)
        axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        axes.set_xlim(_edges(x)[0], _edges(x)[-1])
        axes.set_ylim(_edges(y)[0], _edges(y)[-1])
        axes.set_title(wrapped(title, 68))
        bar = figure.colorbar(mesh, ax=axes, label=unit, fraction=0.05, pad=0.02)
        bar.outline.set_visible(False)
        if borders:
            figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=3)
        return Picture(figure, alt, title=title)


def _edges(centres: np.ndarray) -> np.ndarray:
    """Between the cells, half way on a logarithmic scale."""
    logs = np.log(centres)
    middle = (logs[1:] + logs[:-1]) / 2
    return np.exp(np.concatenate([[2 * logs[0] - middle[0]], middle, [2 * logs[-1] - middle[-1]]]))
