# ruff: noqa: N803 (matrices are upper case in the formulas)
"""Superposition: how many features share how few dimensions, and at what price?

All functions take the *directions* of features, "feature hidden": row i is what one unit of feature i adds to the
hidden space. They may be the W of a `models.toy_autoencoder`, the embeddings of a language model, or any other vectors;
leading axes ("…") are further networks.

They describe the geometry of directions that one already has. That these directions *are* the features of a network,
they cannot show: in a toy we know it because we made the features ourselves.

After Elhage et al. (2022), "Toy Models of Superposition" (https://transformer-circuits.pub/2022/toy_model).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

REPRESENTED = 0.5
"""A direction at least so long stands for a feature that the network represents; one that it gives up goes to 0."""

TOUCHING = 0.15
"""Two directions whose |cosine| is above this belong to the same shape; below it they count as at right angles."""


UNEVEN = 0.08
"""A shape is even if no feature's share of a dimension is further than this from that of an even one."""


def represented(W: Float[Tensor, "*any feature hidden"]) -> Bool[Tensor, "*any feature"]:
    """Which features have a direction of their own: those longer than `REPRESENTED`.

    For networks that try to give features back at their size, so that a direction is near 0 or near 1. For other
    vectors the length means something else.
    """
    return W.norm(dim=-1) > REPRESENTED


def interference(W: Float[Tensor, "*any feature hidden"]) -> Float[Tensor, "*any feature"]:
    """How much of the *other* features is heard along each feature's direction: ``Σ_{j≠i} (ŵ_i · w_j)²``.

    0: all others stand at right angles. 1: as much as the feature itself would be if its length were 1. ``ŵ_i`` is w_i
    at length 1; a direction of length 0 hears nothing. The sign is lost: whether others push up or down, a ReLU minds.
    """
    length = W.square().sum(dim=-1)
    return (_heard(W) - length).clamp(min=0)


def feature_dimensionality(W: Float[Tensor, "*any feature hidden"]) -> Float[Tensor, "*any feature"]:
    """The share of a dimension that each feature has for itself: ``D_i = |w_i|² / Σ_j (ŵ_i · w_j)²``.

    1: a dimension of its own. 1/2: shared by two, as in an antipodal pair. 2/3 in a triangle, 2/5 in a pentagon, k/n
    for n equal directions spread evenly in k dimensions. 0: not represented. The sum over features is at most the
    number of hidden dimensions.

    Source: Elhage et al. (2022), section "The Geometry of Superposition".
    """
    length, heard = W.square().sum(dim=-1), _heard(W)
    return torch.where(heard > 0, length / heard.where(heard > 0, torch.ones_like(heard)), 0.0)


def dimensions_per_feature(W: Float[Tensor, "*any feature hidden"]) -> Float[Tensor, "*any"]:
    """``D* = m / ‖W‖²``: hidden dimensions for each feature that is represented. 1: each has one, 1/2: two share one.

    ‖W‖², the sum of all squared weights, counts represented features, because each of them has a length of about 1.
    """
    return W.shape[-1] / W.square().sum(dim=(-1, -2))


def _heard(W: Float[Tensor, "*any feature hidden"]) -> Float[Tensor, "*any feature"]:
    """``Σ_j (ŵ_i · w_j)²``, through the small matrix WᵀW: thousands of directions cost no more than they must."""
    unit = F.normalize(W, dim=-1)
    return ((unit @ (W.mT @ W)) * unit).sum(dim=-1)


@dataclass(frozen=True)
class Shape:
    """Features whose directions touch each other and no others, and the number of dimensions that they fill."""

    features: tuple[int, ...]
    dimensions: int
    even: bool
    """Whether each feature has about the same share of those dimensions (up to `UNEVEN`)."""

    @property
    def name(self) -> str:
        """What such a shape is called: "pentagon"; or, where it is uneven or has no name, "5 in 2 dimensions"."""
        size = len(self.features), self.dimensions
        return _NAMES[size] if self.even and size in _NAMES else f"{size[0]} in {size[1]} dimensions"


_NAMES = {
    (1, 1): "alone",
    (2, 1): "antipodal pair",
    (3, 2): "triangle",
    (4, 3): "tetrahedron",
    (5, 2): "pentagon",
    (8, 3): "square antiprism",
}
"""The even arrangements that Elhage et al. report, by features and dimensions."""


def shapes(W: Float[Tensor, "feature hidden"]) -> list[Shape]:
    """Take the represented directions apart into groups that stand at right angles to each other.

    Two directions belong together if their |cosine| is above `TOUCHING`, or if a chain of such pairs leads from one to
    the other. The dimensions of a group are counted by its singular values (those above a quarter of the largest).
    Largest groups first. A name says how many directions share how much room evenly; angles are not looked at.
    """
    chosen = represented(W).nonzero().flatten().tolist()
    unit = F.normalize(W, dim=-1)
    touches = (unit @ unit.T).abs() > TOUCHING
    found = []
    while chosen:
        group, edge = set(), {chosen[0]}
        while edge:
            group |= edge
            edge = {other for other in chosen for one in edge if touches[one, other]} - group
        found.append(_shape(W, sorted(group)))
        chosen = [feature for feature in chosen if feature not in group]
    return sorted(found, key=lambda shape: (-len(shape.features), shape.features))


