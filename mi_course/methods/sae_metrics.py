"""How good is a sparse autoencoder? How few features it needs, how much they explain, and what the model loses by it.

    L0                  active features a vector: how sparse
    explained variance  1 − Σ ‖x − x̂‖² / Σ ‖x − mean‖²: how much of the activation it expresses
    loss recovered      how much of the model's ability is left when it has to live on x̂ instead of x
    density             for each feature the share of the vectors at which it is active

The first two pull against each other, and the second can mislead: the directions with the largest variance need not be
those that the model uses. So the model is asked as well. What none of them shows is that a feature means one thing: a
dictionary can score well on all four and be no easier to read than neurons.

Source: Bricken et al. 2023, "Towards Monosemanticity", where loss recovered is taken against zero ablation. Activations
of zero are nothing that a model ever meets, which makes every autoencoder look good; here the mean is there as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_course.methods.metrics import loss_of_each
from mi_course.methods.uncertainty import Interval, bootstrap_ratio
from mi_course.models.hooks import Hook
from mi_course.models.sparse_autoencoder import SparseAutoencoder
from mi_course.models.transformer import Transformer

Ablation = Literal["mean", "zero"]


def l0(features: Float[Tensor, "*batch d_sae"]) -> float:
    """How many features are active at once, on average."""
    return float((features > 0).sum(-1).float().mean())


def density(features: Float[Tensor, "*batch d_sae"]) -> Float[Tensor, " d_sae"]:
    """For each feature the share of the vectors at which it is active: 0 is dead (on these vectors), 1 is always on."""
    vectors = features.flatten(end_dim=-2)
    # In parts, because PyTorch makes whole numbers of eight bytes of what it counts.
    return sum((part > 0).sum(dim=0) for part in vectors.split(512)) / len(vectors)


def explained_variance(
    x: Float[Tensor, "*batch d_in"], reconstruction: Float[Tensor, "*batch d_in"]
) -> float:
    """The share of the variance of ``x`` that the reconstruction explains.

    1: all of it. 0: no more than the mean of ``x`` would. Negative: less than that.
    """
    if x.shape != reconstruction.shape:
        raise ValueError(f"x has shape {tuple(x.shape)}, the reconstruction {tuple(reconstruction.shape)}.")
    x, reconstruction = x.flatten(end_dim=-2), reconstruction.flatten(end_dim=-2)
    left = (x - reconstruction).square().sum()
    return float((1 - left / (x - x.mean(dim=0)).square().sum()).detach())


@dataclass(frozen=True)
class LossRecovered:
    """Mean loss of every text, in nats a token, with the activation as it is and with what was put in its place.

    ``clean``: nothing changed. ``reconstructed``: the autoencoder's x̂. ``zero``, ``mean``: zeros, and the mean of the
    activation over these texts.
    """

    clean: Float[Tensor, " text"]
    reconstructed: Float[Tensor, " text"]
    zero: Float[Tensor, " text"]
    mean: Float[Tensor, " text"]
    unit: str = "nats per token"

    def recovered(self, against: Ablation = "mean") -> Interval:
        """``(ablated − reconstructed) / (ablated − clean)``, with an interval over texts.

        1: the model does as well on x̂ as on x. 0: no better than with the activation ablated. Means little where the
        ablation itself hardly hurts.
        """
        ablated = {"mean": self.mean, "zero": self.zero}[against]
        return bootstrap_ratio(ablated - self.reconstructed, ablated - self.clean)


@torch.no_grad()
def loss_recovered(
    model: Transformer,
    sae: SparseAutoencoder,
    tokens: Int[Tensor, "batch pos"],
    *,
    where: Bool[Tensor, "batch pos"] | None = None,
    rows: int = 64,
) -> LossRecovered:
    """What becomes of the model's loss when the activation that ``sae`` reads is replaced, at the tokens in ``where``.

    ``where``: the tokens of the texts themselves (without what fills rows up); by default all but the first, whose
    activation is the same in every text. The loss is that of predicting them. ``rows``: texts that run at a time.
    """
    if where is None:
        where = torch.ones_like(tokens, dtype=torch.bool)
        where[:, 0] = False
    if not where[:, 1:].any(dim=1).all():
        raise ValueError(
            "At least one text has no token to predict: where is False at all but its first one."
        )
    mean = _mean_activation(model, sae.hook_name, tokens, where, rows)
    replacements = {
        "clean": lambda x: x,
        "reconstructed": sae,
        "zero": torch.zeros_like,
        "mean": mean.expand_as,
    }
    losses: dict[str, list[Tensor]] = {name: [] for name in replacements}
    for start in range(0, len(tokens), rows):
        texts, here = tokens[start : start + rows], where[start : start + rows]
        for name, replacement in replacements.items():
            with model.hooks([(sae.hook_name, _replace(replacement, here))]):
                losses[name].append(loss_of_each(model(texts), texts, here))
    return LossRecovered(**{name: torch.cat(parts) for name, parts in losses.items()})


def _replace(replacement, where: Tensor) -> Hook:
    def hook(activation: Tensor, name: str) -> Tensor:
        return torch.where(where[..., None], replacement(activation), activation)

    return hook


def _mean_activation(model, hook_name: str, tokens: Tensor, where: Tensor, rows: int) -> Tensor:
    total, count = 0.0, 0
    for start in range(0, len(tokens), rows):
        _, cache = model.run_with_cache(tokens[start : start + rows], hook_name)
        found = cache[hook_name][where[start : start + rows]]
        total, count = total + found.sum(0), count + len(found)
    return total / count
