"""One first-layer filter and what it does to one photograph, side by side."""

from __future__ import annotations

import numpy as np

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import DIVERGING, SEQUENTIAL, WIDTH, new_figure, styled, wrapped


def filter_panel(photograph, weights, spectrum, response, *, title: str, alt: str) -> Picture:
    """Four panels: the photograph, the filter, its spectrum, and its response before the ReLU.

    ``photograph`` and ``weights``: "3 height width" in [0, 1]. ``spectrum``: energy by frequency, zero in
    the middle, axes from −0.5 to 0.5 cycles per pixel. ``response``: one number a position, signed; what
    is blue the ReLU sets to zero.
    """
    with styled():
        figure = new_figure(WIDTH / 4 + 0.9)
        axes = figure.subplots(1, 4)
        label = {"fontsize": 9.5, "weight": "normal", "loc": "center"}
        axes[0].imshow(to_array(photograph, "the photograph").transpose(1, 2, 0))
        axes[0].set_title("photograph", **label)
        axes[1].imshow(to_array(weights, "the filter").transpose(1, 2, 0), interpolation="nearest")
        axes[1].set_title("filter", **label)
        axes[2].imshow(
            np.sqrt(to_array(spectrum, "the spectrum")), cmap=SEQUENTIAL, extent=(-0.5, 0.5, 0.5, -0.5)
        )
        axes[2].set_title("spectrum", **label)
        axes[2].set(xticks=[-0.5, 0, 0.5], yticks=[-0.5, 0, 0.5], xlabel="cycles/pixel")
        values = to_array(response, "the response")
        limit = float(np.abs(values).max()) or 1.0
        axes[3].imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, interpolation="nearest")
        axes[3].set_title("response", **label)
        for panel in (axes[0], axes[1], axes[3]):
            panel.set_xticks([])
            panel.set_yticks([])
        figure.suptitle(wrapped(title), x=0.02, ha="left", weight="bold", fontsize=11.5)
        return Picture(figure, alt, title=title)
