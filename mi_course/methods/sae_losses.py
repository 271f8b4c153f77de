# ruff: noqa: N803 (matrices are upper case in the formulas)
"""What training makes small, for each of the three kinds of sparse autoencoders.

    l1         ‖x − x̂‖² / d_in + price · Σ features / √d_in
    jumprelu   ‖x − x̂‖² / d_in + price · number of active features
    topk       ‖x − x̂‖² / d_in + 1/32 · share of what is left over that dead features do not explain

The number of active features is a sum of steps, which has no slope anywhere. Its gradient is taken from a slope that
stands in for the step near each threshold (a straight-through estimator).

Sources: Bricken et al. 2023, "Towards Monosemanticity"; Rajamanoharan et al. 2024, arXiv 2407.14435, section 3 and
appendix; Gao et al. 2024, arXiv 2406.04093, section 2.4 and appendix A.2.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from mi_course.models.sparse_autoencoder import SparseAutoencoder

Loss = tuple[Tensor, Tensor, Tensor]
"""The loss, the mean squared error a coordinate, and for how many of the vectors each feature was active."""


def l1(sae: SparseAutoencoder, x: Float[Tensor, "batch d_in"], price: float | int) -> Loss:
    """Every feature costs as much as it is active: many become 0, and all others a little too small."""
    features = sae.encode(x)
    error = (x - sae.decode(features)).square().mean()
    loss = error + price * features.sum(-1).mean() / math.sqrt(sae.config.d_in)
    return loss, error.detach(), (features > 0).sum(0)


def jumprelu(
    sae: SparseAutoencoder, x: Float[Tensor, "batch d_in"], price: float | int, bandwidth: float | int
) -> Loss:
    """Every active feature costs the same, however active it is: nothing makes it too small."""
    pre = sae.pre_activations(x)
    active = _Step.apply(pre, sae.threshold, bandwidth)
    error = (x - sae.decode(pre.relu() * active)).square().mean()
    return error + price * active.sum(-1).mean(), error.detach(), active.detach().sum(0)


def topk(sae: SparseAutoencoder, x: Float[Tensor, "batch d_in"], dead: Bool[Tensor, " d_sae"]) -> Loss:
    """The number of active features is given. Dead ones are trained on what the living leave over.

    No gradient reaches ``b_dec`` through the encoder, which would pull it in a second direction.
    """
    centred = x - sae.b_dec.detach()
    with torch.no_grad():
        pre = centred @ sae.W_enc + sae.b_enc
        values, which = pre.relu_().topk(sae.config.k, dim=-1, sorted=False)
    values = _OfTheChosen.apply(sae.W_enc, sae.b_enc, centred, values, which)
    # The sum of k rows of W_dec, without the d_sae − k products by zero.
    decoded = F.embedding_bag(which, sae.W_dec, per_sample_weights=values, mode="sum") + sae.b_dec
    left = x - decoded
    error = left.square().mean()
    active = which[values > 0].bincount(minlength=sae.config.d_sae)
    loss = error
    if dead.any():
        loss = error + _share_unexplained_by(dead.nonzero()[:, 0], sae, centred, left.detach()) / 32
    return loss, error.detach(), active


def _share_unexplained_by(dead: Tensor, sae: SparseAutoencoder, centred: Tensor, left: Tensor) -> Tensor:
    """How badly the best dead features, half as many as there are coordinates, explain what the living leave over."""
    pre = (centred @ sae.W_enc[:, dead] + sae.b_enc[dead]).relu()
    values, which = pre.topk(min(sae.config.d_in // 2 or 1, len(dead)), dim=-1, sorted=False)
    decoded = F.embedding_bag(which, sae.W_dec[dead], per_sample_weights=values, mode="sum")
    return (left - decoded).square().sum() / left.square().sum().clamp(min=1e-12)


class _OfTheChosen(torch.autograd.Function):
    """The chosen features' pre-activations, with gradients for the chosen features' weights alone.

    The plain product would compute the gradient of all d_sae columns from a matrix that is nearly all zeros.
    """

    @staticmethod
    def forward(ctx, W_enc: Tensor, b_enc: Tensor, centred: Tensor, values: Tensor, which: Tensor) -> Tensor:
        ctx.save_for_backward(centred, values, which)
        ctx.shape = W_enc.shape
        return values.clone()

    @staticmethod
    def backward(ctx, gradient: Tensor):
        centred, values, which = ctx.saved_tensors
        gradient = gradient * (values > 0)
        d_in, d_sae = ctx.shape
        rows = (gradient[..., None] * centred[:, None]).flatten(end_dim=1)
        for_W = gradient.new_zeros(d_sae, d_in).index_add_(0, which.flatten(), rows)
        for_b = gradient.new_zeros(d_sae).index_add_(0, which.flatten(), gradient.flatten())
        return for_W.T, for_b, None, None, None


class _Step(torch.autograd.Function):
    """1 where pre > threshold, else 0; its gradient is that of a slope as wide as ``bandwidth`` around the step."""

    @staticmethod
    def forward(ctx, pre: Tensor, threshold: Tensor, bandwidth: float) -> Tensor:
        ctx.save_for_backward(pre, threshold)
        ctx.bandwidth = bandwidth
        return (pre > threshold).to(pre.dtype)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        pre, threshold = ctx.saved_tensors
        near = ((pre - threshold).abs() < ctx.bandwidth / 2).to(pre.dtype)
        return None, -(gradient * near).sum(0) / ctx.bandwidth, None
