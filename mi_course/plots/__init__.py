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
overlay            maps laid over the pictures they belong to
tokens             a text as its tokens, each on the colour of its value
attention          one head as a labelled map; all heads at a glance
circuit_diagram    who reads whom, from the embedding at the bottom to the logits at the top
patching_heatmap   how far each patched cell moves the answer
logit_lens_table   the word that each layer would say, layers × positions
token_words        tokens as labels and in sentences: what is invisible in them made visible
"""

from mi_course.plots.attention import attention_heads, attention_pattern
from mi_course.plots.bars import bars
from mi_course.plots.circuit_diagram import circuit_diagram
from mi_course.plots.curves import curves
from mi_course.plots.heatmap import heatmap
from mi_course.plots.horizontal_bars import horizontal_bars
from mi_course.plots.image_grid import image_grid
from mi_course.plots.logit_lens_table import logit_lens_table
from mi_course.plots.overlay import overlay
from mi_course.plots.patching_heatmap import patching_heatmap
from mi_course.plots.picture import Picture
from mi_course.plots.pictures import Pictures
from mi_course.plots.scatter import scatter
from mi_course.plots.style import COLOURS, DIVERGING, ON_PAPER, SEQUENTIAL, use_style
from mi_course.plots.token_words import quoted, token_labels
from mi_course.plots.tokens import tokens

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
    "heatmap",
    "horizontal_bars",
    "image_grid",
    "logit_lens_table",
    "overlay",
    "patching_heatmap",
    "quoted",
    "scatter",
    "token_labels",
    "tokens",
    "use_style",
]
