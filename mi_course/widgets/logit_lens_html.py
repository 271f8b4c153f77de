"""The HTML of the logit-lens table: cells that answer to the mouse and the arrow keys, with their top words."""

from __future__ import annotations

from dataclasses import dataclass

from mi_course.plots.style import COLOURS, FAINT, PANEL
from mi_course.plots.token_words import token_html
from mi_course.widgets.hover_tokens import TO

OWN, ANSWER, DISTANCE = (
    "probability of its word",
    "probability of the model's answer",
    "KL from the model's answer (nats)",
)
"""What the colour of a cell can say."""


@dataclass(frozen=True)
class Reading:
    """A prompt under the lens. Nested lists: [layer][pos] and, for the first two, [k]."""

    tokens: tuple[str, ...]
    layers: tuple[str, ...]
    words: list[list[list[str]]]
    probabilities: list[list[list[float]]]
    answer_probability: list[list[float]]
    answer_place: list[list[int]]
    distance: list[list[float]]

    @property
    def answers(self) -> list[str]:
        """What the model itself would say next, at each position."""
        return [cell[0] for cell in self.words[-1]]

    def colours(self, colour: str) -> tuple[list[list[float]], float]:
        """A number for each cell, and where the scale ends."""
        if colour == DISTANCE:
            return self.distance, max(1.0, *(max(row) for row in self.distance))
        if colour == ANSWER:
            return self.answer_probability, 1.0
        return [[cell[0] for cell in row] for row in self.probabilities], 1.0


LENS_STYLE = f"""
.mi-lens{{position:relative;font-size:12px}}
.mi-lens fieldset{{border:0;margin:0;padding:2px;display:grid;grid-auto-flow:column;overflow-x:auto;gap:2px;
width:0;min-width:100%;box-sizing:border-box;grid-template-columns:max-content;
grid-auto-columns:minmax(48px,1fr)}}
.mi-lens legend,.mi-lens input{{position:absolute;width:1px;height:1px;opacity:0;overflow:hidden}}
.mi-h{{font-weight:600;text-align:center;padding:2px 1px;white-space:pre;overflow:hidden;text-overflow:ellipsis;
max-width:110px}}
.mi-h.mi-l{{text-align:right;padding-right:6px;position:sticky;left:0;background:{PANEL};z-index:1}}
.mi-c{{cursor:pointer;text-align:center;border:1px solid {FAINT};border-radius:3px;padding:2px 1px;
background-color:#fff;background-image:linear-gradient(rgb({TO}/var(--v)) 0 100%)}}
.mi-word{{display:block;white-space:pre;overflow:hidden;text-overflow:ellipsis;max-width:110px;margin:auto}}
.mi-c:hover,.mi-c:focus-within{{outline:2px solid {COLOURS["blue"]}}}
.mi-c:has(:checked){{outline:2px solid {COLOURS["vermilion"]}}}
.mi-k{{display:none;position:absolute;left:16px;right:16px;bottom:10px;cursor:auto;text-align:left}}
.mi-c:hover .mi-k,.mi-lens:not(:has(.mi-c:hover)) .mi-c:has(:checked) .mi-k{{display:block}}
.mi-k>span{{display:grid;grid-template-columns:150px 52px 1fr;gap:8px;align-items:center;height:19px}}
.mi-k>span>b{{overflow:hidden;text-overflow:ellipsis;white-space:pre}}
.mi-k i{{height:11px;background:{COLOURS["blue"]};width:calc(var(--p)*1%);min-width:1px}}
.mi-scale{{display:inline-block;width:110px;height:10px;border:1px solid {FAINT};
background:linear-gradient(90deg,#fff,rgb({TO}))}}
"""


def table_html(reading: Reading, scope: str) -> str:
    """A radio button a cell, column by column, so that the down key goes to the next layer.

    Every cell carries its three numbers as custom properties ``--x``, ``--y``, ``--z`` from 0 to 1.
    """
    limit = reading.colours(DISTANCE)[1]
    columns = ['<div class="mi-h mi-l">&nbsp;</div>']
    columns += [f'<div class="mi-h mi-l">{token_html(layer)}</div>' for layer in reading.layers]
    for pos, token in enumerate(reading.tokens):
        columns.append(f'<div class="mi-h" title="position {pos}">{token_html(token)}</div>')
        for layer, name in enumerate(reading.layers):
            words, probabilities = reading.words[layer][pos], reading.probabilities[layer][pos]
            last = (layer, pos) == (len(reading.layers) - 1, len(reading.tokens) - 1)
            columns.append(
                f'<label class="mi-c" style="--x:{probabilities[0]:.3f};'
                f"--y:{reading.answer_probability[layer][pos]:.3f};"
                f'--z:{reading.distance[layer][pos] / limit:.3f}">'
                # Without the attribute, JupyterLab takes the arrow keys for its own shortcuts.
                f'<input type="radio" data-lm-suppress-shortcuts="true" name="{scope}"{" checked" * last} '
                f'aria-describedby="{scope}-{layer}-{pos}" '
                f'aria-label="{token_html(name)} at {token_html(token)}: {token_html(words[0])} '
                f'{probabilities[0]:.0%}"><span class="mi-word">{token_html(words[0])}</span>'
                f"{_details(reading, layer, pos, scope)}</label>"
            )
    height = 19 * len(reading.words[0][0]) + 66
    return (
        f'<div class="mi-panel mi-lens" style="padding-bottom:{height}px">'
        f'<fieldset style="grid-template-rows:repeat({len(reading.layers) + 1},auto)">'
        f"<legend>Cells: choose one with the arrow keys</legend>{''.join(columns)}</fieldset></div>"
    )


def _details(reading: Reading, layer: int, pos: int, scope: str) -> str:
    top = "".join(
        f'<span><b>{token_html(word)}</b>{probability:.1%}<i style="--p:{100 * probability:.1f}"></i></span>'
        for word, probability in zip(reading.words[layer][pos], reading.probabilities[layer][pos])
    )
    return (
        f'<span class="mi-k" id="{scope}-{layer}-{pos}">After <b>{token_html(reading.layers[layer])}</b>, at '
        f"<b>{token_html(reading.tokens[pos])}</b> (position {pos}). The model's answer "
        f"<b>{token_html(reading.answers[pos])}</b> has place {reading.answer_place[layer][pos]:,} and "
        f"{reading.answer_probability[layer][pos]:.1%} here.{top}</span>"
    )


def colour_html(reading: Reading, colour: str, scope: str) -> str:
    """The rule that picks one of the three numbers as the cells' colour, and the scale in words."""
    number = {OWN: "x", ANSWER: "y", DISTANCE: "z"}[colour]
    _, limit = reading.colours(colour)
    return (
        f"<style>.{scope} .mi-c{{--v:var(--{number})}}</style>"
        f'<div class="mi-panel">Colour: {colour}, from 0 <span class="mi-scale"></span> to {limit:.3g}.</div>'
    )
