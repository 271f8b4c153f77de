"""Where the keyboard is can be seen."""

import ipywidgets

from mi_course.plots.style import COLOURS, PANEL, QUIET, contrast
from mi_course.visible_focus import FRAME, RIM, STYLE, show_focus

DARK = "#111111"
"""JupyterLab's dark theme."""


def test_a_box_gets_the_style_and_keeps_its_parts():
    part = ipywidgets.Button()
    box = ipywidgets.VBox([part])
    show_focus(box)
    style, kept = box.children
    assert "mi-focus" in box._dom_classes
    assert style.value == STYLE
    assert kept is part


def test_the_frame_stands_out_in_both_themes_and_on_a_figure():
    assert f"outline:3px solid {FRAME}" in STYLE
    assert min(contrast(FRAME, ground) for ground in ("white", DARK, PANEL)) >= 3


def test_the_colours_are_those_of_the_figures():
    assert (COLOURS["blue"], QUIET) == (FRAME, RIM)
