"""Do two heads work together? How much of what one head writes lies where a later head reads.

A later head can read an earlier one's output in three places: in its queries (Q), in its keys (K), in its values (V).
The score compares the product of the two matrices with what their sizes would allow (Frobenius norms):

    Q: ‖W_OV W_QK‖ / (‖W_OV‖ ‖W_QK‖)     K: ‖W_OV W_QKᵀ‖ / …     V: ‖W_OV W_OV'‖ / (‖W_OV‖ ‖W_OV'‖)

where W_OV is the earlier head's and the other the later head's. An induction head reads a previous-token head's
output in its keys: K-composition. Even random matrices overlap, by about 1/√d_model, so a score means something
only beside `CompositionScores.baseline`.

Source: Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits", on composition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.methods.head_circuits import Norm, reading_weights
from mi_course.methods.head_scores import find_head, head_label
from mi_course.methods.low_rank import LowRank
from mi_course.models.transformer import Transformer

Side = Literal["Q", "K", "V"]


@dataclass(frozen=True)
class CompositionScores:
    """``values[layer, head, reader_layer, reader_head]``: how much the later head reads of what the earlier one writes.

    Between 0 (it reads other directions) and 1 (one direction, written and read by both alone). Not-a-number where
    the first head is in no earlier layer. ``baseline``: the scores of random pairs of matrices, as `composition` says.
    """

    values: Float[Tensor, "layer head reader_layer reader_head"]
    side: Side
    baseline: Float[Tensor, " draw"]

    @property
    def chance(self) -> float:
        """The mean score of random pairs."""
        return float(self.baseline.mean())

    @property
    def spread(self) -> float:
        """The standard deviation of the scores of random pairs."""
        return float(self.baseline.std())

    def of(self, writer: str, reader: str) -> float:
        """The score of one pair: ``scores.of("L0H3", "L1H1")``."""
        shape = self.values.shape[:2]
        return float(self.values[(*find_head(writer, *shape), *find_head(reader, *shape))])

    def best(self, n: int = 1) -> list[tuple[str, str, float]]:
        """The ``n`` pairs with the highest scores, the best first: earlier head, later head, score."""
        flat = self.values.flatten()
        order = flat.nan_to_num(nan=-1).argsort(descending=True, stable=True)[:n]
        cells = [
            [int(i) for i in torch.unravel_index(at, self.values.shape)]
            for at in order
            if not flat[at].isnan()
        ]
        return [
            (head_label(*cell[:2]), head_label(*cell[2:]), float(self.values[tuple(cell)])) for cell in cells
        ]

    def table(self, layer: int, reader_layer: int) -> Float[Tensor, "head reader_head"]:
        """The scores of one layer's heads with those of a later layer, as rows and columns."""
        return self.values[layer, :, reader_layer]


@torch.no_grad()
def composition(
    model: Transformer,
    side: Side,
    *,
    norm: Norm = "fold",
    baseline: Literal["gaussian", "rotated"] = "gaussian",
    draws: int = 200,
    seed: int = 0,
) -> CompositionScores:
    """The Q-, K- or V-composition score of every head with every head of a later layer, and those of random matrices.

    ``baseline="gaussian"``: matrices of the same shapes with independent normal entries. Trained matrices have a
    few strong directions, and two such matrices overlap more *or* less by chance than two even ones, so that
    nearly every trained pair lies outside of that spread. ``"rotated"`` is the harder opponent: ``draws``
    pairs of this model's own matrices, each turned at random, so that only the directions are chance.

    What it does not show: that the earlier head *is* used. It reads weights: a pair may overlap and never act together
    because the earlier head looks elsewhere. The causal test is `ablation`. ``norm``: see `head_circuits`.
    """
    n_layers, n_heads = model.config.n_layers, model.config.n_heads
    written = _written(reading_weights(model, "W_V", norm=norm), model.W_O)
    first, second = {"Q": ("W_Q", "W_K"), "K": ("W_K", "W_Q"), "V": ("W_V", None)}[side]
    other = model.W_O if second is None else reading_weights(model, second, norm=norm).mT
    read = _read(reading_weights(model, first, norm=norm), other)

    values = torch.full((n_layers, n_heads, n_layers, n_heads), torch.nan)
    for layer in range(n_layers):
        for later in range(layer + 1, n_layers):
            product = written[layer, :, None] @ read[later, None]
            sizes = written[layer].norm(dim=(-2, -1))[:, None] * read[later].norm(dim=(-2, -1))
            values[layer, :, later] = (product.norm(dim=(-2, -1)) / sizes).nan_to_num(nan=0.0).cpu()

    generator = torch.Generator().manual_seed(seed)
    if baseline == "gaussian":
        d_model, d_head = model.config.d_model, model.config.d_head
        spectra = [
            LowRank(
                torch.randn(draws, d_model, d_head, generator=generator),
                torch.randn(draws, d_head, d_model, generator=generator),
            ).singular_values()
            for _ in range(2)
        ]
    else:
        spectra = [
            _drawn(torch.linalg.svdvals(written[:-1]), draws, generator),
            _drawn(torch.linalg.svdvals(read[1:]), draws, generator),
        ]
    return CompositionScores(values, side, _turned_at_random(*spectra, model.config.d_model, generator))


def _written(value: Float[Tensor, "... d_model d_head"], out: Float[Tensor, "... d_head d_model"]) -> Tensor:
    """``value out`` with as few rows as carry its norm: value = QR, and Q, which only turns, changes no norm."""
    return torch.linalg.qr(value).R @ out


def _read(first: Float[Tensor, "... d_model d_head"], second: Float[Tensor, "... d_head d_model"]) -> Tensor:
    """``first second`` with as few columns as carry its norm."""
    return first @ torch.linalg.qr(second.mT).R.mT


def _drawn(
    spectra: Float[Tensor, "... inner"], draws: int, generator: torch.Generator
) -> Float[Tensor, "draw inner"]:
    spectra = spectra.flatten(0, -2).cpu()
    return spectra[torch.randint(len(spectra), (draws,), generator=generator)]


def _turned_at_random(
    written: Float[Tensor, "draw inner"],
    read: Float[Tensor, "draw inner"],
    d_model: int,
    generator: torch.Generator,
) -> Float[Tensor, " draw"]:
    """Scores of pairs of matrices with these singular values and random directions."""
    inner = min(written.shape[-1], d_model)
    frames = torch.randn(2, len(written), d_model, inner, generator=generator)
    one, other = torch.linalg.qr(frames).Q
    product = written[:, :inner, None] * (one.mT @ other) * read[:, None, :inner]
    return product.norm(dim=(-2, -1)) / (written.norm(dim=-1) * read.norm(dim=-1))
