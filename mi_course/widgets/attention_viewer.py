"""All heads of a model at a glance; pick one, hover a token, and see where it looks and who looks at it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import ipywidgets
import numpy as np
import torch
import traitlets
from torch import Tensor

from mi_course.methods.head_scores import find_head, head_label
from mi_course.models.transformer import Transformer
from mi_course.plots.attention import as_patterns, attention_heads, attention_pattern
from mi_course.plots.pictures import Pictures
from mi_course.plots.token_words import quoted
from mi_course.widgets.attention_html import MAP_STYLE, head_html, heads_style
from mi_course.widgets.explorer import Explorer
from mi_course.widgets.hover_tokens import STYLE, tokens_html
from mi_course.widgets.prompt import prompt_field


@dataclass(frozen=True)
class Reading:
    """A text as a model has read it: its tokens, and weights "layer head query_pos key_pos" in [0, 1]."""

    tokens: tuple[str, ...]
    patterns: np.ndarray

    def of(self, head: str) -> np.ndarray:
        """The weights "query_pos key_pos" of one head."""
        return self.patterns[find_head(head, *self.patterns.shape[:2])]


def read(model: Transformer, tokens: Tensor) -> Reading:
    """Run ``model`` on one row of tokens, shape "1 pos", and keep every head's attention."""
    names = [f"blocks.{layer}.attn.hook_pattern" for layer in range(model.config.n_layers)]
    with torch.no_grad():
        _, cache = model.run_with_cache(tokens, names)
    words = (
        model.to_str_tokens(tokens[0]) if model.tokenizer else [str(token) for token in tokens[0].tolist()]
    )
    return Reading(tuple(words), as_patterns(torch.stack([cache[name][0] for name in names]), words, axes=4))


