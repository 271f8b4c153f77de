"""The logit lens as a table, tokens × layers: hover a cell for what that layer would say, and how surely."""

from __future__ import annotations

import secrets

import ipywidgets
import torch

from mi_course.methods import logit_lens
from mi_course.models.transformer import Transformer
from mi_course.plots.logit_lens_table import logit_lens_table
from mi_course.plots.picture import Picture
from mi_course.plots.token_words import quoted
from mi_course.widgets.explorer import Explorer
from mi_course.widgets.hover_tokens import STYLE
from mi_course.widgets.logit_lens_html import (
    ANSWER,
    DISTANCE,
    LENS_STYLE,
    OWN,
    Reading,
    colour_html,
    table_html,
)
from mi_course.widgets.prompt import prompt_field


class LogitLensTable(Explorer):
    """What would the model say next if it had to stop after this layer? One column a token, one row a layer.

    Hover a cell, or reach it with Tab and the arrow keys (down: the next layer), for its ``k`` most probable
    tokens; a click keeps it. Rows begin at the embedding; the last one is what the model itself says.

    The lens reads every layer with the last layer norm and the unembedding, which only the last layer was
    trained for: that a word is missing here does not mean that the layer does not know it
    (`mi_course.methods.logit_lens`).
    """

    def __init__(self, model: Transformer, prompt: str, *, k: int = 5):
        self.model, self.k = model, k
        self._prompt = prompt
        self._read: tuple[str, Reading] | None = None
        self._shown: Reading | None = None
        self._scope = f"mi-lens-{secrets.token_hex(4)}"
        self._table = ipywidgets.HTML()

    def controls(self) -> dict[str, ipywidgets.Widget]:
        return {
            "prompt": prompt_field(self._prompt),
            "colour": ipywidgets.Dropdown(options=[OWN, ANSWER, DISTANCE], description="Colour"),
        }

    def draw(self, prompt: str, colour: str = OWN) -> Picture:
        reading = self._reading_of(prompt)
        values, limit = reading.colours(colour)
        answer = reading.answers[-1]
        path = ", ".join(
            f"{layer}: {quoted(words[-1][0])} {probabilities[-1][0]:.2f}"
            for layer, words, probabilities in zip(reading.layers, reading.words, reading.probabilities)
        )
        return logit_lens_table(
            [[cell[0] for cell in row] for row in reading.words],
            values,
            rows=reading.layers,
            tokens=reading.tokens,
            title=f"After {quoted(reading.tokens[-1])} the model says {quoted(answer)}; {_since(reading)}",
            alt=f"The logit lens on {len(reading.tokens)} tokens; at the last one, {path}.",
            unit=colour,
            limit=limit,
            answers=reading.answers,
            framed="what the model itself says",
        )

    def live_html(self, prompt: str, colour: str = OWN) -> str:
        reading = self._reading_of(prompt)
        # Another colour leaves the table in place, and with it the chosen cell.
        if reading is not self._shown:
            self._table.value = f"<style>{STYLE}{LENS_STYLE}</style>{table_html(reading, self._scope)}"
            self._shown = reading
        return colour_html(reading, colour, self._scope)

    def arrange(self, controls, status, picture) -> list[ipywidgets.Widget]:
        view = ipywidgets.VBox([self._table, picture], layout=ipywidgets.Layout(width="100%"))
        view.add_class(self._scope)
        return [controls, status, view]

    def _reading_of(self, prompt: str) -> Reading:
        if self._read is None or self._read[0] != prompt:
            self._read = prompt, self._run(prompt)
        return self._read[1]

    def _run(self, prompt: str) -> Reading:
        tokens = self.model.to_tokens(prompt)
        with torch.no_grad():
            lens = logit_lens.read(self.model, tokens)
            top = lens.top(self.k)
            answers = lens.answers
            return Reading(
                tokens=lens.str_tokens[0],
                layers=lens.layers,
                words=[layer[0] for layer in top.words],
                probabilities=top.log_probs[:, 0].exp().tolist(),
                answer_probability=lens.log_prob(answers)[:, 0].exp().tolist(),
                answer_place=(1 + lens.rank(answers)[:, 0]).tolist(),
                distance=lens.kl_to_final()[:, 0].clamp(min=0).tolist(),
            )


def _since(reading: Reading) -> str:
    """From which row on the last position's word is the model's answer, up to the end."""
    says_it = [row[-1][0] == reading.answers[-1] for row in reading.words]
    first = max((layer + 1 for layer, same in enumerate(says_it) if not same), default=0)
    return f"it leads from {reading.layers[first]} on"
