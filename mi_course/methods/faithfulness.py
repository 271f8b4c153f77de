"""Is a circuit what it claims to be? Three questions, each answered with a number, an interval and a comparison.

    faithful    is the circuit by itself as good as the whole model?            `evaluate`
    complete    does it break as the model breaks, if the same part is missing? `completeness`
    minimal     is every part of it needed?                                     `minimality`

A circuit runs with everything outside replaced by a *reference* (`edge_patching`). Which one matters as much as the
circuit: what the reference leaves in place, the circuit gets for nothing. No single metric is enough either. A circuit
can keep the whole difference between two answers and give neither; report one that looks at all answers as well.

What none of this shows: that the circuit does the task in the way that its author believes, or elsewhere than on
these prompts. And many random circuits of the same size may do as well: compare with `random_circuits`.

Sources: the three criteria are Wang et al. 2022, arXiv 2211.00593, section 4, which measures F(M) − F(C) in logits;
here it is put on a scale. How much choices of the reference change the result: Miller et al. 2024, arXiv 2407.08734.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.circuit import Circuit, masks
from mi_course.methods.edge_patching import Position, Reference, reference_outputs, run
from mi_course.methods.path_patching import Metric
from mi_course.methods.uncertainty import Interval, bootstrap_ratio
from mi_course.models.transformer import Transformer


@dataclass(frozen=True)
class Faithfulness:
    """A metric on every prompt: of each circuit (``by_example[circuit, example]``), of the whole ``model``, and with
    ``nothing`` kept. ``names`` name the circuits.

    On the scale of `score` 0 is as good as nothing and 1 as good as the model. Below 0: worse than nothing. Above 1:
    the circuit leaves out parts that work against the answer; that is no better than being as much below.
    """

    names: tuple[str, ...]
    by_example: Float[Tensor, "circuit batch"]
    model: Float[Tensor, " batch"]
    nothing: Float[Tensor, " batch"]

    def of(self, name: str) -> Float[Tensor, " batch"]:
        """The metric itself, unscaled, of one circuit on every prompt."""
        if name not in self.names:
            raise UnknownName("circuit", name, self.names)
        return self.by_example[self.names.index(name)]

    def score(self, name: str) -> Interval:
        """The share of the model's mean that a circuit keeps, (C − nothing) / (M − nothing), with its interval."""
        return bootstrap_ratio(self.of(name) - self.nothing, self.model - self.nothing)

    @property
    def scores(self) -> Float[Tensor, " circuit"]:
        """The shares of all circuits, without intervals."""
        return (self.by_example - self.nothing).mean(dim=1) / (self.model - self.nothing).mean()


@torch.no_grad()
def evaluate(
    model: Transformer,
    circuits: Mapping[str, Circuit] | Sequence[Circuit] | Circuit,
    clean: Int[Tensor, "batch pos"],
    corrupted: Int[Tensor, "batch pos"],
    metric: Metric | Mapping[str, Metric],
    *,
    reference: Reference = "corrupted",
    position: Position = -1,
) -> Faithfulness | dict[str, Faithfulness]:
    """How much of the model's behaviour each circuit keeps, with everything outside it replaced.

    ``circuits``: by name, or in a list, and then their names are "0", "1" … ``metric``: a function of the logits at
    ``position`` (see `methods.metrics`), or several by name; then the result is a dictionary, and the model runs once
    for all of them. ``reference``: what a removed edge carries, see `edge_patching.reference_outputs`.
    """
    named = _named(circuits)
    compared = [*named.values(), Circuit.full(model), Circuit.empty(model)]
    logits = run(
        model,
        clean,
        masks(compared),
        reference_outputs(model, corrupted, reference),
        position=position,
    )

    def measured(metric: Metric) -> Faithfulness:
        *found, whole, nothing = (metric(each) for each in logits)
        return Faithfulness(tuple(named), torch.stack(found), whole, nothing)

    if isinstance(metric, Mapping):
        return {name: measured(one) for name, one in metric.items()}
    return measured(metric)


