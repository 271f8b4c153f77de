"""Does the answer depend on what moved from *there* to *there*? Forbid heads to look from a query at a key.

`ablation` takes a head away altogether; this only cuts chosen edges between positions, and the head's attention
goes to what is left for it to look at. Nothing is put in place of what is missing, so the model meets patterns that
it has never had; a head that has nowhere else to look turns to what it would have ignored.

Source: Geva et al. 2023, arXiv 2304.14767, "attention knockout".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Bool
from torch import Tensor

from mi_course.methods.head_scores import find_head
from mi_course.models.hooks import Hook
from mi_course.models.transformer import Transformer


def knockout_hooks(
    model: Transformer,
    pairs: Bool[Tensor, "query_pos key_pos"] | Bool[Tensor, "batch query_pos key_pos"],
    *,
    heads: Sequence[str] | None = None,
) -> list[tuple[str, Hook]]:
    """Hooks that forbid ``heads`` (all by default) to look from a query at a key where ``pairs[query, key]`` is True.

    The scores of these pairs become −inf before the softmax. A query must keep one key at least: its own position is
    the usual choice, so ``pairs`` may not forbid everything at or before it.
    """
    n_pos = pairs.shape[-1]
    may_look = ~pairs & torch.ones(n_pos, n_pos, dtype=torch.bool, device=pairs.device).tril()
    if not may_look.any(dim=-1).all():
        raise ValueError(
            "pairs leaves a query nothing to look at; leave it one key, such as its own position."
        )
    layers, n_heads = range(model.config.n_layers), model.config.n_heads
    if heads is None:
        chosen = {layer: list(range(n_heads)) for layer in layers}
    else:
        found = [find_head(head, model.config.n_layers, n_heads) for head in heads]
        chosen = {layer: [head for at, head in found if at == layer] for layer in layers}
    return [
        (f"blocks.{layer}.attn.hook_attn_scores", _forbid(pairs, heads_there))
        for layer, heads_there in chosen.items()
        if heads_there
    ]


@contextmanager
def knocked_out(
    model: Transformer,
    pairs: Bool[Tensor, "query_pos key_pos"] | Bool[Tensor, "batch query_pos key_pos"],
    *,
    heads: Sequence[str] | None = None,
) -> Iterator[None]:
    """While the context is open, the heads do not look from these queries at these keys. See `knockout_hooks`."""
    with model.hooks(knockout_hooks(model, pairs, heads=heads)):
        yield


def _forbid(pairs: Tensor, heads: list[int]) -> Hook:
    def hook(scores: Tensor, name: str) -> Tensor:
        if pairs.shape[-1] != scores.shape[-1] or (pairs.ndim == 3 and len(pairs) != len(scores)):
            raise ValueError(
                f"pairs has shape {tuple(pairs.shape)}, but this run has {len(scores)} rows of "
                f"{scores.shape[-1]} tokens."
            )
        forbidden = torch.zeros_like(scores, dtype=torch.bool)
        forbidden[:, heads] = pairs if pairs.ndim == 2 else pairs[:, None]
        return scores.masked_fill(forbidden, -torch.inf)

    return hook
