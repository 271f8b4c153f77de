"""A picture as it is drawn, to be measured in the pixels of its PNG."""

from matplotlib.backends.backend_agg import FigureCanvasAgg

from mi_course.plots.picture import DOTS_PER_INCH
from mi_course.plots.style import styled


def renderer_of(picture):
    """Draw the picture, and return what its parts can be measured with (`get_window_extent`)."""
    picture.figure.dpi = DOTS_PER_INCH
    canvas = FigureCanvasAgg(picture.figure)
    with styled():
        canvas.draw()
    return canvas.get_renderer()
