"""Where the keyboard is can be seen: a frame that stands out in the light and in the dark theme."""

from __future__ import annotations

FRAME, RIM = "#0072B2", "#6B7078"
"""The blue and the quiet grey of the figures."""

STYLE = f"""<style>
.mi-focus :is(button,select,input,textarea,[tabindex],[contenteditable]):focus-visible{{
outline:3px solid {FRAME}!important;outline-offset:2px}}
.mi-focus .noUi-handle{{border-color:var(--jp-ui-font-color2,{RIM})}}
@media (prefers-reduced-motion:reduce){{.mi-focus *{{transition:none!important;animation:none!important}}}}
</style>"""
"""JupyterLab's own frame is a line of one pixel in a pale blue; a slider's handle has none, and is white on white."""


def show_focus(box) -> None:
    """Frame the control of a box of widgets that the keyboard is on; keep still where no motion was asked for."""
    import ipywidgets

    box.add_class("mi-focus")
    box.children = (ipywidgets.HTML(STYLE, layout=ipywidgets.Layout(display="none")), *box.children)
