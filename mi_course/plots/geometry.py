"""Directions of features in a plane, one small drawing a network, and how much each is heard along each other's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real

import numpy as np

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import (
    COLOURS,
    DIVERGING,
    FAINT,
    INK,
    ink_on,
    new_figure,
    short_number,
    styled,
    wrapped,
)

MOST_IN_A_ROW = 6


def geometry(
    networks: Mapping[str, object],
    *,
    title: str,
    alt: str,
    names: Sequence[str] | None = None,
    columns: int = 5,
    limit: Real | None = None,
) -> Picture:
    """Each network's directions as rays from the middle of a drawing of its own.

    ``networks``: "feature 2" by label, which stands above the drawing. ``names`` of features, written at their tips;
    their numbers if there are none. Features keep their colour from drawing to drawing. The ring has radius 1. All
    drawings have the same scale, up to ``limit``, by default what the longest direction needs.
    """
    drawn = {label: _in_the_plane(W, label) for label, W in networks.items()}
    if not drawn:
        raise ValueError("networks is empty: give at least one, as {label: directions}.")
    if not 1 <= columns <= MOST_IN_A_ROW:
        raise ValueError(f"columns={columns}: give 1 to {MOST_IN_A_ROW}.")
    limit = limit or _limit(*drawn.values())
    rows = -(-len(drawn) // columns)
    with styled():
        figure = new_figure(0.5 + 7.3 / columns * rows + 0.15 * rows)
        figure.suptitle(wrapped(title), x=0.02, ha="left", weight="bold", fontsize=11.5)
        grid = figure.subplots(rows, columns, squeeze=False).flatten()
        for axes, (label, W) in zip(grid, drawn.items()):
            _rays(axes, W, names, limit)
            axes.set_title(label, loc="center", fontsize=9.5, weight="normal", pad=3)
        for axes in grid[len(drawn) :]:
            axes.set_axis_off()
        return Picture(figure, alt, title=title)


def geometry_panel(
    W,  # noqa: N803
    *,
    title: str,
    alt: str,
    names: Sequence[str] | None = None,
    limit: Real | None = None,
) -> Picture:
    """One network: its directions in the plane on the left, the table of their products on the right.

    ``W``: "feature 2". Row i and column j of the table say how much of feature j is heard along the direction of
    feature i: ``w_i · w_j``, red above 0, blue below. With a perfect memory it would be 1 on the diagonal and 0
    elsewhere.
    """
    W = _in_the_plane(W, "W")
    names = _names(names, len(W))
    products = W @ W.T
    with styled():
        figure = new_figure(
            3.8, layout="none"
        )  # a slider redraws it: finding a layout would take as long as drawing
        figure.text(0.02, 0.965, wrapped(title), va="top", weight="bold", fontsize=11.5)
        left, right = figure.add_axes((0.02, 0.06, 0.4, 0.79)), figure.add_axes((0.54, 0.14, 0.39, 0.72))
        _rays(left, W, names, limit or _limit(W))
        image = right.imshow(products, cmap=DIVERGING, vmin=-1.5, vmax=1.5)
        for (row, column), value in np.ndenumerate(products):
            ink = ink_on(image.cmap(image.norm(value)))
            words = short_number(round(value, 2) + 0.0)
            right.text(column, row, words, ha="center", va="center", fontsize=8, color=ink, in_layout=False)
        right.set_xticks(range(len(W)), names)
        right.set_yticks(range(len(W)), names)
        right.spines[:].set_visible(False)
        right.tick_params(length=0)
        right.set(xlabel="one unit of this feature …", ylabel="… is heard as so much of this one")
        return Picture(figure, alt, title=title)


def _rays(axes, W: np.ndarray, names: Sequence[str] | None, limit: Real) -> None:  # noqa: N803
    from matplotlib.patches import Circle

    colours = list(COLOURS.values())
    axes.add_patch(Circle((0, 0), 1, fill=False, edgecolor=FAINT, linewidth=0.8))
    for number, ((x, y), name) in enumerate(zip(W, _names(names, len(W)))):
        colour = colours[number % len(colours)]
        axes.plot([0, x], [0, y], color=colour, linewidth=1.6)
        axes.plot([x], [y], color=colour, marker="o", markersize=4.5)
        length = max(float(np.hypot(x, y)), 1e-9)
        if length > 0.3:  # what is given up lies in the middle; numbers on top of one another say nothing
            out = (1 + 0.17 * limit / length) * np.array([x, y])
            axes.text(*out, name, ha="center", va="center", fontsize=8, color=INK, in_layout=False)
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set_visible(False)


def _in_the_plane(W, label: str) -> np.ndarray:  # noqa: N803
    W = to_array(W, f"The network {label!r}")
    if W.ndim != 2 or W.shape[1] != 2:
        raise ValueError(
            f"The network {label!r} has directions of shape {W.shape}; only those in two dimensions, (features, 2), "
            "can be drawn in a plane."
        )
    return W


def _names(names: Sequence[str] | None, n: int) -> Sequence[str]:
    if names is not None and len(names) != n:
        raise ValueError(f"{len(names)} names for {n} features.")
    return [str(number) for number in range(n)] if names is None else names


def _limit(*drawn: np.ndarray) -> float:
    return 1.3 * max(1.0, *(float(np.hypot(*W.T).max(initial=0)) for W in drawn))