def _shape(W: Float[Tensor, "feature hidden"], group: list[int]) -> Shape:
    values = torch.linalg.svdvals(F.normalize(W[group], dim=-1))
    dimensions = int((values > values[0] / 4).sum())
    unevenness = (feature_dimensionality(W[group]) - dimensions / len(group)).abs().max()
    return Shape(tuple(group), dimensions, even=bool(unevenness < UNEVEN))


def polygon(n: int) -> Float[Tensor, "{n} 2"]:
    """``n`` directions of length 1, spread evenly in the plane, counter-clockwise from (1, 0)."""
    angle = 2 * math.pi * torch.arange(n) / n
    return torch.stack([angle.cos(), angle.sin()], dim=-1)


def loss_if_ignored(
    density: Float[Tensor, "*any"], importance: Float[Tensor, "*any"]
) -> Float[Tensor, "*any"]:
    """What it costs to give up a feature: ``importance · (p/3 − p²/4)``, its variance. p is the density.

    The best guess without seeing a feature is its mean, p/2, which the bias can say.
    """
    return importance * (density / 3 - density.square() / 4)


def loss_if_shared(
    density: Float[Tensor, "*any"], importance: Float[Tensor, "*any"]
) -> Float[Tensor, "*any"]:
    """What it costs to give two features one dimension, as +1 and −1: ``(1 + importance) · p²/6``.

    ``importance``: of the second; the first has 1. Nothing is lost unless *both* are there, in a share p² of the
    examples. Then each misses the smaller of the two, and the mean square of the smaller of two uniform numbers is 1/6.
    """
    return (1 + importance) * density.square() / 6


def phase(density: Float[Tensor, "*any"], importance: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Two features, one dimension: −1 = keep the first only, 0 = superposition, 1 = keep the second only.

    The cheapest of the three, by theory, for ``importance`` of the second feature beside the first's 1. A network may
    find something between the three that is cheaper still, or get stuck: compare with a trained one.

    The question and the three candidates are those of Elhage et al. (2022), section "Superposition as a Phase Change";
    the formulas were worked out anew for this course.
    """
    costs = [
        loss_if_ignored(density, importance),
        loss_if_shared(density, importance),
        loss_if_ignored(density, torch.ones_like(importance)),
    ]
    return torch.stack(torch.broadcast_tensors(*costs)).argmin(dim=0).float() - 1


def trained_phase(W: Float[Tensor, "*any 2 1"]) -> Float[Tensor, "*any"]:
    """What a network made of two features and one dimension, on the scale of `phase`: ``(|w₂| − |w₁|) / max``.

    −1: the second has no direction. 0: both are equally long. 1: the first has none. Two features on one line share it
    with opposite signs, or they could not be told apart; this number does not check that.
    """
    first, second = W[..., 0, 0].abs(), W[..., 1, 0].abs()
    return (second - first) / torch.maximum(first, second)


def phase_boundary(importance: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """The density below which superposition is cheaper than giving up the less important of two features.

    ``4r / (2 + 5r)`` where r, at most 1, is the smaller importance over the larger. 4/7 for equal ones.
    """
    r = torch.minimum(importance, 1 / importance)
    return 4 * r / (2 + 5 * r)


def purity(W: Float[Tensor, "*any feature hidden"]) -> Float[Tensor, "*any hidden"]:
    """How much of a neuron belongs to one feature: its largest squared weight over the sum of its squared weights.

    1: the neuron stands for one feature (*monosemantic*). 1/n: for all n alike. A neuron without weights gets
    not-a-number. Only where the neurons' axes mean something is this a statement about the network; compare with
    `rotated`.
    """
    squares = W.square()
    total = squares.sum(dim=-2)
    return torch.where(total > 0, squares.amax(dim=-2) / total, torch.nan)


def rotated(
    W: Float[Tensor, "*any feature hidden"], *, seed: int = 0
) -> Float[Tensor, "*any feature hidden"]:
    """The same directions in a hidden space that was turned at random: lengths and angles stay, axes do not.

    Whatever an autoencoder with a linear hidden layer does, it does after a turn as well, so nothing that depends on
    the axes can be a finding about it. Every network gets a turn of its own.
    """
    generator = torch.Generator().manual_seed(seed)
    n = W.shape[-1]
    turn, upper = torch.linalg.qr(torch.randn(*W.shape[:-2], n, n, generator=generator))
    return W @ (turn * upper.diagonal(dim1=-2, dim2=-1).sign()[..., None, :])  # so that no turn is preferred