class AttentionViewer(Explorer):
    """Every head's attention on a prompt of yours: ``AttentionViewer(model, "when Mary and John …")``.

    Hover a token (or reach it with Tab and the arrow keys): blue are the tokens it attends to, orange those
    that attend to it, with the weight in percent. A click keeps the token while you try other heads. All
    heads stand below as small maps; press one to look into it.

    ``prompt`` is a text, or tokens "pos" for a model without a tokenizer; weights that are already at hand
    go in through ``AttentionViewer.of``. ``head``: the one to begin with, such as "L5H1".

    Attention says where a head reads from. What it carries from there, and whether that matters, it does
    not say (Jain and Wallace 2019); for this, ablate.
    """

    def __init__(self, model: Transformer | None, prompt: str | Tensor | Reading, *, head: str = "L0H0"):
        self.model, self._prompt, self._first_head = model, prompt, head
        if isinstance(prompt, Tensor):
            prompt = read(model, prompt.reshape(1, -1))
        if isinstance(prompt, Reading):
            self._reading, self._size = prompt, prompt.patterns.shape[:2]
        else:
            self._reading, self._size = None, (model.config.n_layers, model.config.n_heads)
        find_head(head, *self._size)  # refuses what does not exist
        self._read_prompt: str | None = None
        self._shown: Reading | None = None
        self._scope = f"mi-attention-{secrets.token_hex(4)}"
        self._text, self._heads_style = ipywidgets.HTML(), ipywidgets.HTML()

    @classmethod
    def of(cls, patterns, tokens: Sequence[str | int], *, head: str = "L0H0") -> AttentionViewer:
        """A viewer of given weights ``patterns[layer, head, query_pos, key_pos]`` over ``tokens``.

        Without a model there is no prompt to change.
        """
        words = tuple(str(token) for token in tokens)
        return cls(None, Reading(words, as_patterns(patterns, words, axes=4)), head=head)

    def controls(self) -> dict[str, ipywidgets.Widget]:
        n_layers, n_heads = self._size
        names = [head_label(layer, head) for layer in range(n_layers) for head in range(n_heads)]
        head = ipywidgets.Dropdown(options=names, value=self._first_head, description="Head")
        if isinstance(self._prompt, str):
            return {"prompt": prompt_field(self._prompt), "head": head}
        return {"head": head}

    def draw(self, head: str, prompt: str | None = None) -> Pictures:
        reading = self._reading_of(prompt)
        tokens, pattern = reading.tokens, reading.of(head)
        n_layers, n_heads = self._size
        return Pictures(
            [
                attention_heads(
                    reading.patterns,
                    title=f"All heads on {len(tokens)} tokens; framed: {head}",
                    alt=f"{n_layers} layers of {n_heads} heads. {at_a_glance(reading.patterns)}",
                    marked=[head],
                ),
                attention_pattern(
                    pattern, tokens, title=f"Where {head} looks", alt=in_words(head, tokens, pattern)
                ),
            ]
        )

    def live_html(self, head: str, prompt: str | None = None) -> str:
        reading = self._reading_of(prompt)
        if reading is not self._shown:  # another head leaves the text in place, and with it the chosen token
            self._show(reading)
        return head_html(reading.tokens, reading.of(head), head, self._scope)

    def arrange(self, controls, status, picture) -> list[ipywidgets.Widget]:
        choice = self._controls["head"]
        heads = ipywidgets.ToggleButtons(options=choice.options, value=choice.value)
        heads.add_class("mi-heads")
        traitlets.link((choice, "value"), (heads, "value"))
        view = ipywidgets.VBox([self._text, picture, self._heads_style, heads])
        view.add_class(self._scope)
        return [controls, status, view]

    def _show(self, reading: Reading) -> None:
        text = tokens_html(
            reading.tokens,
            scope=self._scope,
            name="Tokens: choose one with the arrow keys",
            chosen=len(reading.tokens) - 1,
        )
        self._text.value = f'<style>{STYLE}{MAP_STYLE}</style><div class="mi-panel">{text}</div>'
        self._heads_style.value = f"<style>{heads_style(reading.patterns, self._scope)}</style>"
        self._shown = reading

    def _reading_of(self, prompt: str | None) -> Reading:
        if prompt is not None and prompt != self._read_prompt:
            self._reading = read(self.model, self.model.to_tokens(prompt))
            self._read_prompt = prompt
        return self._reading


def at_a_glance(patterns: np.ndarray) -> str:
    """Which heads have the clearest habits, by "layer head query_pos key_pos": what one sees in all maps at once."""
    if patterns.shape[-1] == 1:
        return "Each can look at one token only."
    told = []
    for place, looked_at in _habits(patterns[:, :, 1:]).items():
        best = np.unravel_index(looked_at.argmax(), looked_at.shape)
        told.append(f"at {place}: {head_label(*map(int, best))} ({looked_at[best]:.2f} on average)")
    return f"Looks most {'; '.join(told)}."


def _habits(later: np.ndarray) -> dict[str, np.ndarray | np.floating]:
    """How much each query after the first gives, on average, to the places that many heads look at."""
    before = np.diagonal(later, 0, -2, -1)
    itself = np.diagonal(later, 1, -2, -1)
    return {
        "the first token": later[..., 0].mean(-1),
        "the token before": before.mean(-1),
        "itself": itself.mean(-1),
    }


def in_words(head: str, tokens: Sequence[str], pattern: np.ndarray) -> str:
    """One head's attention in two sentences: its habits on average, and where the last token looks."""
    n = len(tokens)
    last = ", ".join(
        f"{quoted(tokens[key])} ({key}) {pattern[-1, key]:.2f}"
        for key in np.argsort(-pattern[-1], kind="stable")[:3]
    )
    ends = f"The last token, {quoted(tokens[-1])}, looks at {last}."
    if n == 1:
        return f"Attention of {head} on one token. {ends}"
    habits = ", ".join(f"{share:.2f} to {place}" for place, share in _habits(pattern[1:]).items())
    return f"Attention of {head}: on average {habits}. {ends}"
