"""Show a result: as HTML in Jupyter, readable in its light and its dark theme, and as text elsewhere."""

from __future__ import annotations

import html
import re
import sys
from dataclasses import dataclass
from typing import Any, Literal

_COLOURS = {
    "success": "var(--jp-success-color1, #388e3c)",
    "error": "var(--jp-error-color1, #d32f2f)",
    "warning": "var(--jp-warn-color1, #f57c00)",
    "info": "var(--jp-info-color1, #1976d2)",
    "neutral": "var(--jp-border-color1, #9e9e9e)",
}


@dataclass(frozen=True)
class Card:
    """A framed message. What the colour says, the mark and the words say too.

    Text between backticks is shown as code. ``quoted`` is shown as it is, for instance printed output.
    """

    mark: str
    heading: str
    paragraphs: tuple[str, ...] = ()
    quoted: str = ""
    tone: Literal["success", "error", "warning", "info", "neutral"] = "neutral"

    @property
    def text(self) -> str:
        """The message for a terminal, and for readers of the notebook's source."""
        lines = [f"{self.mark} {self.heading}", *self.paragraphs]
        if self.quoted:
            lines += ["  | " + line for line in self.quoted.rstrip("\n").split("\n")]
        return clean("\n".join(lines))

    @property
    def html(self) -> str:
        """The message for Jupyter; everything in it is escaped."""
        parts = [
            f'<div class="mi-card tex2jax_ignore mathjax_ignore" role="note" style="{_frame(self.tone)}">',
            f'<div style="font-weight: 600;">{self.mark} {as_html(self.heading)}</div>',
            *(f'<div style="margin-top: 0.4em;">{as_html(paragraph)}</div>' for paragraph in self.paragraphs),
        ]
        if self.quoted:
            parts.append(f'<pre style="{_QUOTED}">{html.escape(clean(self.quoted))}</pre>')
        return "".join([*parts, "</div>"])

    def bundle(self) -> dict[str, str]:
        """The message in both forms, by their MIME types."""
        return {"text/html": self.html, "text/plain": self.text}


_QUOTED = (
    "margin: 0.4em 0 0 0; padding: 0.3em 0.6em; max-height: 12em; overflow: auto; white-space: pre-wrap; "
    "background: var(--jp-layout-color2, rgba(128, 128, 128, 0.12)); color: inherit;"
)


def _frame(tone: str) -> str:
    return (
        f"border-left: 4px solid {_COLOURS[tone]}; padding: 0.5em 0.9em; margin: 0.3em 0; "
        "background: var(--jp-layout-color1, transparent); color: var(--jp-content-font-color1, inherit); "
        "font-family: var(--jp-content-font-family, sans-serif); line-height: 1.45;"
    )


def clean(text: str) -> str:
    """The text without control characters and broken Unicode, which no front end shows well."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text)
    return text.encode("utf-8", "replace").decode("utf-8")


def as_html(text: str) -> str:
    """The text escaped, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(clean(text)))


def in_jupyter() -> bool:
    """Whether this runs in a kernel, so that HTML and widgets can be shown."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def show(card: Card) -> None:
    """Display the card in a notebook, print it elsewhere."""
    show_bundle(card.bundle())


def show_bundle(bundle: dict[str, Any]) -> None:
    """Display what a MIME bundle holds in a notebook, print its text elsewhere."""
    if in_jupyter():
        from IPython.display import display

        display(bundle, raw=True)
        return
    text = bundle["text/plain"]
    try:
        print(text)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding or "ascii"
        print(text.encode(encoding, "replace").decode(encoding))
