"""Where a network can be patched: the names of the sites, their cells, and what patching a cell does to the stream.

Stream sites have one cell a layer and position, head sites one a layer and head:

    resid_pre, resid_mid, resid_post   the residual stream before a layer, behind its attention, behind its MLP
    attn_out, mlp_out                  what the attention, or the MLP, of a layer writes
    z                                  what a head has collected (its output, before W_O)
    q, k, v                            a head's queries, keys or values
    pattern                            where a head looks

A head reaches the rest of the network only over what it writes. So every cell of every site comes down to the same
thing, a change of the residual stream at one depth, and `suffix_run` computes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.suffix_run import Change, PlainRun
from mi_course.models.transformer import Attention, Transformer

SiteName = Literal[
    "resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out", "z", "q", "k", "v", "pattern"
]
STREAM_SITES = ("resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out")
HEAD_SITES = ("z", "q", "k", "v", "pattern")

_DEPTH = {"resid_pre": 0, "resid_mid": 1, "attn_out": 1, "resid_post": 2, "mlp_out": 2}
"""How deep in its layer a site changes the stream: before it, behind its attention, behind its MLP."""


@dataclass(frozen=True)
class Site:
    """A site with its cells, for one model and one set of prompt pairs; `Site.of` checks that they fit.

    ``rows``: layers. ``columns``: heads, or positions with their token where it is the same in all clean prompts.
    ``positions``: the columns of a stream site; for a head, where it is patched. ``first_difference``: the first
    position at which any pair differs; nothing before it can change.
    """

    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    positions: tuple[int, ...]
    first_difference: int

    @classmethod
    def of(
        cls,
        model: Transformer,
        name: str,
        clean: Int[Tensor, "batch pos"],
        corrupted: Int[Tensor, "batch pos"],
        positions: Sequence[int] | None = None,
    ) -> Site:
        if name not in STREAM_SITES + HEAD_SITES:
            raise UnknownName("site", name, STREAM_SITES + HEAD_SITES)
        if name in ("resid_mid", "mlp_out") and not model.config.d_mlp:
            raise CourseError(
                f'This network is attention-only: it has no {name}. Behind the attention stands "resid_post".'
            )
        if clean.shape != corrupted.shape or clean.ndim != 2:
            raise CourseError(
                f"The clean prompts have shape {tuple(clean.shape)}, the corrupted ones {tuple(corrupted.shape)}; both "
                "must be (batch, pos), pair by pair of one length. `data.prompt_pairs.pair` makes and checks them."
            )
        chosen = _from_start(positions, clean.shape[1])
        n_heads = model.config.n_heads
        heads = tuple(f"H{head}" for head in range(n_heads))
        differs = (clean != corrupted).any(dim=0)
        return cls(
            name,
            tuple(f"L{layer}" for layer in range(model.config.n_layers)),
            heads if name in HEAD_SITES else tuple(_column(model, clean, p) for p in chosen),
            chosen,
            int(differs.int().argmax()) if differs.any() else clean.shape[1],
        )

    @property
    def of_heads(self) -> bool:
        """Whether there is one column a head, rather than one a position."""
        return self.name in HEAD_SITES

    def points(self, model: Transformer) -> list[str]:
        """The activations that both runs must keep."""
        behind_attention = "resid_mid" if model.config.d_mlp else "resid_post"
        stream = ("resid_pre", behind_attention, "resid_post")[_DEPTH.get(self.name, 1)]
        return ["resid_pre", stream, *(("q", "z", "pattern") if self.of_heads else (self.name,))]

    def changes(self, base: PlainRun, source: PlainRun) -> list[Change]:
        """For each cell, row by row, what becomes of the base run's stream if the source's activation stands there."""
        cell = _head_patched if self.of_heads else _position_patched
        return [
            cell(self, base, source, row, column)
            for row in range(len(self.rows))
            for column in range(len(self.columns))
        ]


def _position_patched(site: Site, base: PlainRun, source: PlainRun, layer: int, column: int) -> Change:
    position = site.positions[column]
    begins = position if position >= site.first_difference else base.n_pos  # a common prefix stays as it is
    added = partial(_added_at, base, source, site.name, layer, position)
    return Change(2 * layer + _DEPTH[site.name], begins, begins, added)


def _added_at(
    base: PlainRun, source: PlainRun, name: str, layer: int, position: int, rows: slice
) -> Float[Tensor, "rows 1 d_model"]:
    here = (rows, slice(position, position + 1))
    return source.cache[name, layer][here] - base.cache[name, layer][here]


def _head_patched(site: Site, base: PlainRun, source: PlainRun, layer: int, head: int) -> Change:
    patched = [position for position in site.positions if site.first_difference <= position < base.n_pos]
    begins = min(patched, default=base.n_pos)
    added = partial(_added_by_head, base, source, site.name, layer, head, patched)
    return Change(2 * layer + 1, begins, base.n_pos - 1, added)


def _added_by_head(
    base: PlainRun, source: PlainRun, name: str, layer: int, head: int, positions: list[int], rows: slice
) -> Float[Tensor, "rows changed d_model"]:
    """What one head writes more than in the base run. Heads of one layer do not hear each other."""
    attn = base.model.blocks[layer].attn
    own = {part: _of_head(base, part, layer, head, rows) for part in ("q", "k", "v", "pattern", "z")}
    axis = 2 if name == "pattern" else 1
    where = torch.tensor(positions, device=own["z"].device)
    other = _of_head(source, name, layer, head, rows).index_select(axis, where)
    z = _recomputed_z(attn, name, {**own, name: own[name].index_copy(axis, where, other)})
    return (z - own["z"])[:, min(positions) :, 0] @ attn.W_O[head]


def _recomputed_z(attn: Attention, site: str, of_head: dict[str, Tensor]) -> Tensor:
    """What the head collects, from the point on at which it was patched."""
    if site == "z":
        return of_head["z"]
    pattern = attn.look(of_head["q"], of_head["k"]) if site in ("q", "k") else of_head["pattern"]
    return attn.collect(pattern, of_head["v"])


def _of_head(run: PlainRun, part: str, layer: int, head: int, rows: slice) -> Tensor:
    """One head's part of an activation; its axis stays, with a length of 1."""
    activation = run.cache[part, layer][rows]
    return activation[:, head : head + 1] if part == "pattern" else activation[:, :, head : head + 1]


def _from_start(positions: Sequence[int] | None, n_pos: int) -> tuple[int, ...]:
    """The chosen positions, counted from the start."""
    if positions is None:
        return tuple(range(n_pos))
    chosen = [int(position) for position in positions]
    if not chosen:
        raise CourseError("positions is empty: there is nothing to patch. Leave it out for all positions.")
    for position in chosen:
        if not -n_pos <= position < n_pos:
            raise CourseError(
                f"There is no position {position}: the prompts have 0 to {n_pos - 1}, or -{n_pos} to -1 from the end."
            )
    return tuple(position % n_pos for position in chosen)


def _column(model: Transformer, clean: Tensor, position: int) -> str:
    tokens = clean[:, position].unique()
    if model.tokenizer is None or len(tokens) != 1:
        return str(position)
    return f"{position} {model.to_str_tokens(tokens)[0]}"
