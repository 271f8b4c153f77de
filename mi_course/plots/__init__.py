"""Figures with alt text, in one style. Every function returns a Picture, which shows itself.

picture      a figure with its words
style        colours, fonts, the light panel; `use_style()` for figures of your own
image_grid   many small images side by side
heatmap      a table of numbers as coloured cells
curves       curves with bands of uncertainty
bars         bars with whiskers
scatter      points in groups
overlay      maps laid over the pictures they belong to
"""

from mi_course.plots.bars import bars
from mi_course.plots.curves import curves
from mi_course.plots.heatmap import heatmap
from mi_course.plots.image_grid import image_grid
from mi_course.plots.overlay import overlay
from mi_course.plots.picture import Picture
from mi_course.plots.scatter import scatter
from mi_course.plots.style import COLOURS, DIVERGING, SEQUENTIAL, use_style

__all__ = [
    "COLOURS",
    "DIVERGING",
    "SEQUENTIAL",
    "Picture",
    "bars",
    "curves",
    "heatmap",
    "image_grid",
    "overlay",
    "scatter",
    "use_style",
]
