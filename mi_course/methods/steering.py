"""Steering: change what a model writes by changing its residual stream while it writes.

    add      resid + dose · direction                     a push in one direction, everywhere the same
    clamp    resid + decode(clamped) − decode(features)   one feature of a sparse autoencoder gets the value ``dose``
    ablate   resid + (level − resid · unit) unit          along one direction, everything lies at the same level

Each returns hooks, for ``model.hooks(…)``, `write_on` or `dose_response`. They change every position alike, and leave
the weights as they are.

What a steered text shows: that the model's later layers *react* to the direction. It does not show that the model uses
the direction when nobody pushes, nor that the direction means what we call it: a push on the logits of twenty words
makes a model say these words too. Compare with a random direction of the same length, and look at what a push spoils.

Sources: Turner et al. 2023, arXiv 2308.10248 (a difference of activations, added); Panickssery et al. 2023, arXiv
2312.06681 (the mean of many such differences); Templeton et al. 2024, "Scaling Monosemanticity" (a feature, clamped,
with the autoencoder's error left as it is).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.errors import CourseError
from mi_course.methods.padded_texts import pad
from mi_course.models.hooks import Hook
from mi_course.models.sparse_autoencoder import SparseAutoencoder
from mi_course.models.transformer import Transformer

Hooks = list[tuple[str, Hook]]
"""Names of points and functions that change what passes there; several lists may be joined with +."""


def add(direction: Float[Tensor, " d_model"], dose: float | int = 1.0, *, at: str) -> Hooks:
    """Hooks that add ``dose · direction`` at every position of the point ``at`` ("blocks.1.hook_resid_post").

    A dose of 0 changes nothing, a negative one pushes the other way.
    """

    def hook(resid: Tensor, name: str) -> Tensor:
        return resid + dose * direction

    return [(at, hook)]


def clamp(
    sae: SparseAutoencoder,
    feature: int | Sequence[int],
    dose: float | int | Sequence[float],
    *,
    at: str | None = None,
) -> Hooks:
    """Hooks that set features of an autoencoder to ``dose`` at every position, and keep what it cannot explain.

    ``feature``: one or several, clamped together. ``dose``: the activation that each gets, in its own unit (one for
    all, or one for each); give it in multiples of the largest that occurs in text. 0 takes a feature away; a negative
    value, which it can never have by itself, pushes the other way. ``at``: the point whose activations ``sae`` reads;
    without one, the point it was trained on.

    Only the *difference* that the features make to the reconstruction is added, so that what the autoencoder fails to
    reconstruct stays in place. Where a feature already has this value nothing changes: unlike `add`, a clamp ends up at
    the same activation everywhere.
    """
    chosen = [feature] if isinstance(feature, int) else list(feature)
    if foreign := [each for each in chosen if not 0 <= each < sae.config.d_sae]:
        raise CourseError(
            f"There is no feature {foreign[0]}: the autoencoder has 0 to {sae.config.d_sae - 1}."
        )
    if not isinstance(dose, float | int) and len(dose) != len(chosen):
        raise CourseError(f"{len(dose)} doses for {len(chosen)} features: give one for all, or one for each.")
    if at is None and sae.hook_name is None:
        raise CourseError(
            'This autoencoder does not say what it reads: name it, at="blocks.1.hook_resid_post".'
        )

    def hook(resid: Tensor, name: str) -> Tensor:
        features = sae.encode(resid)
        clamped = features.clone()
        clamped[..., chosen] = torch.as_tensor(dose, dtype=features.dtype, device=features.device)
        return resid + sae.decode(clamped, like=resid) - sae.decode(features, like=resid)

    return [(at or sae.hook_name, hook)]


def ablate(direction: Float[Tensor, " d_model"], level: float | int = 0.0, *, at: str) -> Hooks:
    """Hooks that make everything lie at the same ``level`` along ``direction``: nothing can be read off it any more.

    ``level``: where, in units of the activation. 0 takes away whatever lies along the direction, but may be an unusual
    place; the mean of ordinary activations there, ``mean_activation(…) @ direction / direction.norm()``, disturbs less.
    What is at right angles to the direction stays as it is. The length of ``direction`` does not matter.
    """
    length = direction.norm()
    if not length:
        raise CourseError("The direction is zero everywhere: nothing lies along it.")
    unit = direction / length

    def hook(resid: Tensor, name: str) -> Tensor:
        return resid + (level - resid @ unit)[..., None] * unit

    return [(at, hook)]


@torch.no_grad()
def mean_activation(model: Transformer, texts: Sequence[str], *, at: str) -> Float[Tensor, " d_model"]:
    """The mean activation at the point ``at``, over all tokens of the texts; the first, end-of-text, does not count.

    Every token counts the same, whatever text it stands in.
    """
    batch = pad(model, texts)
    _, cache = model.run_with_cache(batch.tokens, [at])
    return cache[at][batch.where].mean(dim=0)


def mean_difference(
    model: Transformer, texts: Sequence[str], others: Sequence[str], *, at: str
) -> Float[Tensor, " d_model"]:
    """The direction from ``others`` to ``texts``: the difference of their mean activations at the point ``at``.

    It holds *everything* in which the two kinds of texts differ: a topic, but also its commonest words, and the lengths
    of sentences. Choose ``others`` that differ from ``texts`` in one thing only. Source: Panickssery et al. 2023.
    """
    return mean_activation(model, texts, at=at) - mean_activation(model, others, at=at)


def random_direction(like: Float[Tensor, " d_model"], *, seed: int = 0) -> Float[Tensor, " d_model"]:
    """A direction drawn at random, as long as ``like``: the control for every push."""
    noise = torch.randn(like.shape, generator=torch.Generator().manual_seed(seed)).to(like)
    return noise * like.norm() / noise.norm()
