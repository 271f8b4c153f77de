"""Type a beginning, see what a language model expects next, and let it write token by token."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets
import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from mi_course.models.transformer import Transformer
from mi_course.plots.horizontal_bars import horizontal_bars
from mi_course.plots.picture import Picture
from mi_course.plots.style import FAINT
from mi_course.plots.token_words import quoted, shortened, token_html, visible
from mi_course.widgets.explorer import Explorer
from mi_course.widgets.hover_tokens import STYLE
from mi_course.widgets.prompt import prompt_field

ALL = "all"
KEPT = (1, 2, 3, 5, 10, 20, 50, ALL)
"""The choices for top-k."""


class NextTokenExplorer(Explorer):
    """The probabilities of the next token, and buttons that sample one or take the last one back.

    ``temperature`` divides the logits, and ``top_k`` keeps the most probable tokens only; a line across each
    bar shows the probability that the model itself gives, before both. What is sampled stands coloured
    behind the prompt; another prompt begins afresh. ``seed``: of the sampling. ``most``: how many bars.

    A word that the model does not know is told in words; the prompt stays as it was typed.
    """

    def __init__(self, model: Transformer, prompt: str, *, seed: int = 0, most: int = 12):
        self.model, self.most = model, most
        self._prompt = prompt
        self._random = torch.Generator().manual_seed(seed)

    def controls(self) -> dict[str, ipywidgets.Widget]:
        prompt = prompt_field(self._prompt)
        temperature = ipywidgets.FloatSlider(1.0, min=0.0, max=2.0, step=0.1, description="Temperature")
        top_k = ipywidgets.SelectionSlider(options=KEPT, value=ALL, description="Only the top")

        def sample(written: tuple[int, ...]) -> int | None:
            try:
                logits = self._logits(prompt.value, written)
            except Exception as error:
                self._complain(error)
                return None
            chosen = torch.multinomial(
                distribution(logits, temperature.value, top_k.value), 1, generator=self._random
            )
            return int(chosen)

        written = Written(sample)
        prompt.observe(lambda change: written.set_trait("value", ()), names="value")
        return {"prompt": prompt, "temperature": temperature, "top_k": top_k, "written": written}

    def draw(
        self, prompt: str, temperature: float = 1.0, top_k: int | str = ALL, written: tuple[int, ...] = ()
    ) -> Picture:
        """``written``: tokens that follow the prompt, as numbers."""
        logits = self._logits(prompt, written)
        own, changed = distribution(logits), distribution(logits, temperature, top_k)
        order = logits.argsort(descending=True, stable=True)[: self.most].tolist()  # the same after both
        words = self.model.to_str_tokens(order)
        text = " ".join(visible(word).strip() for word in self._words(prompt, written)[-6:])
        best = f"{quoted(words[0])} with {float(changed[order[0]]):.1%}"
        settings = [] if temperature == 1 else [f"temperature {temperature:.1f}"]
        settings += [] if top_k == ALL else [f"top {top_k} only"]
        altered = f" ({', '.join(settings)})" if settings else ""
        runners_up = ", ".join(
            f"{quoted(word)} {float(changed[token]):.2f}" for word, token in zip(words[1:4], order[1:4])
        )
        return horizontal_bars(
            [(word, float(changed[token])) for word, token in zip(words, order)],
            title=f"After “… {shortened(text, 60)}”: {best}{altered}",
            xlabel="probability of the next token",
            alt=f"The most probable token after “… {text}” is {best}{altered}, then {runners_up}.",
            before=("what the model gives", [float(own[token]) for token in order]),
            limit=1.0,
            number=".1%",
        )

    def live_html(
        self, prompt: str, temperature: float = 1.0, top_k: int | str = ALL, written: tuple[int, ...] = ()
    ) -> str:
        picture = self.draw(prompt, temperature, top_k, written)
        words = self._words(prompt, written)
        first = len(words) - len(written)
        text = "".join(
            f'<span class="mi-w{" mi-by" if pos >= first else ""}">{token_html(word)}</span>'
            for pos, word in enumerate(words)
        )
        return f'<style>{STYLE}{_STYLE}</style><div class="mi-panel mi-written">{text}</div>{picture.html()}'

    def _words(self, prompt: str, written: tuple[int, ...]) -> list[str]:
        return self.model.to_str_tokens([*self.model.to_tokens(prompt)[0].tolist(), *written])

    def _logits(self, prompt: str, written: tuple[int, ...]) -> Float[Tensor, " d_vocab"]:
        start = self.model.to_tokens(prompt)
        added = torch.tensor([written], dtype=start.dtype, device=start.device).reshape(1, -1)
        tokens = torch.cat([start, added], dim=1)[:, -self.model.config.n_ctx :]
        with torch.no_grad():
            return self.model(tokens)[0, -1].cpu()


class Written(ipywidgets.HBox):
    """Two buttons, *Sample a token* and *Undo*; ``value`` is the tuple of tokens sampled so far."""

    value = traitlets.Tuple()
    description = traitlets.Unicode("Sampling")

    def __init__(self, sample: Callable[[tuple[int, ...]], int | None]):
        self.sample = ipywidgets.Button(description="Sample a token", icon="plus")
        self.undo = ipywidgets.Button(description="Undo", icon="undo", disabled=True)
        self.sample.on_click(lambda _: self._add(sample(self.value)))
        self.undo.on_click(lambda _: self.set_trait("value", self.value[:-1]))
        self.observe(lambda change: self.undo.set_trait("disabled", not change["new"]), names="value")
        super().__init__([self.sample, self.undo])
        self.add_class("mi-written-buttons")

    def _add(self, token: int | None) -> None:
        if token is not None:
            self.value = (*self.value, token)


def distribution(
    logits: Float[Tensor, " d_vocab"], temperature: float = 1.0, top_k: int | str = ALL
) -> Float[Tensor, " d_vocab"]:
    """The probabilities from which a token is drawn; at temperature 0 the first choice has all of it."""
    if top_k != ALL and top_k < len(logits):
        lowest = logits.topk(top_k).values[-1]
        logits = logits.masked_fill(logits < lowest, -torch.inf)
    if temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(), len(logits)).float()
    return (logits / temperature).softmax(dim=-1)


_STYLE = f"""
.mi-written{{display:flex;flex-wrap:wrap;gap:3px;margin-bottom:6px}}
.mi-w{{border:1px solid {FAINT};border-radius:3px;padding:1px 5px;white-space:pre-wrap;overflow-wrap:anywhere;
font-family:var(--jp-code-font-family,monospace)}}
"""
