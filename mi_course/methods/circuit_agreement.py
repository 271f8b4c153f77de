"""How well does a found circuit agree with a known one? Rates of hits and false alarms, and the area under their curve.

Finding edges is a search with two kinds of errors. The *true positive rate* is the share of the known edges that were
found, the *false positive rate* the share of all others that were found as well. A threshold trades one for the other;
the ROC curve shows all of them. Its area is the chance that a true edge is ranked above a false one.

What it does not show: whether the known circuit is the right one. Where it was found by hand, disagreement may be the
hand's mistake; the arbiter is an intervention.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from mi_course.methods.circuit import Circuit


def rates(found: Circuit, truth: Circuit) -> tuple[float, float]:
    """The false and the true positive rate of one circuit, each from 0 to 1."""
    others = len(truth.graph) - len(truth)
    if not len(truth) or not others:
        raise ValueError("The known circuit must have some of the edges, and not all.")
    hits = len(found & truth)
    return (len(found) - hits) / others, hits / len(truth)


def roc(
    scores: Float[Tensor, " edge"], truth: Shaped[Tensor, " edge"]
) -> tuple[Float[Tensor, " cut"], Float[Tensor, " cut"]]:
    """False and true positive rates when everything above a threshold counts as found, for every threshold.

    From (0, 0), nothing found, to (1, 1), everything found. Edges with equal scores come in together.
    """
    true = truth.bool()
    if true.all() or not true.any():
        raise ValueError("The known circuit must have some of the edges, and not all.")
    order = scores.argsort(descending=True, stable=True)
    hits = true[order].cumsum(0)
    alarms = (~true[order]).cumsum(0)
    last_of_equals = torch.cat([scores[order].diff() != 0, torch.ones(1, dtype=torch.bool)])
    found = torch.stack([alarms / (~true).sum(), hits / true.sum()])[:, last_of_equals]
    return tuple(torch.cat([torch.zeros(2, 1), found], dim=1))


def sweep_roc(
    circuits: Sequence[Circuit], truth: Circuit
) -> tuple[Float[Tensor, " cut"], Float[Tensor, " cut"]]:
    """The rates of circuits found at several thresholds, in order, with the corners (0, 0) and (1, 1)."""
    points = sorted({(0.0, 0.0), (1.0, 1.0), *(rates(circuit, truth) for circuit in circuits)})
    return tuple(torch.tensor(points).T)


def area(false_positives: Float[Tensor, " cut"], true_positives: Float[Tensor, " cut"]) -> float:
    """The area under an ROC curve, by straight lines between its points; 0.5 for a search by chance."""
    return float(torch.trapezoid(true_positives, false_positives))
