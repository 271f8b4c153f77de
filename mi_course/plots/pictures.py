"""Several pictures under one another, shown and told as one."""

from __future__ import annotations

import io
from collections.abc import Iterable

from mi_course.plots.picture import Picture
from mi_course.plots.style import PANEL


class Pictures:
    """Pictures that belong together, one under the other; as the last line of a cell, they show themselves."""

    def __init__(self, pictures: Iterable[Picture]):
        self.pictures = tuple(pictures)
        if not self.pictures:
            raise ValueError("There is no picture here; give at least one.")
        self.alt = " ".join(picture.alt for picture in self.pictures)

    def __repr__(self) -> str:
        return f"Pictures: {self.alt}"

    def html(self) -> str:
        """Every picture as an ``<img>`` element with its own alt text."""
        return "".join(f"<div>{picture.html()}</div>" for picture in self.pictures)

    def png(self) -> bytes:
        """All of them as one PNG file."""
        from PIL import Image

        images = [Image.open(io.BytesIO(picture.png())).convert("RGB") for picture in self.pictures]
        sheet = Image.new(
            "RGB", (max(image.width for image in images), sum(image.height for image in images)), PANEL
        )
        top = 0
        for image in images:
            sheet.paste(image, (0, top))
            top += image.height
        buffer = io.BytesIO()
        sheet.save(buffer, "PNG")
        return buffer.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": repr(self)}
