"""An optimised image beside the curve of its ascent."""

from __future__ import annotations

from mi_course.plots.numbers import to_array
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, WIDTH, new_figure, styled, wrapped


def ascent_panel(image, curve, *, reached: float, title: str, alt: str) -> Picture:
    """Left the image ("3 height width" in [0, 1]); right the activation at every step ("step").

    ``reached``: what the finished image gives when it stands still, as a dotted line.
    """
    with styled():
        figure = new_figure(WIDTH * 0.42)
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.35))
        left.imshow(to_array(image, "the image").transpose(1, 2, 0), interpolation="nearest")
        left.set(xticks=[], yticks=[])
        values = to_array(curve, "the curve")
        right.plot(range(1, len(values) + 1), values, color=COLOURS["blue"], label="in the view of this step")
        right.axhline(reached, color=COLOURS["vermilion"], linestyle=":", label="finished image")
        right.set(xlabel="step", ylabel="activation")
        right.legend(loc="lower right", fontsize=8.5)
        figure.suptitle(wrapped(title), x=0.02, ha="left", weight="bold", fontsize=11.5)
        return Picture(figure, alt, title=title)
