"""Figures with alt text, in one style. Every function returns a Picture, which shows itself.

picture            a figure with its words
pictures           several of them under one another
style              colours, fonts, the light panel; `use_style()` for figures of your own
image_grid         many small images side by side
heatmap            a table of numbers as coloured cells
curves             curves with bands of uncertainty
bars               bars with whiskers
horizontal_bars    bars that lie, for many labels and for words
scatter            points in groups
trade_off          what is won against what is lost, dose by dose
side_by_side       texts in columns, with the words marked that one is looking for
dots               a line for each thing, a mark for each way to measure it
feature_panel      a feature of a dictionary: texts that excite it, its histogram, the words it promotes
strips             every single value, one strip of dots a group
geometry           directions of features in a plane
spectrum           how much lies at each frequency
number_circles     where the numbers of a clock lie in a plane
phase_diagram      what happens in each of many worlds, with a theory's border
overlay            maps laid over the pictures they belong to
tokens             a text as its tokens, each on the colour of its value
attention          one head as a labelled map; all heads at a glance
circuit_diagram    who reads whom, from the embedding at the bottom to the logits at the top
patching_heatmap   how far each patched cell moves the answer
logit_lens_table   the word that each layer would say, layers × positions
piles              cards in piles, side by side
token_words        tokens as labels and in sentences: what is invisible in them made visible
"""

from mi_course.plots.attention import attention_heads, attention_pattern
from mi_course.plots.bars import bars
from mi_course.plots.circuit_diagram import circuit_diagram
from mi_course.plots.curves import curves
from mi_course.plots.dots import dots
from mi_course.plots.feature_panel import feature_panel
from mi_course.plots.geometry import geometry, geometry_panel
from mi_course.plots.heatmap import heatmap
from mi_course.plots.horizontal_bars import horizontal_bars
from mi_course.plots.image_grid import image_grid
from mi_course.plots.logit_lens_table import logit_lens_table
from mi_course.plots.number_circles import number_circles
from mi_course.plots.overlay import overlay
from mi_course.plots.patching_heatmap import patching_heatmap
from mi_course.plots.phase_diagram import phase_diagram
from mi_course.plots.picture import Picture
from mi_course.plots.pictures import Pictures
from mi_course.plots.scatter import scatter
from mi_course.plots.side_by_side import side_by_side
from mi_course.plots.spectrum import spectrum
from mi_course.plots.strips import strips
from mi_course.plots.style import COLOURS, DIVERGING, ON_PAPER, SEQUENTIAL, use_style
from mi_course.plots.token_words import quoted, token_labels
from mi_course.plots.tokens import tokens
from mi_course.plots.trade_off import trade_off

__all__ = [
    "COLOURS",
    "DIVERGING",
    "ON_PAPER",
    "SEQUENTIAL",
    "Picture",
    "Pictures",
    "attention_heads",
    "attention_pattern",
    "bars",
    "circuit_diagram",
    "curves",
    "dots",
    "feature_panel",
    "geometry",
    "geometry_panel",
    "heatmap",
    "horizontal_bars",
    "image_grid",
    "logit_lens_table",
    "number_circles",
    "overlay",
    "patching_heatmap",
    "phase_diagram",
    "quoted",
    "scatter",
    "side_by_side",
    "spectrum",
    "strips",
    "token_labels",
    "tokens",
    "trade_off",
    "use_style",
]
