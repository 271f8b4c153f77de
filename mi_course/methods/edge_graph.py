"""Who can tell whom? A transformer as a graph: parts that write to the residual stream, and inputs that read it.

The residual stream is a sum, so what a part reads is the sum of everything that was written before it. Each addend
in it is a connection of its own, an *edge*, from the *sender* that wrote it to the *receiver* that reads it:

    senders      "embed" (token and position), every head ("L0H2"), every MLP ("L0 MLP")
    receivers    every head's query, key and value input ("L1H0.q", "L1H0.k", "L1H0.v"), every MLP ("L1 MLP"), "logits"

A receiver can hear every sender that was computed before it, whether it listens or not: the graph says what is
possible. GPT-2 small has 32,491 edges. Which of them matter is asked by patching them (`edge_patching`).

Attention's bias ``b_O`` belongs to no head and is always there. Layer norms belong to the receiver.

Source: Conmy et al. 2023, arXiv 2304.14997, section 2; queries, keys and values as receivers of their own as there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.head_scores import head_label
from mi_course.models.transformer import Transformer


class Edge(NamedTuple):
    """What ``sender`` wrote, as it is read by ``receiver``; in text "L0H2→L1H0.k"."""

    sender: str
    receiver: str

    def __str__(self) -> str:
        return f"{self.sender}→{self.receiver}"


AnyEdge = Edge | tuple[str, str] | str
"""An edge, a pair of names, or its text: "L0H2→L1H0.k" or, easier to type, "L0H2->L1H0.k"."""


def node_of(name: str) -> str:
    """The part of the model that a sender or receiver belongs to: "L1H0.k" is an input of "L1H0"."""
    return re.sub(r"\.[qkv]$", "", name)


class Step(NamedTuple):
    """Receivers that read the residual stream at one point: the inputs of a layer's heads, an MLP, or the logits.

    ``receivers``: their rows. ``visible``: they can hear the first so many senders. ``sends``: the senders that
    write next, computed from what these receivers read.
    """

    part: Literal["attn", "mlp", "logits"]
    layer: int
    receivers: slice
    visible: int
    sends: slice


@dataclass(frozen=True)
class EdgeGraph:
    """All edges of a model of this shape. Two models of one shape have the same graph.

    Everything is in the order of computation: ``senders`` (the columns of a mask), ``receivers`` (its rows), and
    ``edges``, receiver by receiver. A *mask* "receiver sender" is 1 where an edge is there and 0 where it is not.
    """

    n_layers: int
    n_heads: int
    has_mlps: bool = True

    @classmethod
    def of(cls, model: Transformer) -> EdgeGraph:
        """The graph of a model."""
        return cls(model.config.n_layers, model.config.n_heads, model.config.d_mlp > 0)

    @cached_property
    def senders(self) -> tuple[str, ...]:
        names = ["embed"]
        for layer in range(self.n_layers):
            names += [head_label(layer, head) for head in range(self.n_heads)]
            names += [f"L{layer} MLP"] * self.has_mlps
        return tuple(names)

    @cached_property
    def receivers(self) -> tuple[str, ...]:
        names = []
        for layer in range(self.n_layers):
            names += [f"{head_label(layer, head)}.{part}" for head in range(self.n_heads) for part in "qkv"]
            names += [f"L{layer} MLP"] * self.has_mlps
        return (*names, "logits")

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """Heads and MLPs: what both receives and sends."""
        return self.senders[1:]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The points at which the residual stream is read, in order; the last one makes the logits."""
        steps, row, column = [], 0, 1
        widths = [("attn", 3 * self.n_heads, self.n_heads)] + [("mlp", 1, 1)] * self.has_mlps
        for layer in range(self.n_layers):
            for part, n_receivers, n_senders in widths:
                sends = slice(column, column + n_senders)
                steps.append(Step(part, layer, slice(row, row + n_receivers), column, sends))
                row, column = row + n_receivers, sends.stop
        return (*steps, Step("logits", self.n_layers, slice(row, row + 1), column, slice(column, column)))

    @cached_property
    def possible(self) -> Bool[Tensor, "receiver sender"]:
        """The mask of all edges: True where the sender is computed before the receiver."""
        mask = torch.zeros(len(self.receivers), len(self.senders), dtype=torch.bool)
        for step in self.steps:
            mask[step.receivers, : step.visible] = True
        return mask

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        return tuple(self.edges_of(self.possible))

    def __len__(self) -> int:
        """How many edges there are."""
        return sum((step.receivers.stop - step.receivers.start) * step.visible for step in self.steps)

    def edge(self, edge: AnyEdge) -> Edge:
        """The edge that is meant, checked; an error in words if there is none."""
        ends = re.split(r"\s*(?:→|->)\s*", edge.strip()) if isinstance(edge, str) else edge
        if len(ends) != 2:
            raise CourseError(f'{edge!r} is not an edge; write "L0H2→L1H0.k" or ("L0H2", "L1H0.k").')
        row, column = self.row(ends[1]), self.column(ends[0])
        if not self.possible[row, column]:
            raise CourseError(
                f"There is no edge {ends[0]}→{ends[1]}: {ends[0]} is not computed before {ends[1]} reads."
            )
        return Edge(*ends)

    def row(self, receiver: str) -> int:
        """The row of a receiver in a mask."""
        return _find("receiver", receiver, self._rows)

    def column(self, sender: str) -> int:
        """The column of a sender in a mask."""
        return _find("sender", sender, self._columns)

    def mask(self, edges: Iterable[AnyEdge]) -> Float[Tensor, "receiver sender"]:
        """1 for each of these edges, 0 elsewhere: what is 0 is patched by `edge_patching.run`."""
        mask = torch.zeros(len(self.receivers), len(self.senders))
        for edge in edges:
            sender, receiver = self.edge(edge)
            mask[self._rows[receiver], self._columns[sender]] = 1.0
        return mask

    def edges_of(self, mask: Shaped[Tensor, "receiver sender"]) -> list[Edge]:
        """The edges at which a mask is not 0, receiver by receiver."""
        if mask.shape != self.possible.shape:
            raise CourseError(
                f"The mask has shape {tuple(mask.shape)}; this graph has {len(self.receivers)} receivers and "
                f"{len(self.senders)} senders."
            )
        rows, columns = ((mask != 0).cpu() & self.possible).nonzero(as_tuple=True)
        return [Edge(self.senders[s], self.receivers[r]) for r, s in zip(rows.tolist(), columns.tolist())]

    def heard(self, mask: Shaped[Tensor, "receiver sender"]) -> Bool[Tensor, " sender"]:
        """The senders from which some way of edges leads to the logits; all others can be left out of a run."""
        there = (mask != 0).cpu()
        heard = there[-1].clone()
        for step in reversed(self.steps[:-1]):
            senders = heard[step.sends]
            if senders.any():
                rows = there[step.receivers].unflatten(0, (len(senders), -1)).any(dim=1)
                heard |= rows[senders].any(dim=0)
        return heard

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.receivers)}

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {name: column for column, name in enumerate(self.senders)}


def _find(kind: str, name: str, places: dict[str, int]) -> int:
    if name not in places:
        raise UnknownName(kind, name, places)
    return places[name]
