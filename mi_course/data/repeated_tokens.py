"""Random tokens, and then the same tokens once more: a text that says nothing and can still be predicted.

A row is ``[bos] A B C … A B C …``: a block of random tokens, repeated. In the first copy nothing tells what comes
next. In the second everything does, for a reader who looks back at what followed the same token before. No
meaning and no habit of the language helps, so what a model does on such rows shows that one skill and no other.
`unrepeated` is the control: rows of the same make and length, in which nothing comes back.

Such rows are the standard probe for induction heads (Elhage et al. 2021, "A Mathematical Framework for
Transformer Circuits"; Olsson et al. 2022, arXiv 2209.11895). There tokens are drawn with replacement from a large
vocabulary; here the tokens of a block all differ, so that "what followed it before" has one answer in a small
vocabulary too.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from jaxtyping import Int
from torch import Tensor


def batch(
    d_vocab: int,
    n: int,
    period: int,
    *,
    copies: int = 2,
    bos: int | None = None,
    exclude: Collection[int] = (),
    distinct: bool = True,
    seed: int = 0,
) -> Int[Tensor, "batch pos"]:
    """``n`` rows of a block of ``period`` random tokens, ``copies`` times over.

    ``d_vocab``: tokens are drawn from 0 to d_vocab − 1, all alike, without ``bos`` and those in ``exclude``.
    ``bos``: this token stands in front of every row, so that rows have ``period * copies + 1`` positions;
    with None they have ``period * copies``. ``distinct``: the tokens of one block all differ. ``seed``: the same
    seed gives the same rows.

    Raises ValueError if the vocabulary has fewer tokens to draw from than a block has places.
    """
    if copies < 1 or period < 1 or n < 1:
        raise ValueError(f"n={n}, period={period}, copies={copies}: each must be at least 1.")
    block = _draw(d_vocab, n, period, bos, exclude, distinct, seed)
    return _behind(bos, block.repeat(1, copies))


def unrepeated(
    d_vocab: int,
    n: int,
    period: int,
    *,
    copies: int = 2,
    bos: int | None = None,
    exclude: Collection[int] = (),
    distinct: bool = True,
    seed: int = 0,
) -> Int[Tensor, "batch pos"]:
    """Rows as long as those of `batch`, where what stands for the second copy is random tokens too.

    The arguments are those of `batch`. The first ``period`` tokens are, for the same seed, those of `batch`. With
    ``distinct`` no token of a row comes back, so there is nothing to copy.
    """
    if copies < 1 or period < 1 or n < 1:
        raise ValueError(f"n={n}, period={period}, copies={copies}: each must be at least 1.")
    return _behind(bos, _draw(d_vocab, n, period * copies, bos, exclude, distinct, seed))


def predictable(period: int, *, copies: int = 2, bos: int | None = None) -> slice:
    """The positions of a row of `batch` whose *next* token has been settled by the first copy.

    Use it on the axis "pos" of logits, of losses, or of the query positions of an attention pattern. It runs
    from the first token of the second copy to the last but one of the row: ``period * (copies - 1) - 1``
    positions. That a second copy begins cannot be known before its first token is there.
    """
    first = period + (bos is not None)
    return slice(first, first + period * (copies - 1) - 1)


def _draw(
    d_vocab: int, n: int, places: int, bos: int | None, exclude: Collection[int], distinct: bool, seed: int
) -> Int[Tensor, "batch places"]:
    """Random tokens; row r and place p do not depend on how many rows or places there are."""
    forbidden = {*exclude, *(() if bos is None else (bos,))}
    allowed = torch.tensor([token for token in range(d_vocab) if token not in forbidden], dtype=torch.long)
    if len(allowed) < (places if distinct else 1):
        raise ValueError(
            f"{places} different tokens are asked for, but only {len(allowed)} of {d_vocab} may be drawn. "
            "Choose a shorter period, or distinct=False."
        )
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for _ in range(n):
        if distinct:
            picked = torch.randperm(len(allowed), generator=generator)[:places]
        else:
            row_seed = int(torch.randint(2**62, (1,), generator=generator))
            own = torch.Generator().manual_seed(row_seed)
            picked = torch.randint(len(allowed), (places,), generator=own)
        rows.append(allowed[picked])
    return torch.stack(rows)


def _behind(bos: int | None, rows: Int[Tensor, "batch places"]) -> Int[Tensor, "batch pos"]:
    if bos is None:
        return rows
    return torch.cat([torch.full((len(rows), 1), bos, dtype=torch.long), rows], dim=1)
