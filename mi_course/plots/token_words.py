"""Tokens as a reader sees them: what is invisible in them is made visible, and nothing in them acts.

A token may be a blank, a line break, an empty string, half an emoji, or ``<script>``. Figures and widgets
show tokens only through this file.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from functools import cache

_SIGNS = {"\n": "↵", "\r": "⏎", "\t": "⇥"}
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode's categories of control, formatting (also right-to-left override), halves and unassigned."""

EMPTY = "∅"


def visible(token: str | int) -> str:
    """The token, or its number, in characters that can be seen: ↵ for a line break, ␣ for a lone blank, ∅ for nothing.

    The blank before a word stays a blank, as GPT-2's tokens have it. Control characters become their
    number, such as ``\\x07``.
    """
    token = str(token)
    if not token:
        return EMPTY
    if not token.strip(" "):
        return "␣" * len(token)
    return "".join(_SIGNS.get(character) or _seen(character) for character in token)


def _seen(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN:
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def token_html(token: str | int) -> str:
    """The token as text inside an HTML element or a quoted attribute; it can become neither tag nor code."""
    return html.escape(visible(token), quote=True)


def token_label(token: str | int, limit: int | None = None) -> str:
    """The token as matplotlib can draw it: ``$`` starts no formula, □ stands for what the font lacks.

    ``limit``: the most characters; a longer token ends in "…".
    """
    return drawable(shortened(visible(token), limit))


def token_labels(tokens: Sequence[str | int], limit: int | None = 12) -> list[str]:
    """Labels for the rows or columns of a ``heatmap``, one a token."""
    return [token_label(token, limit) for token in tokens]


def quoted(token: str | int) -> str:
    """The token in quotation marks, for alt texts and sentences."""
    return f"“{visible(token)}”"


def shortened(text: str, limit: int | None) -> str:
    """The first ``limit`` characters, the last of them "…" if something was cut off."""
    return text if limit is None or len(text) <= limit else text[: limit - 1] + "…"


def drawable(text: str) -> str:
    """Any text so that matplotlib draws these characters and neither reads a formula nor warns."""
    known = _characters_of_the_font()
    kept = "".join(character if ord(character) in known else "□" for character in text)
    return kept.replace("$", r"\$")


@cache
def _characters_of_the_font() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties(family="DejaVu Sans"))).get_charmap())
