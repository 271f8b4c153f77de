"""Sums on a clock: every problem "a + b = ?", counted modulo a number p.

A problem is a row of three tokens, ``a b =``. Numbers are their own tokens, 0 to p − 1, and "=" is token p. There
are only p² problems, so that a network can be asked all of them, and a share of them can be kept from it: it
then answers the others by heart or by a rule.

The task of Power et al. 2022 ("Grokking: Generalization beyond Overfitting on Small Algorithmic Datasets") in the
form of Nanda et al. 2023 (arXiv 2301.05217, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor


@dataclass(frozen=True)
class Split:
    """The problems that a network learns from, and those that it never sees."""

    train: Int[Tensor, "train 3"]
    test: Int[Tensor, "test 3"]


def problems(p: int) -> Int[Tensor, "problem 3"]:
    """All p² problems ``a b =``, in the order (0, 0), (0, 1) … (p − 1, p − 1)."""
    if p < 2:
        raise ValueError(f"p={p}; a clock needs at least 2 hours.")
    numbers = torch.cartesian_prod(torch.arange(p), torch.arange(p))
    return torch.cat([numbers, torch.full((p * p, 1), p)], dim=1)


def answers(problems: Int[Tensor, "problem 3"]) -> Int[Tensor, " problem"]:
    """(a + b) mod p for each row ``a b =``; p is read from the token "="."""
    return (problems[:, 0] + problems[:, 1]) % problems[:, 2]


def split(p: int, *, share: float = 0.3, seed: int = 0) -> Split:
    """A random share of all problems to learn from, and the rest to be tested on.

    ``share``: between 0 and 1, both excluded. a + b and b + a are different problems: one may be learned and the
    other tested, and a network that has found out that they are equal answers it.
    """
    if not 0 < share < 1:
        raise ValueError(f"share={share}; it lies between 0 and 1, for instance 0.3.")
    every = problems(p)
    order = torch.randperm(len(every), generator=torch.Generator().manual_seed(seed))
    n_train = int(share * len(every))
    return Split(train=every[order[:n_train]], test=every[order[n_train:]])


def control(p: int, *, share: float = 0.3, seed: int = 0) -> tuple[Split, Int[Tensor, " train"]]:
    """A task of the same size without a rule: the same problems to learn, each with a random answer.

    A network can learn these answers by heart, and nothing that it finds helps with the others.
    """
    parts = split(p, share=share, seed=seed)
    generator = torch.Generator().manual_seed(seed + 1)
    return parts, torch.randint(p, (len(parts.train),), generator=generator)
