# ruff: noqa: N803 (matrices are upper case in the formulas)
"""Run a model in which chosen connections carry something else, and everything behind them is computed anew.

Each receiver of the `edge_graph` reads its own residual stream, in which every sender is either heard as it is in
this run, or replaced by a *reference*:

    input[r] = b + Σ_s  mask[r, s] · current[s] + (1 − mask[r, s]) · reference[s]

``current[s]`` is what the sender writes in this very run, which depends on the edges into it; ``b`` the attention
biases, which belong to no sender. A mask of ones is the model; a mask of zeros is the reference at every input, so
that with corrupted prompts as reference the corrupted logits come out. Everything in between is a *circuit*: its
edges work, all others carry the reference. Circuits and their faithfulness, the search for circuits, and the effect
of a single edge are all questions to this one function.

What it does not show: that the model *does* compute its answer over these edges and no others. An edge may carry
nothing that differs from the reference, and with another reference it may be needed.

Source: edges patched as in Conmy et al. 2023, arXiv 2304.14997; Goldowsky-Dill et al. 2023, arXiv 2304.05969.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.edge_graph import EdgeGraph, Step
from mi_course.methods.metrics import at_position
from mi_course.models.activation_cache import point_name
from mi_course.models.transformer import Transformer

Reference = Literal["corrupted", "mean", "zero"]
Position = int | Int[Tensor, " batch"] | None
"""Where the answer is read: one position for all prompts, one a prompt, or None for all positions."""

_MEMORY = 256e6
"""Bytes that the circuits of one chunk may take, roughly."""


@torch.no_grad()
def sender_outputs(
    model: Transformer, tokens: Int[Tensor, "batch pos"]
) -> Float[Tensor, "sender batch pos d_model"]:
    """What every sender of `EdgeGraph` writes to the residual stream in a plain run, in the order of ``senders``.

    "embed" is token and position together; heads are without the attention's bias, MLPs with theirs.
    """
    layers = range(model.config.n_layers)
    points = [("z", layer) for layer in layers]
    points += [("mlp_out", layer) for layer in layers if model.config.d_mlp]
    names = ["hook_embed", "hook_pos_embed", *(point_name(*point) for point in points)]
    _, cache = model.run_with_cache(tokens, names, stop_at_layer=model.config.n_layers)
    written = [(cache["embed"] + cache["pos_embed"])[None]]
    for layer, block in enumerate(model.blocks):
        written.append(torch.einsum("bphk,hkd->hbpd", cache["z", layer], block.attn.W_O))
        if block.mlp is not None:
            written.append(cache["mlp_out", layer][None])
    return torch.cat(written)


def reference_outputs(
    model: Transformer, corrupted: Int[Tensor, "batch pos"], kind: Reference = "corrupted"
) -> Float[Tensor, "sender _ pos d_model"]:
    """What a removed edge carries instead, for `run`.

    "corrupted": what the sender writes on the corrupted prompt of the same row. "mean": its mean over the corrupted
    prompts, position by position. "zero": nothing. The last two have one row, which serves every prompt.
    """
    if kind not in ("corrupted", "mean", "zero"):
        raise UnknownName("kind of reference", kind, ("corrupted", "mean", "zero"))
    outputs = sender_outputs(model, corrupted)
    if kind == "corrupted":
        return outputs
    mean = outputs.mean(dim=1, keepdim=True)
    return mean if kind == "mean" else torch.zeros_like(mean)


def run(
    model: Transformer,
    tokens: Int[Tensor, "batch pos"],
    masks: Float[Tensor, "circuit receiver sender"] | Float[Tensor, "circuit receiver sender _"],
    reference: Float[Tensor, "sender _ pos d_model"],
    *,
    position: Position = -1,
    chunk_size: int | None = None,
) -> Float[Tensor, "circuit batch read d_vocab"]:
    """The logits of the model with each of several masks, where the answer is read.

    ``masks``: for each circuit 1 where an edge is there and 0 where it carries the ``reference`` (`EdgeGraph.mask`,
    `Circuit.mask`); anything in between mixes the two. A fourth axis gives every position a mask of its own; an
    edge never leads from one position to another. ``reference``: from `reference_outputs`.

    ``position``: where logits are computed, the last one by default; None: at all positions. The third axis of the
    result has one entry, or all positions. ``chunk_size``: how many circuits run at once; by default as many as
    need about 256 MB.

    If ``masks`` requires gradients, the logits are differentiable in it. All that this needs stays in memory until
    then: keep the number of circuits small.
    """
    return EdgePatcher(model, tokens, reference, position=position, chunk_size=chunk_size).logits(masks)


class EdgePatcher:
    """`run` for many masks on the same prompts: what does not depend on the masks is computed once.

    ``EdgePatcher(model, tokens, reference).logits(masks)``; arguments as in `run`. A run begins at the first
    receiver with a removed edge, and leaves out all from which no edge leads on to the logits. ``runs`` counts the
    circuits that have been run.
    """

    def __init__(
        self,
        model: Transformer,
        tokens: Int[Tensor, "batch pos"],
        reference: Float[Tensor, "sender _ pos d_model"],
        *,
        position: Position = -1,
        chunk_size: int | None = None,
    ):
        self.model, self.graph, self.runs = model, EdgeGraph.of(model), 0
        clean = sender_outputs(model, tokens)
        _check_reference(clean, reference)
        n_pos, device = tokens.shape[1], tokens.device
        self._everywhere = self._at_answer = _Fixed(
            clean - reference,
            reference,
            _bases(self.graph, model, reference),
            torch.arange(n_pos, device=device)[None],
        )
        if position is not None:
            self._at_answer = self._everywhere.at(_from_start(position, tokens))
        bytes_a_circuit = clean[0].numel() * clean.element_size() * (len(clean) + 9 * model.config.n_heads)
        self._chunk_size = chunk_size or max(1, int(_MEMORY / bytes_a_circuit))

    def logits(
        self, masks: Float[Tensor, "circuit receiver sender"] | Float[Tensor, "circuit receiver sender _"]
    ) -> Float[Tensor, "circuit batch read d_vocab"]:
        """The logits with each of these masks."""
        _check_masks(masks, self.graph, n_pos=self._everywhere.reference.shape[2])
        masks = masks.to(self.model.W_E)
        masks = masks[..., None, None] if masks.ndim == 3 else masks[..., None, :]  # of each row and position
        self.runs += len(masks)
        with torch.set_grad_enabled(masks.requires_grad):
            return torch.cat([self._logits(chunk) for chunk in masks.split(self._chunk_size)])

    def _logits(self, masks: Tensor) -> Float[Tensor, "circuit batch read d_vocab"]:
        heard, first = self._heard(masks), self._first_step(masks)
        streams = _Streams.begin(self._everywhere, masks, n_shared=self.graph.steps[first].visible)
        for number, step in enumerate(self.graph.steps[first:], first):
            keys = streams
            if step.layer >= self.graph.n_layers - 1 and streams.fixed is not self._at_answer:
                # Behind the last keys and values nothing counts but the place where the answer is read.
                streams = streams.at(self._at_answer)
            if step.part == "logits":
                return _applied(self.model.unembed, streams.inputs(number, step.receivers)[:, 0])
            senders = heard[step.sends].nonzero()[:, 0]
            if len(senders):
                written = (
                    self._heads(step, number, senders, queries=streams, keys=keys)
                    if step.part == "attn"
                    else self._mlp(step, number, streams)
                )
                streams = streams.joined_by(written, senders + step.sends.start)
        raise AssertionError("the last step makes the logits")

    def _heads(
        self, step: Step, number: int, heads: Tensor, *, queries: _Streams, keys: _Streams
    ) -> Float[Tensor, "circuit head batch query_pos d_model"]:
        """What these heads of a layer write. Each reads a query, a key and a value input of its own."""
        block = self.model.blocks[step.layer]
        attn, rows = block.attn, step.receivers.start + 3 * heads

        def project(streams: _Streams, part: int, W: Tensor, b: Tensor | None) -> Tensor:
            x = _applied(block.ln1, streams.inputs(number, rows + part))
            projected = torch.einsum("chbpd,hdk->chbpk", x, W[heads])
            return projected if b is None else projected + b[heads, None, None]

        q = project(queries, 0, attn.W_Q, attn.b_Q)
        k = project(keys, 1, attn.W_K, attn.b_K)
        v = project(keys, 2, attn.W_V, attn.b_V)
        future = keys.fixed.positions[:, None, :] > queries.fixed.positions[:, :, None]
        scores = torch.einsum("chbqk,chbpk->chbqp", q, k) / math.sqrt(attn.d_head)
        pattern = scores.masked_fill(future, -torch.inf).softmax(dim=-1)
        z = torch.einsum("chbqp,chbpk->chbqk", pattern, v)
        return torch.einsum("chbqk,hkd->chbqd", z, attn.W_O[heads])

    def _mlp(
        self, step: Step, number: int, streams: _Streams
    ) -> Float[Tensor, "circuit sender batch pos d_model"]:
        block = self.model.blocks[step.layer]
        return _applied(lambda x: block.mlp(block.ln2(x)), streams.inputs(number, step.receivers))

    def _heard(self, masks: Tensor) -> Bool[Tensor, " sender"]:
        """The senders that must be run. The gradient of an absent edge depends on what it would have carried."""
        there = (masks != 0).flatten(3).any(dim=-1).any(dim=0)
        return torch.ones_like(there[0]) if masks.requires_grad else self.graph.heard(there).to(masks.device)

    def _first_step(self, masks: Tensor) -> int:
        """The first step that differs from the plain run."""
        if masks.requires_grad:
            return 0
        for number, step in enumerate(self.graph.steps[:-1]):
            if (masks[:, step.receivers, : step.visible] != 1).any():
                return number
        return len(self.graph.steps) - 1


@dataclass(frozen=True)
class _Fixed:
    """What no mask changes: at all positions, or only where the answer is read.

    ``beyond``: what each sender writes in the plain run beyond its reference. ``bases``: what the receivers of each
    step read if all their edges are removed. A batch axis of 1 serves all prompts.
    """

    beyond: Float[Tensor, "sender batch pos d_model"]
    reference: Float[Tensor, "sender _ pos d_model"]
    bases: Float[Tensor, "step _ pos d_model"]
    positions: Int[Tensor, "_ pos"]

    def at(self, position: Int[Tensor, " batch"]) -> _Fixed:
        return _Fixed(
            *(_narrow(x, position) for x in (self.beyond, self.reference, self.bases)), position[:, None]
        )


@dataclass(frozen=True)
class _Streams:
    """The residual streams of a few circuits: what the senders so far have written beyond their reference.

    The first ``n_shared`` senders write in all circuits what they write in the plain run; ``own`` holds those that
    have been run since, ``columns`` which they are.
    """

    fixed: _Fixed
    masks: Float[Tensor, "circuit receiver sender _ _"]
    n_shared: int
    own: Float[Tensor, "circuit ran batch pos d_model"]
    columns: Int[Tensor, " ran"]

    @classmethod
    def begin(cls, fixed: _Fixed, masks: Tensor, n_shared: int) -> _Streams:
        own = fixed.beyond[:0].expand(len(masks), *fixed.beyond[:0].shape)
        return cls(fixed, masks, n_shared, own, torch.zeros(0, dtype=torch.long, device=own.device))

    def inputs(
        self, step: int, receivers: slice | Int[Tensor, " receiver"]
    ) -> Float[Tensor, "circuit receiver batch pos d_model"]:
        """What these receivers of a step read."""
        masks, shared = self.masks[:, receivers], self.fixed.beyond[: self.n_shared]
        heard = _heard_through(masks[:, :, : self.n_shared], shared, "sbpd")
        if len(self.columns):
            heard = heard + _heard_through(masks[:, :, self.columns], self.own, "csbpd")
        return heard + self.fixed.bases[step]

    def joined_by(self, written: Float[Tensor, "circuit ran batch pos d_model"], columns: Tensor) -> _Streams:
        """With senders that have now been run."""
        own = torch.cat([self.own, written - self.fixed.reference[columns]], dim=1)
        return replace(self, own=own, columns=torch.cat([self.columns, columns]))

    def at(self, fixed: _Fixed) -> _Streams:
        """Only at the positions of ``fixed``, one a row."""
        position = fixed.positions[:, 0]
        masks = self.masks
        if masks.shape[-1] > 1:
            masks = masks[..., 0, position][..., None]
        return replace(self, fixed=fixed, masks=masks, own=_narrow(self.own, position))


def _heard_through(masks: Tensor, written: Tensor, axes: str) -> Tensor:
    """The sum over senders of what each mask lets through."""
    if masks.shape[-2:] == (1, 1):
        return torch.einsum(f"crs,{axes}->crbpd", masks[..., 0, 0], written)
    return torch.einsum(f"crsbp,{axes}->crbpd", masks, written)


def _applied(module: Callable[[Tensor], Tensor], x: Float[Tensor, "... batch pos d_model"]) -> Tensor:
    """A module that takes "batch pos d_model", on inputs with more axes in front."""
    return module(x.flatten(end_dim=-3)).unflatten(0, x.shape[:-2])


def _narrow(x: Float[Tensor, "... _ pos d_model"], position: Int[Tensor, " batch"]) -> Tensor:
    """One position of each row; a single row serves all."""
    x = x.expand(*x.shape[:-3], len(position), -1, -1)
    return x[..., torch.arange(len(position), device=x.device), position, :][..., None, :]


@torch.no_grad()
def _bases(graph: EdgeGraph, model: Transformer, reference: Tensor) -> Float[Tensor, "step _ pos d_model"]:
    bases, base, column = [], torch.zeros_like(reference[0]), 0
    for step in graph.steps:
        base = base + reference[column : step.visible].sum(dim=0)
        bases.append(base)
        column = step.visible
        if step.part == "attn" and model.blocks[step.layer].attn.b_O is not None:
            base = base + model.blocks[step.layer].attn.b_O
    return torch.stack(bases)


def _from_start(position: int | Tensor, tokens: Tensor) -> Int[Tensor, " batch"]:
    """The position of each row, counted from the start and checked."""
    places = torch.arange(tokens.shape[1], device=tokens.device).expand(tokens.shape)
    return at_position(places, position)


def _check_reference(clean: Tensor, reference: Tensor) -> None:
    if reference.shape not in (clean.shape, clean[:, :1].shape):
        raise CourseError(
            f"The reference has shape {tuple(reference.shape)}, these prompts need {tuple(clean.shape)} (sender, "
            "batch, pos, d_model), or 1 in place of batch. Take it from reference_outputs(model, corrupted), with "
            "as many corrupted prompts of the same length."
        )


def _check_masks(masks: Tensor, graph: EdgeGraph, n_pos: int) -> None:
    expected = (len(graph.receivers), len(graph.senders))
    if (
        masks.ndim not in (3, 4)
        or masks.shape[1:3] != expected
        or masks.shape[3:] not in ((), (1,), (n_pos,))
    ):
        hint = " One mask alone needs a circuit axis: mask[None]." if masks.ndim == 2 else ""
        raise CourseError(
            f"masks has shape {tuple(masks.shape)}; expected (circuit, receiver, sender) with {expected[0]} receivers "
            f"and {expected[1]} senders, and perhaps a last axis of 1 or {n_pos} positions.{hint}"
        )
    if not len(masks):
        raise CourseError("masks holds no circuit: there is nothing to run.")
