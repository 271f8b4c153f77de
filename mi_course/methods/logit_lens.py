"""What would the model answer if it had to stop here? Every layer's residual stream, read as if it were the last.

The unembedding turns the final residual stream into logits. All layers write to the same stream, so the same
reading can be taken earlier: after the embedding, after layer 0, and so on. Often the answer takes shape step by step.

    lens(resid) = ln_final(resid) @ W_U

What it does not show: a layer may hold the answer in directions that later layers still turn into those that the
unembedding reads; then the lens sees nothing although the information is there (a probe would find it). And what
it shows at a middle layer is no prediction that the model ever makes. In some models early layers read as noise:
"tuned lens" (Belrose et al. 2023, arXiv 2303.08112) learns a correction for each layer.

Source: nostalgebraist 2020, "interpreting GPT: the logit lens".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.models.transformer import Transformer


@dataclass(frozen=True)
class TopTokens:
    """The most probable tokens of every cell of the lens, the best first.

    ``tokens``, ``log_probs``: "layer batch pos k". ``words``: the tokens as text, in the same nesting.
    """

    tokens: Int[Tensor, "layer batch pos k"]
    log_probs: Float[Tensor, "layer batch pos k"]
    words: list[list[list[list[str]]]]


@dataclass(frozen=True)
class LogitLens:
    """``logits[layer, example, position]``: the logits of the next token, read after every layer.

    ``layers``: the labels of the first axis: "embed" (token and position, before layer 0), then "L0", "L1", …,
    each *after* that layer. The last one is the model's own answer. ``tokens``: the input at the positions that
    were kept, ``str_tokens`` the same as text, a row for each example (the numbers, if the model has no tokenizer).
    """

    logits: Float[Tensor, "layer batch pos d_vocab"]
    layers: tuple[str, ...]
    tokens: Int[Tensor, "batch pos"]
    str_tokens: tuple[tuple[str, ...], ...]
    words_of: Callable[[list[int]], list[str]] = field(repr=False, compare=False)

    @property
    def log_probs(self) -> Float[Tensor, "layer batch pos d_vocab"]:
        """Natural logarithms of the probabilities, 0 at most."""
        return self.logits.log_softmax(dim=-1)

    @property
    def answers(self) -> Int[Tensor, "batch pos"]:
        """The token that the whole model finds most probable at each position."""
        return self.logits[-1].argmax(dim=-1)

    def logit(self, target: int | Int[Tensor, "*shape"]) -> Float[Tensor, "layer batch pos"]:
        """The logit of ``target`` in every cell: one token for all, one an example, or "batch pos", one a cell."""
        return self.logits.gather(-1, self._cells(target))[..., 0]

    def log_prob(self, target: int | Int[Tensor, "*shape"]) -> Float[Tensor, "layer batch pos"]:
        """The log-probability of ``target`` (as in `logit`) in every cell, in nats: 0 is certainty."""
        return self.logit(target) - self.logits.logsumexp(dim=-1)

    def rank(self, target: int | Int[Tensor, "*shape"]) -> Int[Tensor, "layer batch pos"]:
        """How many tokens are more probable than ``target`` (as in `logit`): 0 where it is the first choice."""
        return (self.logits > self.logit(target)[..., None]).sum(dim=-1)

    def top(self, k: int = 5) -> TopTokens:
        """The ``k`` most probable tokens of every cell."""
        log_probs, tokens = self.log_probs.topk(min(k, self.logits.shape[-1]), dim=-1)
        words = [[[self.words_of(cell) for cell in row] for row in layer] for layer in tokens.tolist()]
        return TopTokens(tokens, log_probs, words)

    def kl_to_final(self) -> Float[Tensor, "layer batch pos"]:
        """How far each layer's reading is from the model's own answer: KL(final ‖ layer) in nats.

        0: the same distribution, as in the last layer. A measure without a chosen token, for "has it decided yet?".
        """
        log_probs = self.log_probs
        return (log_probs[-1].exp() * (log_probs[-1] - log_probs)).sum(dim=-1)

    def _cells(self, target: int | Tensor) -> Tensor:
        """``target`` as an index for every cell."""
        n_layers, n_batch, n_pos, d_vocab = self.logits.shape
        target = torch.as_tensor(target, device=self.logits.device)
        if target.ndim == 1:
            target = target[:, None]
        if target.ndim > 2 or any(size not in (1, n) for size, n in zip(target.shape, (n_batch, n_pos))):
            raise ValueError(
                f"target has shape {tuple(target.shape)}; give one token, one for each of the {n_batch} examples, "
                f"or one for each position, shape ({n_batch}, {n_pos})."
            )
        if target.min() < 0 or target.max() >= d_vocab:
            raise ValueError(f"target holds tokens outside of the vocabulary, 0 to {d_vocab - 1}.")
        return target.long().expand(n_batch, n_pos).expand(n_layers, -1, -1)[..., None]


@torch.no_grad()
def read(model: Transformer, tokens: Int[Tensor, "batch pos"], *, position: int | None = None) -> LogitLens:
    """Read the residual stream after the embedding and after every layer through the model's own unembedding.

    ``position``: keep only this one (from 0, or from the end if negative): all logits of a large vocabulary take
    memory, 4 bytes × (layers + 1) × examples × positions × d_vocab. Ask the result for what you want to see:
    ``lens.top(5)``, ``lens.log_prob(token)``, ``lens.rank(token)``. Control: an untrained model, whose lens shows
    at every depth little more than the token that went in.
    """
    n_pos = tokens.shape[1]
    if position is not None and not -n_pos <= position < n_pos:
        raise ValueError(f"position={position}; the rows have positions 0 to {n_pos - 1}, or -{n_pos} to -1.")
    kept = slice(None) if position is None else slice(position % n_pos, position % n_pos + 1)

    first = ["blocks.0.hook_resid_pre"] if model.config.n_layers else []
    names = first + [f"blocks.{layer}.hook_resid_post" for layer in range(model.config.n_layers)]
    final, cache = model.run_with_cache(tokens, names, stop_at_layer=model.config.n_layers)
    stream = [cache[name][:, kept] for name in names] or [final[:, kept]]
    words_of = _words(model)
    shown = tokens[:, kept]
    return LogitLens(
        logits=torch.stack([model.unembed(resid) for resid in stream]),
        layers=("embed", *(f"L{layer}" for layer in range(model.config.n_layers))),
        tokens=shown,
        str_tokens=tuple(tuple(words_of(row)) for row in shown.tolist()),
        words_of=words_of,
    )


def _words(model: Transformer) -> Callable[[list[int]], list[str]]:
    if model.tokenizer is None:
        return lambda tokens: [str(token) for token in tokens]
    return model.to_str_tokens
