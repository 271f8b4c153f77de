"""Prune a circuit: a slider over thresholds, the edges that are left, and what is left of the answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from numbers import Real

import ipywidgets
import numpy as np

from mi_course.errors import CourseError
from mi_course.methods.edge_graph import AnyEdge, EdgeGraph
from mi_course.methods.uncertainty import Interval
from mi_course.plots.circuit_diagram import MOST_EDGES, circuit_diagram
from mi_course.plots.curves import curves
from mi_course.plots.picture import Picture
from mi_course.plots.pictures import Pictures
from mi_course.widgets.explorer import Explorer


class CircuitPruner(Explorer):
    """A slider from a small circuit to a large one: which edges come and go, and how much of the answer they keep.

    ``circuits``: of one model, found with falling thresholds; any collections of edges. They are put in order of
    their size. ``faithfulness``: one interval for each of them, in the same order as given (0: as bad as the
    corrupted prompts, 1: as good as the whole model), and ``measure``, of what: "keep 47 % of the right answers".
    ``control``: the same for random circuits of those sizes.

    ``weights``: a number an edge, drawn as the width of its line, in ``unit``. ``graph``: of the model, so that nodes
    keep their places. ``names``: roles of nodes. ``truth``: the edges of a known circuit; the title then counts how
    many of them are there.

    A picture that has been drawn is kept, so that going back is immediate.
    """

    def __init__(
        self,
        circuits: Sequence[Iterable[AnyEdge]],
        faithfulness: Sequence[Interval],
        *,
        measure: str = "the answer",
        control: Sequence[Interval] | None = None,
        weights: Mapping[AnyEdge, Real] | None = None,
        unit: str = "weight",
        graph: EdgeGraph | None = None,
        names: Mapping[str, str] | None = None,
        truth: Collection[AnyEdge] | None = None,
    ):
        found = [frozenset(circuit) for circuit in circuits]
        if not found:
            raise CourseError("There is no circuit to show; give at least one.")
        for name, intervals in (("faithfulness", faithfulness), ("control", control)):
            if intervals is not None and len(intervals) != len(found):
                raise CourseError(f"{name} has {len(intervals)} intervals for {len(found)} circuits.")
        too_large = max(map(len, found))
        if too_large > MOST_EDGES:
            raise CourseError(
                f"The largest circuit has {too_large} edges; leave out those with more than {MOST_EDGES}."
            )
        order = sorted(range(len(found)), key=lambda number: len(found[number]))
        self.circuits = [found[number] for number in order]
        self.faithfulness = [faithfulness[number] for number in order]
        self.control = None if control is None else [control[number] for number in order]
        self.measure = measure
        self.truth = None if truth is None else frozenset(truth)
        self._look = {"weights": weights, "unit": unit, "graph": graph, "names": names}
        self._drawn: dict[int, Pictures] = {}

    def controls(self) -> dict[str, ipywidgets.Widget]:
        options = [(_edges(len(circuit)), number) for number, circuit in enumerate(self.circuits)]
        return {
            "circuit": ipywidgets.SelectionSlider(
                options=options, value=len(options) // 2, description="Circuit"
            )
        }

    def draw(self, circuit: int) -> Pictures:
        if not 0 <= circuit < len(self.circuits):
            raise CourseError(f"There is no circuit {circuit}; there are 0 to {len(self.circuits) - 1}.")
        if circuit not in self._drawn:
            self._drawn[circuit] = Pictures([self._diagram(circuit), self._curve(circuit)])
        return self._drawn[circuit]

    def _diagram(self, number: int) -> Picture:
        edges = self.circuits[number]
        title = f"{_edges(len(edges))} keep {_percent(self.faithfulness[number].estimate)} of {self.measure}"
        if self.truth is not None:
            title += f"; {len(edges & self.truth)} of the {len(self.truth)} true edges are among them"
        return circuit_diagram(edges, title=title, alt=title + ".", **self._look)

    def _curve(self, number: int) -> Picture:
        sizes = [len(circuit) for circuit in self.circuits]
        here = self.faithfulness[number]
        drawn = {"this circuit": _band(self.faithfulness)}
        words = f"With {_edges(sizes[number])} the circuit keeps {_percent(here.estimate)} "
        words += f"[{_percent(here.low)}, {_percent(here.high)}] of {self.measure}"
        if self.control is not None:
            drawn["random edges"] = _band(self.control)
            words += f", as many random edges {_percent(self.control[number].estimate)}"
        return curves(
            np.maximum(sizes, 1),
            drawn,
            title=f"How much of {self.measure} do so many edges keep?",
            xlabel="edges",
            ylabel="share that is kept",
            xscale="log",
            baseline=("whole model", 1.0),
            cursor=(_edges(sizes[number]), max(sizes[number], 1)),
            alt=words + ".",
        )


def _band(intervals: Sequence[Interval]) -> tuple[list[float], list[float], list[float]]:
    return tuple([getattr(i, part) for i in intervals] for part in ("estimate", "low", "high"))


def _edges(n: int) -> str:
    return f"{n:,} edge{'' if n == 1 else 's'}"


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("-", "−")
