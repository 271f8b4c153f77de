"""A grid of pixels to click: each click turns ink into paper or paper into ink."""

from __future__ import annotations

import ipywidgets
import traitlets
from jaxtyping import Float
from torch import Tensor

HALF_INK = 0.5


def flip(image: Float[Tensor, "height width"], flipped: tuple) -> Float[Tensor, "height width"]:
    """The image with the pixels at these (row, column) places turned: ink to paper, paper to full ink."""
    turned = image.clone()
    for row, column in flipped:
        turned[row, column] = 0.0 if image[row, column] >= HALF_INK else 1.0
    return turned


class PixelGrid(ipywidgets.GridBox):
    """Shows an image of ink (0 to 1); ``value`` is the tuple of (row, column) places that were flipped.

    Every pixel is a button, so the grid can be used by mouse and by keyboard (Tab, then Enter).
    """

    value = traitlets.Tuple()
    description = traitlets.Unicode("Pixels")

    def __init__(self, image: Float[Tensor, "height width"]):
        height, width = image.shape
        # With a line around every pixel, an empty page can be seen on a white screen as well as on a dark one.
        line = "1px solid #8A8F98"
        layout = {"width": "25px", "height": "25px", "margin": "0", "padding": "0", "border": line}
        self._places = [(row, column) for row in range(height) for column in range(width)]
        self._buttons = [ipywidgets.Button(layout=layout) for _ in self._places]
        for place, button in zip(self._places, self._buttons):
            button.on_click(lambda _, place=place: self._toggle(place))
        super().__init__(
            self._buttons,
            layout=ipywidgets.Layout(
                grid_template_columns=f"repeat({width}, 25px)",
                grid_gap="0px",
                width=f"{25 * width + 4}px",
            ),
        )
        self.add_class("mi-pixel-grid")
        self.show(image)

    def show(self, image: Float[Tensor, "height width"]) -> None:
        """Put another image of the same size into the grid, with nothing flipped."""
        self._image = image
        self.value = ()
        self._paint()

    def _toggle(self, place: tuple[int, int]) -> None:
        flipped = set(self.value) ^ {place}
        self.value = tuple(sorted(flipped))
        self._paint()

    def _paint(self) -> None:
        for (row, column), button, ink in zip(
            self._places, self._buttons, flip(self._image, self.value).flatten().tolist()
        ):
            grey = round(255 * (1 - ink))
            button.style.button_color = f"#{grey:02x}{grey:02x}{grey:02x}"
            button.tooltip = f"row {row}, column {column}: ink {ink:.2f}; press to flip"
