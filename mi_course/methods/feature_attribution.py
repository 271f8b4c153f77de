"""Which features of an autoencoder does an answer come from? Activation times gradient, and the truth beside it.

Write the residual stream as what the autoencoder makes of its features, plus what it fails to reconstruct. Then the
answer is a function of the features, and to first order

    answer(feature taken away) ≈ answer − feature · ∂answer/∂feature

Two runs give this for all features at all positions. Taking one away for real needs a run for each (`taken_away`). The
two agree as far as the rest of the model is straight between "as it is" and "without it": check on a few.

A feature with a large share has an effect on this answer when it is taken away alone. It does not follow that it means
what we call it, nor that the model fails without it: others may stand in.

Sources: Marks et al. 2024, arXiv 2403.19647, section 3.1 (features as nodes, the error kept as it is); Nanda 2023,
"Attribution patching".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.errors import CourseError
from mi_course.methods.steering import clamp
from mi_course.models.sparse_autoencoder import SparseAutoencoder
from mi_course.models.transformer import Transformer

Metric = Callable[[Tensor], Tensor]
"""From logits "batch pos d_vocab" to one number a row, for instance a log-probability."""


def attribute(
    model: Transformer,
    sae: SparseAutoencoder,
    tokens: Int[Tensor, "batch pos"],
    metric: Metric,
    *,
    at: str | None = None,
) -> Float[Tensor, "batch pos d_sae"]:
    """For each feature at each position, by how much it raises ``metric`` of its row, to first order.

    In the metric's unit. Positive: without the feature the metric would be lower. 0 where the feature is not active,
    or where the metric does not react. ``at``: as for `steering.clamp`.
    """
    point, kept = _point(sae, at), {}

    def in_features(resid: Tensor, name: str) -> Tensor:
        resid = resid.detach()
        kept["features"] = sae.encode(resid).detach().requires_grad_()
        reconstruction = sae.decode(kept["features"], like=resid)
        return reconstruction + (resid - reconstruction).detach()

    with torch.enable_grad():
        answers = metric(model.run_with_hooks(tokens, [(point, in_features)]))
        if answers.shape != tokens.shape[:1]:
            raise CourseError(
                f"metric returned shape {tuple(answers.shape)}; expected one number for each of the {len(tokens)} rows."
            )
        (gradient,) = torch.autograd.grad(answers.sum(), kept["features"])
    return kept["features"].detach() * gradient


@torch.no_grad()
def taken_away(
    model: Transformer,
    sae: SparseAutoencoder,
    tokens: Int[Tensor, "batch pos"],
    metric: Metric,
    features: Sequence[int],
    *,
    at: str | None = None,
) -> Float[Tensor, "feature batch"]:
    """For each of ``features``, by how much ``metric`` falls when the feature is 0 at every position: one run each.

    The same quantity as ``attribute(…).sum(dim=1)`` estimates, with the same sign.
    """
    point = _point(sae, at)
    plain = metric(model(tokens))
    return torch.stack(
        [
            plain - metric(model.run_with_hooks(tokens, clamp(sae, feature, 0, at=point)))
            for feature in features
        ]
    )


def _point(sae: SparseAutoencoder, at: str | None) -> str:
    if at is None and sae.hook_name is None:
        raise CourseError(
            'This autoencoder does not say what it reads: name it, at="blocks.1.hook_resid_post".'
        )
    return at or sae.hook_name
