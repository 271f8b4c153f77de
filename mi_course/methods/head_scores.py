"""One number a head: the layer × head table that many methods answer with, and the names of its cells."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.errors import UnknownName


def head_label(layer: int, head: int) -> str:
    """How the field writes a head: ``head_label(5, 1)`` is "L5H1", both counted from 0."""
    return f"L{layer}H{head}"


def find_head(label: str, n_layers: int, n_heads: int) -> tuple[int, int]:
    """The (layer, head) that "L5H1" names in a model of this size; UnknownName offers the nearest if none."""
    found = re.fullmatch(r"L(\d+)H(\d+)", label.strip())
    if found is None or int(found[1]) >= n_layers or int(found[2]) >= n_heads:
        known = [head_label(layer, head) for layer in range(n_layers) for head in range(n_heads)]
        raise UnknownName(f"head (of {n_layers} layers with {n_heads} heads each)", label, known)
    return int(found[1]), int(found[2])


@dataclass(frozen=True)
class HeadScores:
    """``values[layer, head]``: one number a head. ``measure`` says what it is, ``unit`` in what it is counted.

    ``chance``: what a head without the skill would score (what exactly, the method that made it says); None
    if there is no such number. ``by_example``: the same for every example of the batch, for an interval; its
    mean over the batch is ``values``. None where no examples were used, as with scores of weights.
    """

    values: Float[Tensor, "layer head"]
    measure: str
    unit: str
    chance: float | None = None
    by_example: Float[Tensor, "batch layer head"] | None = None

    @property
    def layers(self) -> list[str]:
        """The labels of the rows."""
        return [f"L{layer}" for layer in range(self.values.shape[0])]

    @property
    def heads(self) -> list[str]:
        """The labels of the columns."""
        return [f"H{head}" for head in range(self.values.shape[1])]

    def __getitem__(self, label: str) -> float:
        """The score of one head: ``scores["L5H1"]``."""
        return float(self.values[find_head(label, *self.values.shape)])

    def best(self, n: int = 1) -> list[tuple[str, float]]:
        """The ``n`` heads with the highest scores, the highest first, each with its score."""
        return self._sorted(descending=True)[:n]

    def lowest(self, n: int = 1) -> list[tuple[str, float]]:
        """The ``n`` heads with the lowest scores, the lowest first: those whose ablation costs most, say."""
        return self._sorted(descending=False)[:n]

    def _sorted(self, *, descending: bool) -> list[tuple[str, float]]:
        order = self.values.flatten().argsort(descending=descending, stable=True)
        cells = [torch.unravel_index(flat, self.values.shape) for flat in order]
        return [(head_label(int(layer), int(head)), float(self.values[layer, head])) for layer, head in cells]

    def examples(self, label: str) -> Float[Tensor, " batch"]:
        """One head's score on every example, as `uncertainty.bootstrap_mean` takes it."""
        if self.by_example is None:
            raise ValueError(f"{self.measure} is a score of weights: there are no examples to tell apart.")
        layer, head = find_head(label, *self.values.shape)
        return self.by_example[:, layer, head]
