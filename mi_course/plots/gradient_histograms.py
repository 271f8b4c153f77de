"""Histograms of edge directions, drawn as little stars: what a HOG pipeline sees of a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, WIDTH, new_figure, styled, wrapped


def gradient_histograms(
    grids, titles: Sequence[str], *, title: str, alt: str, pictures: Sequence | None = None
) -> Picture:
    """Each cell as a star with one line per direction, the longer the larger its number.

    ``grids``: each "row column direction", directions of the *gradient* from 0 to 180 degrees; lines
    are drawn along the edge, at right angles to the gradient. Positive numbers are blue, negative
    ones orange and dotted. ``pictures``: grey images to show in front, one for each grid or None.
    """
    grids = [to_array(grid, "a grid") for grid in grids]
    shown = [None] * len(grids) if pictures is None else list(pictures)
    if not len(grids) == len(titles) == len(shown):
        raise ValueError(
            f"{len(grids)} grids, {len(titles)} titles and {len(shown)} pictures: give one of each, None for "
            "no picture."
        )
    panels = []
    for picture, grid, name in zip(shown, grids, titles):
        if picture is not None:
            panels.append(("picture", to_array(picture, "a picture"), "what the camera saw"))
        panels.append(("stars", grid, name))
    with styled():
        figure = new_figure(WIDTH / len(panels) + 0.7)
        for axes, (kind, values, name) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
            if kind == "picture":
                axes.imshow(values, cmap="gray", vmin=0, vmax=1)
            else:
                _stars(axes, values)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_title(name, fontsize=9.5, weight="normal", loc="center")
        figure.suptitle(wrapped(title), x=0.02, ha="left", weight="bold", fontsize=11.5)
        return Picture(figure, alt, title=title)


def _stars(axes, grid: np.ndarray) -> None:
    from matplotlib.collections import LineCollection

    rows, columns, directions = grid.shape
    row, column, number = np.indices(grid.shape)
    edge = np.pi * (number + 0.5) / directions + np.pi / 2
    half = 0.48 * np.abs(grid) / (np.abs(grid).max() or 1.0)
    dx, dy = half * np.cos(edge), -half * np.sin(edge)
    ends = np.stack([column - dx, row - dy, column + dx, row + dy], axis=-1).reshape(
        rows, columns, directions, 2, 2
    )
    for chosen, colour, dashes in ((grid >= 0, "blue", "-"), (grid < 0, "vermilion", ":")):
        axes.add_collection(
            LineCollection(ends[chosen], colors=COLOURS[colour], linestyles=dashes, linewidths=1.4)
        )
    axes.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6), aspect="equal")
