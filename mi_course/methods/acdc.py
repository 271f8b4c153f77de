"""Automatic circuit discovery (ACDC): try every edge, from the end to the beginning; drop it if little happens.

Starting with the whole model, the receivers are visited from the logits backwards. Each edge into a receiver is
replaced by its reference. If that moves the answer by less than the ``threshold``, the edge stays out, and all that
follows is tried without it. Edges into parts that nobody hears any more are dropped without a try.

What it does not show: the order matters. Of two edges that back each other up, the one tried first is dropped, and the
other one then stays. And one number decides: where the answer is already far from the model's, each further
step can be small.

Source: Conmy et al. 2023, arXiv 2304.14997, algorithm 1. As there, the default is the divergence of the model's
predictions (KL) at the place where the answer is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.methods.circuit import Circuit
from mi_course.methods.edge_graph import EdgeGraph, node_of
from mi_course.methods.edge_patching import EdgePatcher, Position, Reference, reference_outputs
from mi_course.methods.path_patching import Metric
from mi_course.models.transformer import Transformer


@dataclass(frozen=True)
class Search:
    """What a search found, the ``circuit``, and what it cost: ``runs`` of the model over all prompts."""

    circuit: Circuit
    runs: int


def acdc(
    model: Transformer,
    clean: Int[Tensor, "batch pos"],
    corrupted: Int[Tensor, "batch pos"],
    metric: Metric | None = None,
    *,
    threshold: float | int,
    **options,
) -> Circuit:
    """The edges that ACDC keeps at this ``threshold``; arguments and options as for `acdc_search`."""
    return acdc_search(model, clean, corrupted, metric, threshold=threshold, **options).circuit


@torch.no_grad()
def acdc_search(
    model: Transformer,
    clean: Int[Tensor, "batch pos"],
    corrupted: Int[Tensor, "batch pos"],
    metric: Metric | None = None,
    *,
    threshold: float | int,
    reference: Reference = "corrupted",
    position: Position = -1,
    watch: Callable[[Iterable[str]], Iterable[str]] = iter,
) -> Search:
    """Search for the circuit, and count the runs.

    ``metric``: a function of the logits at ``position``; an edge is dropped if the mean falls by less than
    ``threshold``, in the metric's unit (a rise is no reason to keep it). None: the divergence KL(model ‖ circuit) of
    the predictions there, in nats, which may rise by less than ``threshold`` an edge. ``watch``: wraps the loop over
    receivers, for instance ``lambda receivers: progress_bar(receivers, "ACDC")``.
    """
    if threshold < 0:
        raise ValueError(f"threshold={threshold}; it cannot be negative.")
    graph = EdgeGraph.of(model)
    patcher = EdgePatcher(model, clean, reference_outputs(model, corrupted, reference), position=position)
    mask = graph.mask(graph.edges)
    plain = patcher.logits(mask[None])[0]
    badness = _divergence_from(plain) if metric is None else lambda logits: -metric(logits).mean().item()
    current = badness(plain)
    for receiver in watch(graph.receivers[::-1]):
        row = graph.row(receiver)
        if receiver != "logits" and not graph.heard(mask)[graph.column(node_of(receiver))]:
            mask[row] = 0
            continue
        for column in reversed(mask[row].nonzero()[:, 0].tolist()):
            mask[row, column] = 0
            without = badness(patcher.logits(mask[None])[0])
            if without - current < threshold:
                current = without
            else:
                mask[row, column] = 1
    return Search(Circuit.of_mask(graph, mask), patcher.runs)


def _divergence_from(plain: Float[Tensor, "batch read d_vocab"]) -> Callable[[Tensor], float]:
    """KL(model ‖ circuit), the mean over prompts and positions, in nats."""
    expected = plain.log_softmax(dim=-1)

    def divergence(logits: Tensor) -> float:
        return (expected.exp() * (expected - logits.log_softmax(dim=-1))).sum(dim=-1).mean().item()

    return divergence
