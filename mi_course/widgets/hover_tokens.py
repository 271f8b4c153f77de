"""A text whose tokens answer to the mouse and the arrow keys, in HTML and CSS alone.

Each token is a radio button: Tab enters the text, the arrow keys walk through it, a click keeps a token
chosen. CSS knows which token is hovered or chosen (`:has`) and sets numbers for it (custom properties),
from which every token of the text takes its colour. No script runs and Python is not asked, so the answer
is immediate; and a token's text cannot become code, because it only ever stands in the page as text.

Everything stands on the light panel of the figures, and so reads the same in a dark theme.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mi_course.plots.style import FAINT, INK, PANEL
from mi_course.plots.token_words import token_html

TO, BY = "86 180 233", "230 159 0"
"""Red, green and blue of *looks at* (sky) and *is looked at by* (ochre); ink can be read on both."""

STYLE = f"""
.mi-panel{{background:{PANEL};color:{INK};border-radius:6px;padding:10px 14px;line-height:1.45;font-size:13px}}
.mi-panel b{{font-weight:600}}
.mi-text{{border:0;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:4px}}
.mi-text legend,.mi-text input{{position:absolute;width:1px;height:1px;opacity:0;overflow:hidden;white-space:nowrap}}
.mi-t{{position:relative;cursor:pointer;text-align:center;border:1px solid {FAINT};border-radius:4px;
min-width:26px;background-color:#fff;
background-image:linear-gradient(rgb({TO}/calc(var(--to)*1%)) 0 100%),
linear-gradient(rgb({BY}/calc(var(--by)*1%)) 0 100%)}}
.mi-t:focus-within{{outline:2px solid #0072B2;outline-offset:1px}}
.mi-t>span{{display:block;padding:2px 6px;font-family:var(--jp-code-font-family,monospace);white-space:pre-wrap;
overflow-wrap:anywhere}}
.mi-n{{display:flex;justify-content:center;gap:3px;height:13px;line-height:12px}}
.mi-n::before{{counter-reset:n var(--to);content:counter(n)"%";font-size:calc(min(var(--to),1)*10px)}}
.mi-n::after{{counter-reset:n var(--by);content:counter(n)"%";font-size:calc(min(var(--by),1)*10px)}}
.mi-to,.mi-by{{padding:1px 5px;border-radius:3px;background:rgb({TO})}}
.mi-by{{background:rgb({BY})}}
"""


def tokens_html(tokens: Sequence[str], *, scope: str, name: str, chosen: int) -> str:
    """The text as a group of radio buttons, called ``name``; ``scope`` is a class around all that answers.

    Token number 3 has the class ``mi-t3`` and is described by the element with id ``SCOPE-d3``. It takes its
    two colours and the numbers below it from the custom properties ``--a3`` (looked at) and ``--b3`` (looks).
    """
    labels = "".join(
        f'<label class="mi-t mi-t{pos}" style="--to:var(--a{pos},0);--by:var(--b{pos},0)">'
        # Without the attribute, JupyterLab takes the arrow keys for its own shortcuts.
        f'<input type="radio" data-lm-suppress-shortcuts="true" name="{scope}" id="{scope}-t{pos}" '
        f'aria-describedby="{scope}-d{pos}"{" checked" if pos == chosen else ""}>'
        f'<span>{token_html(token)}</span><b class="mi-n"></b></label>'
        for pos, token in enumerate(tokens)
    )
    return f'<fieldset class="mi-text"><legend>{token_html(name)}</legend>{labels}</fieldset>'


def rule(scope: str, pos: int, to: Mapping[int, int], by: Mapping[int, int]) -> str:
    """The CSS rule that holds while token ``pos`` is hovered or, if none is, chosen.

    ``to`` and ``by``: whole numbers by position. The rule also sets ``--q`` to ``pos``, and ``--d3`` to
    "block" for token 3, by which its sentence shows itself.
    """
    numbers = [f"--a{key}:{number}" for key, number in to.items()]
    numbers += [f"--b{query}:{number}" for query, number in by.items()]
    hovered = f".{scope}:has(.mi-t{pos}:hover)"
    chosen = f".{scope}:not(:has(.mi-t:hover,.mi-r:hover)):has(.mi-t{pos}>:checked)"
    return f"{hovered},{chosen}{{{';'.join([*numbers, f'--q:{pos}', f'--d{pos}:block'])}}}"