@dataclass(frozen=True)
class KnockOuts:
    """The metric with the same nodes missing from a circuit and from the whole model, for several ``groups`` of nodes.

    ``circuit``, ``model``: "group batch". ``unit`` of `distance`: that of the metric.
    """

    groups: tuple[tuple[str, ...], ...]
    circuit: Float[Tensor, "group batch"]
    model: Float[Tensor, "group batch"]

    @property
    def distance(self) -> Float[Tensor, " group"]:
        """Incompleteness: |mean of the circuit − mean of the model|, 0 for a circuit that breaks as the model does."""
        return (self.circuit.mean(dim=1) - self.model.mean(dim=1)).abs()

    def worst(self) -> tuple[tuple[str, ...], float]:
        """The group whose loss the circuit and the model take most differently, and how far they are apart."""
        group = int(self.distance.argmax())
        return self.groups[group], float(self.distance[group])


def completeness(
    model: Transformer,
    circuit: Circuit,
    clean: Int[Tensor, "batch pos"],
    corrupted: Int[Tensor, "batch pos"],
    metric: Metric,
    *,
    groups: Sequence[Sequence[str]] | None = None,
    reference: Reference = "corrupted",
    position: Position = -1,
) -> KnockOuts:
    """Remove the same nodes from the circuit and from the model, and compare what is left.

    ``groups``: sets of nodes, by default every node of the circuit by itself. A circuit that lacks a backup falls
    deeper than the model does. Worst cases hide among the larger groups; draw some at random, `random_groups`.
    """
    groups = [(node,) for node in circuit.nodes] if groups is None else [tuple(group) for group in groups]
    whole = Circuit.full(model)
    damaged = [one.without(*group) for one in (circuit, whole) for group in groups]
    found = evaluate(model, damaged, clean, corrupted, metric, reference=reference, position=position)
    of_circuit, of_model = found.by_example.chunk(2)
    return KnockOuts(tuple(groups), of_circuit, of_model)


def minimality(
    model: Transformer,
    circuit: Circuit,
    clean: Int[Tensor, "batch pos"],
    corrupted: Int[Tensor, "batch pos"],
    metric: Metric,
    *,
    without: Sequence[str] = (),
    reference: Reference = "corrupted",
    position: Position = -1,
) -> dict[str, Interval]:
    """How much faithfulness each node of the circuit is worth: lost when this node is missing as well.

    1 would be the distance between nothing and the whole model. 0: the circuit is as good without it. Negative: it
    is better. ``without``: nodes that are missing in both, to find parts that only matter when another is gone; Wang et
    al. choose such a set for every node.
    """
    kept = circuit.without(*without)
    damaged = {"": kept, **{node: kept.without(node) for node in kept.nodes}}
    found = evaluate(model, damaged, clean, corrupted, metric, reference=reference, position=position)
    span = found.model - found.nothing
    return {node: bootstrap_ratio(found.of("") - found.of(node), span) for node in kept.nodes}


def random_circuits(model: Transformer, circuit: Circuit, n: int, *, seed: int = 0) -> list[Circuit]:
    """``n`` circuits with as many heads as ``circuit``, drawn at random, the same MLPs, and all edges among them.

    The control of every circuit: how well do others of its size do? With few heads to choose from, some of the drawn
    ones are in the circuit too, which makes the control harder to beat.
    """
    graph, rng = circuit.graph, random.Random(seed)
    heads = [node for node in graph.nodes if not node.endswith("MLP")]
    mlps = [node for node in circuit.nodes if node.endswith("MLP")]
    return [Circuit.of_nodes(model, [*rng.sample(heads, len(circuit.heads)), *mlps]) for _ in range(n)]


def random_groups(circuit: Circuit, n: int, *, size: int = 2, seed: int = 0) -> list[tuple[str, ...]]:
    """``n`` sets of ``size`` nodes of the circuit: knock-outs for `completeness`.

    With large sets both circuit and model are down to nothing, and agree about that.
    """
    if not 1 <= size <= len(circuit.nodes):
        raise ValueError(f"size={size}: the circuit has {len(circuit.nodes)} nodes.")
    rng = random.Random(seed)
    return [tuple(rng.sample(circuit.nodes, size)) for _ in range(n)]


def _named(circuits: Mapping[str, Circuit] | Sequence[Circuit] | Circuit) -> dict[str, Circuit]:
    if isinstance(circuits, Circuit):
        return {"circuit": circuits}
    if isinstance(circuits, Mapping):
        return dict(circuits)
    if not len(circuits):
        raise CourseError("There is no circuit to evaluate.")
    return {str(number): circuit for number, circuit in enumerate(circuits)}
