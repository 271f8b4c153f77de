"""The HTML of the attention viewer: one head in numbers, map and words, and small maps of all heads on buttons."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np

from mi_course.plots.attention import contact_sheet
from mi_course.plots.style import COLOURS, FAINT, INK, PANEL
from mi_course.plots.token_words import token_html
from mi_course.widgets.hover_tokens import rule

NAMED = 3
"""How many tokens a sentence about one token names, on either side."""

MANY_LAYERS = 8
SMALL, LARGE = 56, 104
"""Pixels of one head's map among many layers, and among few."""

MAP_STYLE = f"""
.mi-beside{{display:flex;flex-wrap:wrap;gap:8px 22px;align-items:flex-start}}
.mi-map{{position:relative;width:240px;height:240px;flex:none}}
.mi-map img{{width:100%;height:100%;image-rendering:pixelated;display:block;border:1px solid {FAINT};
box-sizing:border-box}}
.mi-map i{{position:absolute;left:-7px;right:-3px;border:2px solid {COLOURS["vermilion"]};pointer-events:none;
box-sizing:border-box}}
.mi-r{{position:absolute;left:0;right:0;cursor:pointer}}
"""


def head_html(tokens: Sequence[str], pattern: np.ndarray, head: str, scope: str) -> str:
    """One head's weights ``pattern[query_pos, key_pos]``, as they answer to the token that is hovered.

    Rules that colour the text (`hover_tokens`), a map whose rows can be hovered like tokens, and for each
    token a sentence that says where it looks and who looks at it.
    """
    n = len(tokens)
    percent = np.rint(100 * pattern).astype(int)
    rules, sentences, rows = [], [], []
    for pos, token in enumerate(tokens):
        looks_at = percent[pos]
        seen_by = np.where(np.arange(n) == pos, 0, percent[:, pos])  # its look at itself is told once
        rules.append(rule(scope, pos, _above_zero(looks_at), _above_zero(seen_by)))
        sentences.append(
            f'<div id="{scope}-d{pos}" style="display:var(--d{pos},none)"><b>{token_html(token)}</b> '
            f'(position {pos}) <span class="mi-to">looks at</span> {_strongest(looks_at, tokens)}; '
            f'<span class="mi-by">is looked at by</span> {_strongest(seen_by, tokens)}.</div>'
        )
        rows.append(
            f'<label class="mi-r mi-t{pos}" for="{scope}-t{pos}" '
            f'style="top:{100 * pos / n:.3f}%;height:{100 / n:.3f}%"></label>'
        )
    return (
        f'<style>{"".join(rules)}</style><div class="mi-panel mi-beside"><div class="mi-map">'
        f'<img alt="Map of {head}: rows look, columns are looked at." src="{_png(pattern[None, None])}">'
        f'{"".join(rows)}<i style="top:calc(var(--q,-9)*{100 / n:.4f}% - 2px);height:calc({100 / n:.4f}% + 4px)">'
        f'</i></div><div style="flex:1 1 260px"><b>Head {head}</b><br>'
        "Hover a token or a row of the map, or use Tab and the arrow keys; a click keeps the token."
        f'<div style="min-height:5em;margin-top:8px">{"".join(sentences)}</div></div></div>'
    )


def heads_style(patterns: np.ndarray, scope: str) -> str:
    """CSS that lays every head's small map behind its button; all maps are parts of one picture."""
    layers, heads, n, _ = patterns.shape
    side = SMALL if layers > MANY_LAYERS else LARGE
    buttons = f".{scope} .mi-heads button"
    columns = "".join(
        f"{buttons}:nth-child({heads}n+{head + 1}){{background-position-x:{_share(head, heads)}}}"
        for head in range(heads)
    )
    rows = "".join(
        f"{buttons}:nth-child(n+{layer * heads + 1}):nth-child(-n+{(layer + 1) * heads})"
        f"{{background-position-y:{_share(layer, layers)}}}"
        for layer in range(layers)
    )
    return f"""
.{scope} .mi-heads>div{{display:grid;grid-template-columns:repeat({heads},1fr);gap:5px;
max-width:{heads * (side + 5)}px;background:{PANEL};padding:8px;border-radius:6px}}
{buttons}{{aspect-ratio:1;width:auto!important;min-width:24px;height:auto;margin:0;padding:1px 3px;
display:flex;justify-content:flex-end;align-items:flex-start;line-height:1.2;font-size:9px;color:{INK};
box-shadow:none;border:1px solid {FAINT};
background:url({_png(patterns)}) 0 0/{heads * 100}% {layers * 100}%;
image-rendering:{"pixelated" if side >= n else "auto"}}}
{buttons}.mod-active{{outline:3px solid {COLOURS["vermilion"]};font-weight:700}}
{buttons}:focus-visible{{outline:3px solid {COLOURS["blue"]};outline-offset:2px}}
{columns}{rows}"""


def _above_zero(percent: np.ndarray) -> dict[int, int]:
    return {int(pos): int(percent[pos]) for pos in percent.nonzero()[0]}


def _strongest(percent: np.ndarray, tokens: Sequence[str]) -> str:
    order = [pos for pos in np.argsort(-percent, kind="stable")[:NAMED] if percent[pos]]
    named = ", ".join(f"<b>{token_html(tokens[pos])}</b> ({pos}) {percent[pos]}&nbsp;%" for pos in order)
    return named or "nothing with 0.5&nbsp;% or more"


def _share(number: int, count: int) -> str:
    """Where, in CSS's way of placing a background, picture ``number`` of ``count`` begins."""
    return f"{100 * number / max(count - 1, 1):.3f}%"


def _png(patterns: np.ndarray) -> str:
    """The small maps of these heads as the address of a picture."""
    from PIL import Image

    sheet, colours = contact_sheet(patterns)
    image = Image.fromarray(sheet, mode="L")
    image.putpalette(colours.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
