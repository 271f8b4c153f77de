"""A circuit: the edges of a network that are claimed to do a task, while everything else may say anything.

It is a set of edges of the `edge_graph`, and works like one: ``a | b``, ``a & b``, ``a - b``, ``edge in a``. Nothing
changes it; every operation makes a new one. Whether the claim is true is asked by `faithfulness`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.edge_graph import AnyEdge, Edge, EdgeGraph, node_of
from mi_course.models.transformer import Transformer


@dataclass(frozen=True)
class Circuit:
    """Some of the ``edges`` of a ``graph``. Edges may be given as text: ``Circuit(graph, ["L0H2→L1H0.k"])``.

    Raises CourseError or UnknownName, with what is known, for an edge that the graph does not have.
    """

    graph: EdgeGraph
    edges: frozenset[Edge]

    def __init__(self, graph: EdgeGraph, edges: Iterable[AnyEdge] = ()):
        object.__setattr__(self, "graph", graph)
        object.__setattr__(self, "edges", frozenset(graph.edge(edge) for edge in edges))

    @classmethod
    def full(cls, model: Transformer) -> Circuit:
        """The whole model: every edge."""
        graph = EdgeGraph.of(model)
        return cls(graph, graph.edges)

    @classmethod
    def empty(cls, model: Transformer) -> Circuit:
        """No edge at all: every input, the logits' too, carries the reference."""
        return cls(EdgeGraph.of(model))

    @classmethod
    def of_nodes(cls, model: Transformer, nodes: Iterable[str]) -> Circuit:
        """All edges among these heads and MLPs, from the embedding, and to the logits.

        Running it is the same as replacing the output of every other head and MLP by the reference.
        """
        graph, kept = EdgeGraph.of(model), {"embed", "logits", *nodes}
        for node in kept - {"embed", "logits"}:
            if node not in graph.nodes:
                raise UnknownName("head or MLP", node, graph.nodes)
        return cls(graph, (edge for edge in graph.edges if _ends(edge) <= kept))

    @classmethod
    def of_mask(cls, graph: EdgeGraph, mask: Tensor) -> Circuit:
        """The edges at which a mask "receiver sender" is not 0."""
        return cls(graph, graph.edges_of(mask))

    @property
    def mask(self) -> Float[Tensor, "receiver sender"]:
        """1 for each edge of the circuit, 0 for all others, as `edge_patching.run` takes it."""
        return self.graph.mask(self.edges)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The heads and MLPs that an edge of the circuit begins or ends at, in the order of computation."""
        used = set().union(*map(_ends, self.edges)) if self.edges else set()
        return tuple(node for node in self.graph.nodes if node in used)

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads among the nodes."""
        return tuple(node for node in self.nodes if not node.endswith("MLP"))

    def without(self, *nodes: str) -> Circuit:
        """The circuit less all edges that begin or end at these heads and MLPs."""
        for node in nodes:
            if node not in self.graph.nodes:
                raise UnknownName("head or MLP", node, self.graph.nodes)
        return Circuit(self.graph, (edge for edge in self.edges if not _ends(edge) & set(nodes)))

    def __len__(self) -> int:
        return len(self.edges)

    def __iter__(self) -> Iterator[Edge]:
        """The edges, receiver by receiver in the order of computation."""
        return (edge for edge in self.graph.edges if edge in self.edges)

    def __contains__(self, edge: object) -> bool:
        return self.graph.edge(edge) in self.edges

    def __or__(self, other: Circuit) -> Circuit:
        return Circuit(self.graph, self.edges | self._same_graph(other).edges)

    def __and__(self, other: Circuit) -> Circuit:
        return Circuit(self.graph, self.edges & self._same_graph(other).edges)

    def __sub__(self, other: Circuit) -> Circuit:
        return Circuit(self.graph, self.edges - self._same_graph(other).edges)

    def __le__(self, other: Circuit) -> bool:
        """Whether every edge is in ``other`` too."""
        return self.edges <= self._same_graph(other).edges

    def __repr__(self) -> str:
        return (
            f"Circuit of {len(self)} of {len(self.graph)} edges: {len(self.heads)} heads, "
            f"{len(self.nodes) - len(self.heads)} MLPs"
        )

    def _same_graph(self, other: Circuit) -> Circuit:
        if other.graph != self.graph:
            raise CourseError(
                f"These circuits are of models of different shape: {self.graph} and {other.graph}."
            )
        return other


def masks(circuits: Iterable[Circuit]) -> Float[Tensor, "circuit receiver sender"]:
    """The masks of several circuits, to run them at once."""
    return torch.stack([circuit.mask for circuit in circuits])


def _ends(edge: Edge) -> set[str]:
    """The two parts of the model that an edge connects."""
    return {edge.sender, node_of(edge.receiver)}
