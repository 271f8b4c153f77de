"""Where does each head look? Scores from 0 to 1 that say how much of its attention follows one simple rule.

Every score here is the same measurement: mark the pairs (query, key) that the rule would choose, and take the
attention that a query spends on its marked key, averaged over the queries that have one. The rules:

    previous token    … x [y]        y looks at x
    duplicate token   … A … [A]      the second A looks at the first
    induction         … A B … [A]    the second A looks at the B that followed the first

A score says where a head looks on these inputs. It does not say what the head moves from there, nor whether the
model's answer depends on it: for that read the OV circuit (`copying`) and take the head away (`ablation`).
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_course.data import repeated_tokens
from mi_course.methods.head_scores import HeadScores
from mi_course.models.transformer import Transformer

Rows = Literal["repeated", "unrepeated"]


def induction(
    model: Transformer,
    tokens: Int[Tensor, "batch pos"] | None = None,
    *,
    on: Rows = "repeated",
    period: int | None = None,
    n: int = 8,
    seed: int = 0,
) -> HeadScores:
    """Prefix-matching score: attention from the second copy of a token to what *followed* its first copy.

    On a block of ``period`` random tokens, twice: the mean, over the second copy, of the diagonal that lies
    ``period − 1`` before the query. 1: the head always looks there. ``chance``: a head that looks at all earlier
    positions alike.

    ``tokens``: rows ``[bos] block block``; by default ``n`` rows of `data.repeated_tokens`, with a block as long as
    the model's context allows (50 at most). A model that was trained on short repetitions, or never saw some of the
    tokens in one, can fail on these: then choose ``period`` or make your own rows.
    ``on="unrepeated"`` is the control: the same diagonal on rows where nothing comes back (any tokens then do).
    A head that scores high there looks at a fixed distance and matches nothing.

    Not the only definition in use: others count the share of heads or of attention that fits the whole
    pattern, and their figures cannot be compared with these. Source: Olsson et al. 2022, arXiv 2209.11895,
    "prefix matching".
    """
    tokens, period = _rows(model, tokens, on, period, n, seed)
    return _diagonal(
        model, tokens, back=period - 1, first=_start(tokens, period) + period, what="induction score"
    )


def duplicate_token(
    model: Transformer,
    tokens: Int[Tensor, "batch pos"] | None = None,
    *,
    on: Rows = "repeated",
    period: int | None = None,
    n: int = 8,
    seed: int = 0,
) -> HeadScores:
    """Attention from the second copy of a token to its first: the diagonal ``period`` before the query.

    Arguments, range, ``chance`` and control as in `induction`. Source: duplicate-token heads are named by Wang et al.
    2022, arXiv 2211.00593.
    """
    tokens, period = _rows(model, tokens, on, period, n, seed)
    first = _start(tokens, period) + period
    return _diagonal(model, tokens, back=period, first=first, what="duplicate-token score")


def previous_token(
    model: Transformer,
    tokens: Int[Tensor, "batch pos"] | None = None,
    *,
    on: Rows = "repeated",
    period: int | None = None,
    n: int = 8,
    seed: int = 0,
) -> HeadScores:
    """Attention from each token to the one just before it: the first diagonal below the main one.

    ``tokens`` may be any text of two tokens or more; by default the rows of `induction`, which ``on``, ``period``,
    ``n`` and ``seed`` describe. The first query has nothing before it and is left out. Range and ``chance`` as in
    `induction`. Such heads go by position, whatever the tokens: the control is an untrained model.
    """
    if tokens is None:
        tokens, _ = _rows(model, None, on, period, n, seed)
    if tokens.shape[1] < 2:
        raise ValueError(f"Rows of {tokens.shape[1]} token(s) have no previous token; give two or more.")
    return _diagonal(model, tokens, back=1, first=1, what="previous-token score")


@torch.no_grad()
def mean_attention(
    model: Transformer,
    tokens: Int[Tensor, "batch pos"],
    pairs: Bool[Tensor, "query_pos key_pos"] | Bool[Tensor, "batch query_pos key_pos"],
    *,
    measure: str = "attention to the marked pairs",
) -> HeadScores:
    """For every head, the attention that goes from marked queries to their marked keys.

    ``pairs[query, key]``: the rule, one for all rows or one a row. What a query spends on all of its marked keys
    is added up, and the sums are averaged over the queries that have a marked key. 0: never there; 1: nowhere
    else. ``chance``: the same for a head that looks at itself and all earlier positions alike.

    Raises ValueError if a row has no marked pair, or if a marked key comes after its query, where no head can look.
    """
    n_pos = tokens.shape[1]
    pairs = pairs.expand(len(tokens), -1, -1).to(tokens.device)
    if pairs.shape[1:] != (n_pos, n_pos):
        raise ValueError(
            f"pairs has shape {tuple(pairs.shape)}, but the rows of tokens have {n_pos} positions."
        )
    if not pairs.any(dim=-1).any(dim=-1).all():
        raise ValueError("pairs marks nothing in at least one row; a mean over no query is not a number.")
    if pairs.triu(1).any():
        raise ValueError("pairs marks keys that come after their query; attention only looks back.")

    queries = pairs.any(dim=-1).sum(dim=-1)
    layers: list[Float[Tensor, "batch head"]] = []

    def score(pattern: Float[Tensor, "batch head query_pos key_pos"], name: str) -> None:
        # At once, layer by layer: the patterns of a large model together would fill the memory.
        spent = torch.einsum("bhqk,bqk->bh", pattern, pairs.to(pattern.dtype))
        layers.append(spent / queries[:, None])

    names = [f"blocks.{layer}.attn.hook_pattern" for layer in range(model.config.n_layers)]
    model.run_with_hooks(tokens, [(name, score) for name in names])
    by_example = torch.stack(layers, dim=1)
    alike = torch.ones(n_pos, n_pos, device=tokens.device).tril()
    chance = (alike / alike.sum(dim=-1, keepdim=True) * pairs).sum(dim=(-2, -1)) / queries
    return HeadScores(
        values=by_example.mean(dim=0),
        measure=measure,
        unit="share of attention",
        chance=float(chance.mean()),
        by_example=by_example,
    )


def _diagonal(
    model: Transformer, tokens: Int[Tensor, "batch pos"], *, back: int, first: int, what: str
) -> HeadScores:
    """Attention from each query, from position ``first`` on, to the key ``back`` positions before it."""
    query = torch.arange(first, tokens.shape[1])
    pairs = torch.zeros(tokens.shape[1], tokens.shape[1], dtype=torch.bool)
    pairs[query, query - back] = True
    return mean_attention(model, tokens, pairs, measure=what)


def _rows(
    model: Transformer,
    tokens: Int[Tensor, "batch pos"] | None,
    on: Rows,
    period: int | None,
    n: int,
    seed: int,
) -> tuple[Int[Tensor, "batch pos"], int]:
    """The rows to score and the length of their block, made to fit the model or checked."""
    if tokens is None:
        bos = model.tokenizer.bos_id if model.tokenizer else None
        if period is None:
            # Few enough tokens that even the control finds different ones for both halves.
            period = min(50, (model.config.n_ctx - 1) // 2, (model.config.d_vocab - 1) // 2)
        make = repeated_tokens.batch if on == "repeated" else repeated_tokens.unrepeated
        device = next(model.parameters()).device
        return make(model.config.d_vocab, n, period, bos=bos, seed=seed).to(device), period
    period = tokens.shape[1] // 2 if period is None else period
    if not 1 < period <= tokens.shape[1] // 2 or _start(tokens, period) > 1:
        raise ValueError(
            f"Rows of {tokens.shape[1]} tokens are not blocks of {period}, twice or more, behind at most one BOS: "
            "name the right period."
        )
    first = tokens[:, _start(tokens, period) :]
    if on == "repeated" and not torch.equal(first[:, :-period], first[:, period:]):
        raise ValueError(
            f"These rows are not a block of {period} tokens that comes twice (behind at most one BOS). Make them "
            'with data.repeated_tokens.batch, name their period, or pass on="unrepeated" to score them as a control.'
        )
    return tokens, period


def _start(tokens: Int[Tensor, "batch pos"], period: int) -> int:
    """Where the first block begins: behind the BOS, if a row is one longer than whole blocks."""
    return tokens.shape[1] % period
