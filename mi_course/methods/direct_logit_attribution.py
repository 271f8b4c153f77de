"""Who wrote the answer? A logit taken apart into one addend for every part of the network that wrote to it.

The residual stream at the end is a sum: embedding, position, the output of every head and every MLP, biases.
The logit of a token reads it along one direction, ``W_U[:, token]``. A sum read along a direction is a sum of
readings, so each addend's own contribution can be computed. Only the final layer norm is in the way: its scale
depends on all of them together. It is held at the value that it had in this run; then everything adds up exactly.

This is the *direct* effect: what a component wrote that the logit reads. What it told later components, which
then wrote, is counted with them. A component that would be replaced if it were missing has a contribution all
the same, and its ablation has no effect (`ablation`).

Source: Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits", on direct paths; used on a logit
difference by Wang et al. 2022, arXiv 2211.00593.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.errors import UnknownName
from mi_course.methods.head_scores import HeadScores, find_head, head_label
from mi_course.methods.metrics import answer_columns, at_position
from mi_course.models.activation_cache import ActivationCache, point_name
from mi_course.models.transformer import Transformer


@dataclass(frozen=True)
class LogitAttribution:
    """``values[example, component]``: what each component added to the logit (or logit difference), in logits.

    Positive: it spoke for the answer (for ``correct`` against ``wrong``). Negative: against it. 0: what it wrote
    is not read by this logit at this position, or cancels.

    ``labels``: "embed", "pos_embed", then for each layer its heads ("L0H0" …), "L0 b_O" (the attention's bias,
    which belongs to no head) and "L0 MLP" (with its own biases), and "ln_final.b", the final norm's bias.
    ``logit``: what the model itself gave. ``unit``: "logits".
    """

    values: Float[Tensor, "batch component"]
    labels: tuple[str, ...]
    logit: Float[Tensor, " batch"]
    unit: str = "logits"

    @property
    def residue(self) -> Float[Tensor, " batch"]:
        """What is left of the model's logit after all contributions: rounding errors, and nothing else."""
        return self.logit - self.values.sum(dim=1)

    @property
    def mean(self) -> Float[Tensor, " component"]:
        """The mean over the batch, in the order of ``labels``."""
        return self.values.mean(dim=0)

    def of(self, label: str) -> Float[Tensor, " batch"]:
        """One component's contribution to every example."""
        if label not in self.labels:
            raise UnknownName("component", label, self.labels)
        return self.values[:, self.labels.index(label)]

    def heads(self) -> HeadScores:
        """The heads alone, as a layer × head table."""
        heads = [label for label in self.labels if re.fullmatch(r"L\d+H\d+", label)]
        if not heads:
            raise ValueError(
                "These contributions are summed by layer; ask the attribution by component for heads."
            )
        n_layers = 1 + max(int(label[1:].split("H")[0]) for label in heads)
        by_example = torch.stack([self.of(label) for label in heads], dim=1).unflatten(1, (n_layers, -1))
        return HeadScores(by_example.mean(dim=0), "direct contribution", self.unit, 0.0, by_example)

    def by_layer(self) -> LogitAttribution:
        """The same sum in fewer addends: the heads and the bias of one attention layer together, as "L0 attn"."""
        groups: dict[str, list[Tensor]] = {}
        for label in self.labels:
            group = re.sub(r"^(L\d+)(H\d+| b_O)$", r"\1 attn", label)
            groups.setdefault(group, []).append(self.of(label))
        values = torch.stack([torch.stack(parts).sum(dim=0) for parts in groups.values()], dim=1)
        return LogitAttribution(values, tuple(groups), self.logit, self.unit)


@torch.no_grad()
def attribute(
    model: Transformer,
    tokens: Int[Tensor, "batch pos"],
    correct: int | Int[Tensor, " batch"],
    wrong: int | Int[Tensor, " batch"] | Int[Tensor, "batch others"] | None = None,
    *,
    position: int | Int[Tensor, " batch"] = -1,
) -> LogitAttribution:
    """Split the logit of ``correct`` into one contribution a component; with ``wrong``, the difference of the two.

    ``correct``, ``wrong``: tokens, one for all rows or one a row. Several wrong ones in a row count with the mean
    of their logits. ``position``: where the answer is read, from 0, or from the end if negative; one for all rows
    or one a row. Example: ``attribute(model, tokens, mary, john).mean`` for "… gave a drink to".

    A single logit has no zero: adding a constant to all logits changes no prediction, so components that raise
    every logit alike look important. A logit *difference* is free of that; prefer it.

    What it does not show: effects by way of other components, what would happen without one, and, because the
    scale of the final layer norm is held fixed, that a large vector also makes all others smaller.
    """
    reading = _read(model, tokens, correct, wrong, position, _writers)
    parts = {name: reading.of(reading.cache[name]) for name in ("embed", "pos_embed")}
    for layer, block in enumerate(model.blocks):
        written = torch.einsum("bhd,hdm->bhm", reading.at(reading.cache["z", layer]), block.attn.W_O)
        by_head = torch.einsum("bhm,bm->hb", written, reading.direction)
        parts.update({head_label(layer, head): value for head, value in enumerate(by_head)})
        if block.attn.b_O is not None:
            parts[f"L{layer} b_O"] = reading.direction @ block.attn.b_O
        if block.mlp is not None:
            parts[f"L{layer} MLP"] = reading.of(reading.cache["mlp_out", layer])
    if getattr(model.ln_final, "b", None) is not None:
        parts["ln_final.b"] = reading.unembedding @ model.ln_final.b
    return LogitAttribution(torch.stack(list(parts.values()), dim=1), tuple(parts), reading.logit)


