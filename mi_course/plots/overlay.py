"""A map laid over the picture it belongs to: where a network looks, what a unit sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import DIVERGING, WIDTH, new_figure, styled, wrapped


def overlay(
    images,
    maps,
    titles: Sequence[str],
    *,
    title: str,
    unit: str,
    alt: str,
    margin: float = 0.0,
) -> Picture:
    """Each picture above the same picture with its signed map over it; one colour scale for all.

    ``images``: pictures "3 height width" in [0, 1]. ``maps``: for each, numbers on a grid of any size,
    stretched over the picture; ``margin`` is the width, as a share of the picture, of the border that
    the grid does not reach. Red is positive, blue negative, and the paler the nearer to zero.
    """
    pictures = [to_array(image, "an image").transpose(1, 2, 0) for image in images]
    grids = [to_array(grid, "a map") for grid in maps]
    if not 0 < len(pictures) == len(grids) == len(titles):
        raise ValueError(
            f"{len(pictures)} images, {len(grids)} maps and {len(titles)} titles: give one of each."
        )
    limit = max(float(np.abs(grid).max()) for grid in grids) or 1.0
    with styled():
        figure = new_figure(2 * WIDTH / (len(pictures) + 0.6) + 0.7)
        columns = figure.subplots(2, len(pictures), squeeze=False).T
        for (plain, covered), picture, grid, name in zip(columns, pictures, grids, titles):
            ratio = picture.shape[0] / picture.shape[1]
            for axes in (plain, covered):
                axes.imshow(picture, extent=(0, 1, 0, 1), aspect=ratio, interpolation="nearest")
                axes.set_axis_off()
            inner = (margin, 1 - margin, margin, 1 - margin)
            shown = covered.imshow(
                grid, cmap=DIVERGING, vmin=-limit, vmax=limit, extent=inner, aspect=ratio, alpha=0.75
            )
            covered.set(xlim=(0, 1), ylim=(0, 1))
            plain.set_title(name, fontsize=9.5, weight="normal", loc="center")
        bar = figure.colorbar(shown, ax=columns[:, 1].tolist(), label=unit, shrink=0.9)
        bar.outline.set_visible(False)
        figure.suptitle(wrapped(title), x=0.02, ha="left", weight="bold", fontsize=11.5)
        return Picture(figure, alt, title=title)
