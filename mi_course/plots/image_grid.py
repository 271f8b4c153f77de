"""Many small images side by side: filters, feature maps, photographs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import DOTS_PER_INCH, Picture
from mi_course.plots.style import DIVERGING, FAINT, INK, SEQUENTIAL, WIDTH, new_figure, styled, wrapped

_GAP = 0.06  # inches between two images
_TEXT = 0.19  # inches for one line of an image's title
_MARGIN = 0.12


def image_grid(
    images,
    titles: Sequence[str] | None = None,
    *,
    columns: int = 8,
    title: str,
    alt: str,
    kind: Literal["picture", "map", "signed map"] = "picture",
    unit: str = "",
    scale: Literal["shared", "each"] = "shared",
) -> Picture:
    """Lay images out in rows of ``columns``.

    ``images`` is a tensor or array "n 3 height width" or "n height width", or a list of images of
    any sizes, each "3 height width" (colour) or "height width" (one number a pixel). Small images are
    enlarged without smoothing, so that every pixel of a filter can be counted.

    ``kind`` says what the numbers are:

    - "picture": light, from 0 (black) to 1 (white or full colour);
    - "map": one number a pixel, zero or more, dark blue to yellow: how strongly a unit responds where;
    - "signed map": one number a pixel, white at zero, red positive, blue negative.

    Maps have one colour scale for all images, with its bar and ``unit``; ``scale="each"`` stretches
    every image to its own range instead: shapes can then be compared, strengths cannot.
    ``titles`` are short, one for each image.
    """
    pictures = [_checked(image, index, kind) for index, image in enumerate(_listed(images))]
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"There are {len(titles)} titles for {len(pictures)} images; give one for each.")
    columns = max(1, min(columns, len(pictures)))
    limits = [float(np.nanmax(np.abs(picture), initial=0)) or 1.0 for picture in pictures]
    with_bar = kind != "picture" and scale == "shared"

    bar_room = 1.0 if with_bar else 0.0
    cell = min((WIDTH - 2 * _MARGIN - bar_room + _GAP) / columns - _GAP, 3.4)
    row_heights = [
        min(cell * max(picture.shape[-2] / picture.shape[-1] for picture in row), 4.5)
        for row in (pictures[first : first + columns] for first in range(0, len(pictures), columns))
    ]
    words = [wrapped(str(text), max(4, 92 // columns)) for text in titles or ()]
    lines = max((text.count("\n") + 1 for text in words), default=0)
    text_height = lines * _TEXT + (0.04 if lines else 0)
    heading = wrapped(title)
    top = _MARGIN + 0.24 * (heading.count("\n") + 1)
    height = top + sum(row_heights) + len(row_heights) * (text_height + _GAP) + _MARGIN

    with styled():
        figure = new_figure(height, layout="none")
        figure.text(_MARGIN / WIDTH, 1 - _MARGIN / height, heading, va="top", weight="bold", fontsize=11.5)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        for index, picture in enumerate(pictures):
            row, column = divmod(index, columns)
            left = _MARGIN + column * (cell + _GAP)
            bottom = height - top - sum(row_heights[: row + 1]) - (row + 1) * text_height - row * _GAP
            limit = limits[index] if scale == "each" else max(limits)
            shown = _draw(axes, picture, (left, bottom, cell, row_heights[row]), kind, limit)
            if words:
                axes.text(
                    left + cell / 2,
                    bottom + row_heights[row] + 0.03,
                    words[index],
                    ha="center",
                    va="bottom",
                    fontsize=8.5 if columns < 10 else 7.5,
                )
        axes.set(xlim=(0, WIDTH), ylim=(0, height))
        if with_bar:
            bar_height = min(height - top - text_height - 2 * _MARGIN, 3.0)
            bar_bottom = height - top - text_height - bar_height
            where = (1 - (bar_room - 0.12) / WIDTH, bar_bottom / height, 0.016, bar_height / height)
            bar = figure.colorbar(shown, cax=figure.add_axes(where), label=unit)
            bar.outline.set_visible(False)
            bar.ax.tick_params(labelsize=8.5)
        return Picture(figure, alt, title=title)


def _listed(images) -> list:
    images = list(images)
    if not images:
        raise ValueError("images is empty: give at least one image.")
    if to_array(images[0], "image 0").ndim == 1:
        raise ValueError("images is one grey image; put it into a list: [image].")
    return images


def _checked(image, index: int, kind: str) -> np.ndarray:
    array = to_array(image, f"image {index}")
    colour = array.ndim == 3 and array.shape[0] == 3
    if not (colour or array.ndim == 2) or 0 in array.shape:
        hint = " The channels come first: use image.permute(2, 0, 1)." if array.shape[-1:] == (3,) else ""
        raise ValueError(
            f"image {index} has shape {tuple(array.shape)}; "
            f"give (3, height, width) for colour or (height, width) for grey.{hint}"
        )
    if kind == "picture":
        low, high = np.nanmin(array), np.nanmax(array)
        if low < -1e-6 or high > 1 + 1e-6:
            raise ValueError(
                f"image {index} runs from {low:.3g} to {high:.3g}, but a picture runs from 0 to 1. "
                'Rescale it; or, if its numbers are responses or weights, say kind="map" or "signed map".'
            )
        return np.clip(np.nan_to_num(array), 0, 1)
    if colour:
        raise ValueError(
            f"image {index} has three channels, but a {kind} has one number a pixel. "
            "Show one channel, or rescale to [0, 1] and show it as a picture."
        )
    if kind == "map" and np.nanmin(array) < 0:
        raise ValueError(f'image {index} goes down to {np.nanmin(array):.3g}; use kind="signed map" for it.')
    return array


def _draw(axes, picture: np.ndarray, box: tuple[float, float, float, float], kind: str, limit: float):
    """Draw one image, centred in its box of inches (left, bottom, width, height), in its own proportions."""
    from matplotlib.patches import Rectangle

    left, bottom, room, height_room = box
    rows, columns = picture.shape[-2:]
    width = min(room, height_room * columns / rows)
    height = width * rows / columns
    left, bottom = left + (room - width) / 2, bottom + (height_room - height) / 2
    enlarged = columns < width * DOTS_PER_INCH
    if kind == "picture":
        colouring = {} if picture.ndim == 3 else {"cmap": "gray", "vmin": 0, "vmax": 1}
    elif kind == "map":
        colouring = {"cmap": SEQUENTIAL, "vmin": 0, "vmax": limit}
    else:
        colouring = {"cmap": DIVERGING, "vmin": -limit, "vmax": limit}
    shown = axes.imshow(
        picture.transpose(1, 2, 0) if picture.ndim == 3 else picture,
        extent=(left, left + width, bottom, bottom + height),
        aspect="auto",
        interpolation="nearest" if enlarged else "hanning",
        interpolation_stage="data",
        **colouring,
    )
    frame = INK if kind == "picture" else FAINT
    axes.add_patch(Rectangle((left, bottom), width, height, fill=False, edgecolor=frame, linewidth=0.4))
    return shown