@torch.no_grad()
def attribute_sources(
    model: Transformer,
    tokens: Int[Tensor, "batch pos"],
    head: str,
    correct: int | Int[Tensor, " batch"],
    wrong: int | Int[Tensor, " batch"] | Int[Tensor, "batch others"] | None = None,
    *,
    position: int | Int[Tensor, " batch"] = -1,
) -> Float[Tensor, "batch key_pos"]:
    """From which positions did a head fetch what it contributed? Its contribution, split by key position, in logits.

    A head's output is a sum over the positions that it looks at, so its part of `attribute` is one too: the rows
    add up to ``attribute(…).of(head)``. Positions after the query are exactly 0. Arguments as in `attribute`.
    """
    layer, index = find_head(head, model.config.n_layers, model.config.n_heads)
    names = [point_name("pattern", layer), point_name("v", layer)]
    reading = _read(model, tokens, correct, wrong, position, names)
    pattern = reading.at(reading.cache["pattern", layer][:, index])
    moved = reading.cache["v", layer][:, :, index] @ model.blocks[layer].attn.W_O[index]
    return pattern * torch.einsum("bkm,bm->bk", moved, reading.direction)


@torch.no_grad()
def attribute_neurons(
    model: Transformer,
    tokens: Int[Tensor, "batch pos"],
    layer: int,
    correct: int | Int[Tensor, " batch"],
    wrong: int | Int[Tensor, " batch"] | Int[Tensor, "batch others"] | None = None,
    *,
    position: int | Int[Tensor, " batch"] = -1,
) -> Float[Tensor, "batch d_mlp"]:
    """Which neurons of a layer's MLP wrote the answer? The contribution of each neuron, in logits.

    They add up to ``attribute(…).of("L0 MLP")`` less what the MLP's bias ``b_out`` contributes. Arguments as in
    `attribute`.
    """
    if not model.config.d_mlp:
        raise ValueError("This network is attention-only: it has no neurons.")
    reading = _read(model, tokens, correct, wrong, position, [point_name("post", layer)])
    return reading.at(reading.cache["post", layer]) * (reading.direction @ model.blocks[layer].mlp.W_out.T)


@dataclass(frozen=True)
class _Reading:
    """How the answer's logit reads the final residual stream of each row: ``logit = x · direction + constant``.

    ``direction`` has the final norm's centring, weight and frozen scale in it, ``unembedding`` has not.
    """

    cache: ActivationCache
    direction: Float[Tensor, "batch d_model"]
    unembedding: Float[Tensor, "batch d_model"]
    logit: Float[Tensor, " batch"]
    position: int | Int[Tensor, " batch"]

    def at(self, activation: Float[Tensor, "batch pos ..."]) -> Float[Tensor, "batch ..."]:
        """The activation where the answer is read."""
        return at_position(activation, self.position)

    def of(self, written: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, " batch"]:
        """What a vector that was added to the residual stream contributes."""
        return (self.at(written) * self.direction).sum(dim=-1)


def _read(model: Transformer, tokens: Tensor, correct, wrong, position, names) -> _Reading:
    resid, cache = model.run_with_cache(tokens, names, stop_at_layer=model.config.n_layers)
    # Only one position: all logits of a large vocabulary take much memory.
    final = at_position(resid, position)[:, None]
    scales: list[Tensor] = []
    scale_points = [] if model.config.norm is None else ["ln_final.hook_scale"]
    with model.hooks([(name, lambda scale, name: scales.append(scale[:, 0])) for name in scale_points]):
        logits = model.unembed(final)[:, 0]

    answers = answer_columns(correct, logits)
    unembedding = model.W_U.T[answers].mean(dim=1)
    logit = logits.gather(1, answers).mean(dim=1)
    if wrong is not None:
        others = answer_columns(wrong, logits)
        unembedding = unembedding - model.W_U.T[others].mean(dim=1)
        logit = logit - logits.gather(1, others).mean(dim=1)

    direction = unembedding
    for scale in scales:
        weighted = unembedding * model.ln_final.w
        direction = (weighted - weighted.mean(dim=-1, keepdim=True)) / scale
    return _Reading(cache, direction, unembedding, logit, position)


def _writers(name: str) -> bool:
    """Whether a point is the output of something that writes to the residual stream (of a head: before W_O)."""
    return name in ("hook_embed", "hook_pos_embed") or name.endswith(("attn.hook_z", "hook_mlp_out"))
