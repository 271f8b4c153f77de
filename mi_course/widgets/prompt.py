"""The field for a prompt: it takes the whole line, and is read when Enter is pressed or the field is left."""

from __future__ import annotations

import ipywidgets


def prompt_field(text: str) -> ipywidgets.Text:
    """A text field labelled "Prompt" with ``text`` in it."""
    return ipywidgets.Text(
        text, description="Prompt", continuous_update=False, layout=ipywidgets.Layout(width="100%")
    )
