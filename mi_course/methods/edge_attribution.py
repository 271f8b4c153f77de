"""Which edges matter, all of them estimated at once: edge attribution patching (EAP), and with integrated gradients.

Patching an edge changes what its receiver reads by ``reference − current`` of its sender. If the answer were a
straight line in what the receiver reads, its change would be that difference times the gradient. So one backward pass
gives an estimate for every edge (Syed, Rager and Conmy 2023, arXiv 2310.10348):

    score[r, s] = Σ ∂metric/∂input[r] · (clean output − corrupted output of s)

Where the answer is no straight line the estimate is off, and where a softmax or a layer norm is saturated the gradient
is 0 although the edge decides everything. Integrated gradients take the mean of the gradients on a way of inputs from
the corrupted to the clean embeddings (EAP-IG: Hanna, Pezzelle and Belinkov 2024, arXiv 2403.17806).

The sign: positive, the edge speaks for what the metric measures: replacing what it carries would lower it. What a
score does not show: what edges do *together*. Two that back each other up can both score low.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.errors import CourseError
from mi_course.methods.circuit import Circuit
from mi_course.methods.circuit_agreement import area, roc
from mi_course.methods.edge_graph import AnyEdge, Edge, EdgeGraph
from mi_course.methods.edge_patching import Position, sender_outputs
from mi_course.methods.metrics import at_position
from mi_course.methods.path_patching import Metric
from mi_course.models.activation_cache import ActivationCache, point_name
from mi_course.models.transformer import Transformer


@dataclass(frozen=True)
class EdgeScores:
    """``values[receiver, sender]``: one number an edge, in the unit of the metric; 0 where there is no edge.

    ``method``: who gave them. ``passes``: forward and backward passes over the prompts that they took.
    """

    graph: EdgeGraph
    values: Float[Tensor, "receiver sender"]
    method: str
    passes: int

    def __getitem__(self, edge: AnyEdge) -> float:
        """The score of one edge: ``scores["L0H2→L1H0.k"]``."""
        sender, receiver = self.graph.edge(edge)
        return float(self.values[self.graph.row(receiver), self.graph.column(sender)])

    def strongest(self, n: int) -> dict[Edge, float]:
        """The ``n`` edges with the largest absolute scores, the largest first."""
        return {edge: self[edge] for edge in self._ranked()[:n]}

    def circuit(self, *, n_edges: int | None = None, threshold: float | int | None = None) -> Circuit:
        """The ``n_edges`` edges with the largest absolute scores, or all with one above ``threshold``."""
        if (n_edges is None) == (threshold is None):
            raise ValueError("Give n_edges or threshold, one of the two.")
        if n_edges is not None:
            return Circuit(self.graph, self._ranked()[:n_edges])
        return Circuit.of_mask(self.graph, self.values.abs() > threshold)

    def roc(self, truth: Circuit) -> tuple[Float[Tensor, " cut"], Float[Tensor, " cut"]]:
        """False and true positive rates at every threshold, against the edges of ``truth``."""
        return roc(self._absolute(), truth.mask[self.graph.possible])

    def auc(self, truth: Circuit) -> float:
        """The chance that an edge of ``truth`` scores above one that is not in it; 0.5 for scores without meaning."""
        return area(*self.roc(truth))

    def _absolute(self) -> Float[Tensor, " edge"]:
        return self.values[self.graph.possible].abs()

    def _ranked(self) -> list[Edge]:
        order = self._absolute().argsort(descending=True, stable=True)
        return [self.graph.edges[number] for number in order.tolist()]


def eap_scores(
    model: Transformer,
    clean: Int[Tensor, "batch pos"],
    corrupted: Int[Tensor, "batch pos"],
    metric: Metric,
    *,
    position: Position = -1,
) -> EdgeScores:
    """Edge attribution patching: every edge's effect on the mean metric, by the gradient at the clean prompts.

    ``metric`` takes logits "batch 1 d_vocab" at ``position``. One forward and backward pass, and one forward pass on
    the corrupted prompts.
    """
    return _scores(model, clean, corrupted, metric, position, (1.0,), "EAP")


def eap_ig_scores(
    model: Transformer,
    clean: Int[Tensor, "batch pos"],
    corrupted: Int[Tensor, "batch pos"],
    metric: Metric,
    *,
    steps: int = 5,
    position: Position = -1,
) -> EdgeScores:
    """EAP with integrated gradients: the mean gradient at ``steps`` mixtures of the two prompts' embeddings.

    The mixtures are 1/steps, 2/steps … of the way from corrupted to clean, so that ``steps=1`` is `eap_scores`.
    """
    if steps < 1:
        raise ValueError(f"steps={steps}; at least one is needed.")
    mixtures = tuple((step + 1) / steps for step in range(steps))
    return _scores(model, clean, corrupted, metric, position, mixtures, "EAP-IG")


def eap(
    model: Transformer,
    clean: Int[Tensor, "batch pos"],
    corrupted: Int[Tensor, "batch pos"],
    metric: Metric,
    *,
    n_edges: int | None = None,
    threshold: float | int | None = None,
    position: Position = -1,
) -> Circuit:
    """The circuit of the edges that `eap_scores` finds strongest: ``n_edges`` of them, or those above ``threshold``."""
    scores = eap_scores(model, clean, corrupted, metric, position=position)
    return scores.circuit(n_edges=n_edges, threshold=threshold)


def eap_ig(
    model: Transformer,
    clean: Int[Tensor, "batch pos"],
    corrupted: Int[Tensor, "batch pos"],
    metric: Metric,
    *,
    n_edges: int | None = None,
    threshold: float | int | None = None,
    steps: int = 5,
    position: Position = -1,
) -> Circuit:
    """The circuit of the edges that `eap_ig_scores` finds strongest: ``n_edges``, or those above ``threshold``."""
    scores = eap_ig_scores(model, clean, corrupted, metric, steps=steps, position=position)
    return scores.circuit(n_edges=n_edges, threshold=threshold)


def _scores(
    model: Transformer,
    clean: Tensor,
    corrupted: Tensor,
    metric: Metric,
    position: Position,
    mixtures: tuple[float, ...],
    method: str,
) -> EdgeScores:
    if clean.shape != corrupted.shape:
        raise CourseError(
            f"Clean prompts have shape {tuple(clean.shape)}, corrupted ones {tuple(corrupted.shape)}; they are "
            "compared position by position. `prompt_pairs.pair` says which pair is not aligned."
        )
    graph = EdgeGraph.of(model)
    outputs, others = sender_outputs(model, clean), sender_outputs(model, corrupted)
    difference, values = outputs - others, torch.zeros_like(graph.possible, dtype=outputs.dtype)
    for share in mixtures:
        start = others[0] + share * difference[0]
        gradients = _input_gradients(model, start, metric, position)
        values += torch.einsum("rbpd,sbpd->rs", gradients, difference) / len(mixtures)
    return EdgeScores(graph, values.where(graph.possible, 0.0), method, 1 + len(mixtures))


def _input_gradients(
    model: Transformer, resid: Float[Tensor, "batch pos d_model"], metric: Metric, position: Position
) -> Float[Tensor, "receiver batch pos d_model"]:
    """The gradient of the mean metric with respect to what each receiver reads, each by itself.

    First what the receivers make of it: queries, keys, values, and an MLP's neurons. Then from there back to the
    input, through the layer norm, for every receiver apart; the residual stream's own gradient would be of all
    receivers that read it together.
    """
    layers, parts = range(model.config.n_layers), [*"qkv"] + ["pre"] * bool(model.config.d_mlp)
    made = [point_name(part, layer) for layer in layers for part in parts]
    read = [point_name(point, layer) for layer in layers for point in ("resid_pre", "resid_mid")]
    read = [name for name in read if name in model.hook_points()]
    with torch.enable_grad():
        start = resid.detach().requires_grad_()
        with model.caching([*made, *read]) as found:
            last = _run_blocks(model, start)
        where = last if position is None else at_position(last, position)[:, None]
        score = metric(model.unembed(where)).mean()
        *slopes, of_last = torch.autograd.grad(score, [*(found[name] for name in made), last])
    slope, cache = dict(zip(made, slopes)), ActivationCache(found, model.config.n_layers)

    gradients = []
    for layer, block in enumerate(model.blocks):
        heads = cache["resid_pre", layer].expand(model.config.n_heads, -1, -1, -1)
        back = [
            _pulled_back(_projection(block.ln1, weight), heads, slope[point_name(part, layer)])
            for part, weight in zip("qkv", (block.attn.W_Q, block.attn.W_K, block.attn.W_V))
        ]
        gradients.append(torch.stack(back, dim=1).flatten(end_dim=1))
        if block.mlp is not None:
            mid, neurons = cache["resid_mid", layer], slope[point_name("pre", layer)]
            gradients.append(_pulled_back(_projection(block.ln2, block.mlp.W_in), mid, neurons)[None])
    return torch.cat([*gradients, of_last[None]])


def _run_blocks(model: Transformer, resid: Tensor) -> Tensor:
    for block in model.blocks:
        resid = block(resid)
    return resid


def _pulled_back(function: Callable[[Tensor], Tensor], x: Tensor, slope: Tensor) -> Tensor:
    """The gradient at ``x`` of something whose gradient at ``function(x)`` is ``slope``."""
    with torch.enable_grad():
        x = x.detach().clone().requires_grad_()
        return torch.autograd.grad(function(x), x, slope)[0]


def _projection(norm: Callable[[Tensor], Tensor], weight: Tensor) -> Callable[[Tensor], Tensor]:
    """What a receiver makes of its input, up to a constant: norm, then weight. With heads in front, each its own."""

    def of_all(x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos made"]:
        return norm(x) @ weight

    def of_heads(x: Float[Tensor, "head batch pos d_model"]) -> Float[Tensor, "batch pos head d_head"]:
        normed = norm(x.flatten(end_dim=1)).unflatten(0, x.shape[:2])
        return torch.einsum("hbpd,hdk->bphk", normed, weight)

    return of_all if weight.ndim == 2 else of_heads
