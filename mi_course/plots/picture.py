"""A figure together with its words: what a reader hears who cannot see it."""

from __future__ import annotations

import base64
import html
import io
import os
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mi_course.plots.style import CSS_PIXELS_PER_INCH, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 120
"""A quarter more than the screen's 96: crisp when zoomed, and a plot still takes below 100 kB."""

LARGEST_PNG = 100_000
"""Bytes. A figure full of photographs takes more; inside a notebook it is then stored as WebP."""


class Picture:
    """A matplotlib figure with its alt text; as the last line of a cell, it shows itself.

    ``alt`` says in one or two sentences what the figure shows, for readers who hear it instead of
    seeing it: the finding and its numbers, not "a plot". It may not be empty. ``title`` is what is written
    above the figure: pixels, so readers who hear the figure get it in front of ``alt``.

    JupyterLab drops the alt text of its own image outputs. That is why a Picture shows itself as
    HTML, with the image inside the text, and needs no file and no network. It is drawn once: later
    changes to ``figure`` do not show.
    """

    def __init__(self, figure: Figure, alt: str, *, title: str = ""):
        if not alt or not alt.strip():
            raise ValueError(
                "alt is empty: say in one sentence what the figure shows, e.g. 'Accuracy rises …'."
            )
        self.figure = figure
        self.alt = " ".join(alt.split())
        self.title = " ".join(title.split())
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            pyplot.close(figure)  # otherwise the notebook shows the figure a second time, without its words

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"

    @property
    def heard(self) -> str:
        """The title and the alt text, as one hears them; a title with which the alt text begins is said once."""
        if self.alt.casefold().startswith(self.title.rstrip(".").casefold()):
            return self.alt
        return f"{self.title}{'' if self.title.endswith(tuple('.?!…:')) else '.'} {self.alt}"

    def png(self) -> bytes:
        """The figure as a PNG file; the same figure gives the same bytes on the same machine."""
        return self._png

    @cached_property
    def _png(self) -> bytes:
        buffer = io.BytesIO()
        with styled():
            self.figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
        return buffer.getvalue()

    @cached_property
    def _compact(self) -> tuple[str, bytes]:
        if len(self.png()) <= LARGEST_PNG:
            return "png", self.png()
        from PIL import Image

        image = Image.open(io.BytesIO(self.png())).convert("RGB")
        smallest = "png", self.png()
        for options in ({"lossless": True}, {"quality": 85}):
            buffer = io.BytesIO()
            image.save(buffer, "WEBP", **options)
            smallest = min(smallest, ("webp", buffer.getvalue()), key=lambda kept: len(kept[1]))
            if len(smallest[1]) <= LARGEST_PNG:
                break
        return smallest

    def html(self) -> str:
        """The figure as one ``<img>`` element that carries its title, its alt text and its pixels."""
        width, height = (round(inches * CSS_PIXELS_PER_INCH) for inches in self.figure.get_size_inches())
        kind, content = self._compact
        data = base64.b64encode(content).decode("ascii")
        return (
            f'<img alt="{html.escape(self.heard)}" width="{width}" height="{height}" '
            'style="max-width:100%;height:auto;border-radius:6px" '
            f'src="data:image/{kind};base64,{data}">'
        )

    def save(self, path: str | os.PathLike) -> Path:
        """Write the figure to ``path``; the ending chooses the format (.png, .svg, .pdf).

        PNG and SVG carry the title and the alt text as their description.
        """
        path = Path(path)
        kind = path.suffix.lower().lstrip(".") or "png"
        described = {
            "png": {"Software": None, "Description": self.heard},
            "svg": {"Date": None, "Description": self.heard},
        }.get(kind)
        with styled():
            self.figure.savefig(path, format=kind, dpi=DOTS_PER_INCH, metadata=described)
        return path

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": repr(self)}
