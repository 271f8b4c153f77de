"""The more of it, the …? What a steered model writes, and what the steering spoils, dose by dose.

    written    texts that the model writes on from a prompt, to be counted: words about the bridge, texts that the
               grammar could have written
    losses     nats a token on texts that others have written: what the steering costs a model that reads

The two kinds of damage are not the same. A model that reads is led back onto the path by every next word, whatever it
would have said; one that writes has to live with what it said. So a dose that hardly raises the loss can turn
everything that is written into word salad.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.data.possible_text import is_possible
from mi_course.errors import CourseError, UnknownName
from mi_course.methods.metrics import loss_of_each
from mi_course.methods.padded_texts import PaddedTexts, pad
from mi_course.methods.steering import Hooks
from mi_course.methods.uncertainty import Interval, bootstrap_mean, bootstrap_ratio, wilson_interval
from mi_course.methods.writing import write_on
from mi_course.models.transformer import Transformer

Words = tuple[str, ...]


@dataclass(frozen=True)
class SteeredModel:
    """What a model did under one dose.

    ``prompt``: the words that all texts begin with. ``written``: the words that came after it, of each text, up to an
    end-of-text token, which is the last word if there is one. ``losses``: for each kind of text that was read, nats a
    token of every text.
    """

    prompt: Words
    written: tuple[Words, ...]
    losses: Mapping[str, Float[Tensor, " text"]]

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts with their prompt, to look at."""
        return tuple(" ".join((*self.prompt, *words)) for words in self.written)

    def share(self, words: Collection[str], among: Collection[str]) -> Interval:
        """How many of the words of ``among`` that were written are in ``words``: from 0 to 1, bootstrapped over texts.

        ``share(about("bridge"), content_words())``: of all content words, the share about the bridge. Words of one text
        hang together, which is why whole texts are drawn. Not-a-number if no such word was written.
        """
        counted = [[word in among for word in text] for text in self.written]
        hits = [[word in words and word in among for word in text] for text in self.written]
        return bootstrap_ratio(_sums(hits), _sums(counted))

    def possible(self) -> Interval:
        """The share of the texts, prompt included, that the grammar of the tiny world could have written so far.

        Only the form counts, not the topic (`is_possible`). Wilson's interval: texts are written independently.
        """
        return wilson_interval(self._n_possible, len(self.written))

    @cached_property
    def _n_possible(self) -> int:
        return sum(is_possible((*self.prompt, *words)) for words in self.written)

    def loss(self, kind: str) -> Interval:
        """The mean loss on one kind of text that was read, in nats a token, bootstrapped over texts."""
        return bootstrap_mean(self._losses(kind))

    def damage(self, kind: str, plain: SteeredModel) -> Interval:
        """By what share the loss on a kind of text is higher than in ``plain``: 0.2 is 20 %; below 0 it fell.

        Texts are compared with themselves: drawn in pairs.
        """
        ratio = bootstrap_ratio(self._losses(kind), plain._losses(kind))
        return Interval(ratio.estimate - 1, ratio.low - 1, ratio.high - 1, ratio.confidence)

    def _losses(self, kind: str) -> Float[Tensor, " text"]:
        if kind not in self.losses:
            raise UnknownName("kind of text that was read", kind, self.losses)
        return self.losses[kind]


def dose_response(
    model: Transformer,
    steer: Callable[[float | int], Hooks],
    doses: Iterable[float | int],
    prompt: str,
    *,
    read: Mapping[str, Sequence[str]] | None = None,
    n_texts: int = 64,
    n_tokens: int = 24,
    seed: int = 0,
) -> dict[float | int, SteeredModel]:
    """What ``model`` writes on from ``prompt``, and what its reading costs, at each dose.

    ``steer``: gives the hooks for a dose, ``functools.partial(steering.add, direction, at=point)``. ``doses``: in any
    order; wrap them into `progress_bar`. Include 0, with which the others are compared. ``read``: texts by their kind,
    on which the loss is measured. ``n_texts`` texts of at most ``n_tokens`` new tokens are sampled at temperature 1,
    with the same random numbers at each dose.
    """
    if n_texts < 2:
        raise CourseError(f"n_texts={n_texts}: what is said about texts in general needs two at least.")
    reading = {kind: pad(model, texts) for kind, texts in (read or {}).items()}
    start = model.to_tokens(prompt)
    found = {}
    for dose in doses:
        hooks = steer(dose)
        tokens = write_on(model, start.repeat(n_texts, 1), n_tokens, hooks=hooks, seed=seed)
        found[dose] = SteeredModel(
            tuple(model.to_str_tokens(prompt)[1:]),
            tuple(_words(model, row) for row in tokens[:, start.shape[1] :]),
            {kind: _loss(model, texts, hooks) for kind, texts in reading.items()},
        )
    return found


@torch.no_grad()
def _loss(model: Transformer, texts: PaddedTexts, hooks: Hooks) -> Float[Tensor, " text"]:
    return loss_of_each(model.run_with_hooks(texts.tokens, hooks), texts.tokens, texts.where)


def _words(model: Transformer, row: Int[Tensor, " pos"]) -> Words:
    """The words of a row up to its first end-of-text token, which stays: the text says that it ends there."""
    words = model.to_str_tokens(row)
    end = model.tokenizer.end
    return tuple(words[: words.index(end) + 1] if end in words else words)


def _sums(rows: Sequence[Sequence[bool]]) -> Float[Tensor, " text"]:
    return torch.tensor([float(sum(row)) for row in rows])
