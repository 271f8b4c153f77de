"""Worlds of sparse features that we make ourselves: each feature is off most of the time, and we know all of them.

A *feature* is a number that says how much of something is there: 0 for nothing, up to 1. A world has many features,
and any one example has few of them. `features` draws such examples. `dictionary` gives each feature a direction in a
space with fewer dimensions than there are features, and `sample` adds the directions up: a vector that a network
could have inside, of which we know what it is made of. Whatever claims to find the features can be marked on it.

After Elhage et al. (2022), "Toy Models of Superposition", section "Experiment setup", where each feature is 0 with
probability S and otherwise uniform on [0, 1]. We say *density* for 1 − S, the share of examples that have the feature.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Sample:
    """Vectors, and the features that each of them was made of: ``vectors = features @ dictionary`` (+ noise)."""

    vectors: Float[Tensor, "batch d"]
    features: Float[Tensor, "batch feature"]
    dictionary: Float[Tensor, "feature d"]

    def __len__(self) -> int:
        return len(self.vectors)


def features(
    n: int, n_features: int, *, density: float | int | Float[Tensor, " feature"] = 0.05, seed: int = 0
) -> Float[Tensor, "batch feature"]:
    """``n`` examples, in each of which every feature is 0, or, with probability ``density``, uniform on [0, 1].

    ``density``: above 0, at most 1; one number for all features, or one for each. Features come and go
    independently of each other. ``seed``: the same seed gives the same examples.

    Raises ValueError for a density outside this range, or one that is no number for each feature.
    """
    if n < 1 or n_features < 1:
        raise ValueError(f"n={n} examples of n_features={n_features}: each must be at least 1.")
    density = torch.as_tensor(density, dtype=torch.float32)
    if density.ndim and density.shape != (n_features,):
        raise ValueError(
            f"density has {len(density)} numbers, but there are {n_features} features: give one number for all, "
            "or one for each."
        )
    return draw((n, n_features), density, torch.Generator().manual_seed(seed))


def draw(
    shape: tuple[int, ...], density: Float[Tensor, "*any"], generator: torch.Generator
) -> Float[Tensor, "*shape"]:
    """Features of any shape, from a generator that goes on: for loops that need new examples at every step.

    ``density`` is one number, or a tensor that broadcasts to ``shape``.
    """
    if not ((density > 0) & (density <= 1)).all():
        worst = density.flatten()[((density <= 0) | (density > 1)).flatten()][0].item()
        raise ValueError(f"density={worst:g}: give a share of the examples, above 0 and at most 1.")
    chance = torch.rand(shape, generator=generator)
    # One draw decides both: where it falls below the density the feature is there, and a number that is known to lie
    # below the density is, divided by it, uniform on [0, 1].
    return torch.where(chance < density, chance / density, 0.0)


def dictionary(n_features: int, d: int, *, seed: int = 0) -> Float[Tensor, "feature d"]:
    """A direction of length 1 for each feature, drawn evenly from all directions of a space with ``d`` dimensions.

    With more features than dimensions they cannot all stand at right angles. Drawn at random, the cosine of two of
    them is around ±1/√d, and the largest among many is far above that.
    """
    if n_features < 1 or d < 1:
        raise ValueError(f"n_features={n_features} in d={d} dimensions: each must be at least 1.")
    directions = torch.randn(n_features, d, generator=torch.Generator().manual_seed(seed))
    return F.normalize(directions, dim=-1)


def sample(
    dictionary: Float[Tensor, "feature d"],
    n: int,
    *,
    density: float | int | Float[Tensor, " feature"] = 0.05,
    noise: float | int = 0.0,
    seed: int = 0,
) -> Sample:
    """``n`` vectors, each the sum of the directions of the features that it has, weighted by how much it has of them.

    ``density``, ``seed``: as in `features`. ``noise``: standard deviation of Gaussian noise on every coordinate.
    With another seed, the same dictionary gives new examples of the same world.
    """
    if noise < 0:
        raise ValueError(f"noise={noise} is a standard deviation; give 0 or more.")
    present = features(n, len(dictionary), density=density, seed=seed)
    vectors = present @ dictionary
    if noise:
        own = torch.Generator().manual_seed(seed + 1)
        vectors = vectors + noise * torch.randn(vectors.shape, generator=own)
    return Sample(vectors, present, dictionary)
