# ruff: noqa: N803 (matrices are upper case in the formulas)
"""The same network in other weights: what it computes stays, and a comparison of weights shows nothing.

A network's weights are written in bases that nobody but the network itself reads. They can be turned:

    the residual stream   by a rotation that leaves the mean of a vector alone (layer norm takes the mean away)
    layer norms           by any weights and biases, if the matrix behind takes them back
    a head's inside       queries and keys by one rotation, values and W_O by another
    an MLP's neurons      by any order

All of this is exact. What survives it is what a method may compare between two such networks: logits, attention
patterns, attributions to logits, lengths of vectors in the stream, eigenvalues of OV circuits. Layers and heads keep
their places.

What it does not hide: anything that survives. It is no protection, it only makes the question one about mechanisms.

Source: that permutations of units and rotations of a transformer's stream change no output is common knowledge; see
e.g. Ashkboos et al. 2024, "SliceGPT", arXiv 2401.15024, section 3.1, for the stream with its norms.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.errors import CourseError
from mi_course.models.transformer import Transformer


@torch.no_grad()
def disguise(model: Transformer, *, seed: int, noise: float | int = 0.0) -> Transformer:
    """A copy of ``model`` that computes the same in other weights.

    ``noise``: before the turning, every matrix gets random numbers of this share of its own size, so that no
    comparison finds two parts exactly equal. 0: the copy's logits are the model's, up to rounding.

    Raises CourseError for a network without layer norms or biases, or with a tied unembedding.
    """
    shape = model.config
    if shape.norm is None or not shape.bias or shape.tied or not shape.d_mlp:
        raise CourseError(
            "Only a network with MLPs, layer norms, biases and an unembedding of its own can be disguised like this."
        )
    draw = torch.Generator().manual_seed(seed)
    new = _copy(model)
    _add_noise(new, noise, draw)
    turn = rotation_that_keeps_the_mean(shape.d_model, draw)
    new.W_E.copy_(_centred(new.W_E) @ turn)
    new.W_pos.copy_(_centred(new.W_pos) @ turn)
    for block in new.blocks:
        block.attn.W_QKV.copy_(_read_anew(block.ln1, block.attn.W_QKV, turn, draw))
        block.mlp.W_in.copy_(_read_anew(block.ln2, block.mlp.W_in, turn, draw))
        for written in (block.attn.W_O, block.attn.b_O, block.mlp.W_out, block.mlp.b_out):
            written.copy_(_centred(written) @ turn)
        _turn_heads(block.attn, draw)
        _reorder_neurons(block.mlp, draw)
    new.lm_head.copy_(_read_anew(new.ln_final, new.W_U, turn, draw).T)
    return new


def _copy(model: Transformer) -> Transformer:
    """Weights and shape alone: an edited model's copy does not remember what was edited."""
    with torch.device("meta"):
        new = Transformer(model.config, tokenizer=model.tokenizer)
    weights = {name: weight.detach().clone() for name, weight in model.state_dict().items()}
    new.load_state_dict(weights, assign=True)
    return new.eval()


def rotation_that_keeps_the_mean(
    d_model: int, generator: torch.Generator
) -> Float[Tensor, "d_model d_model"]:
    """A random rotation or reflection R with ``ones @ R = ones``: ``x @ R`` has the mean and the length of x."""
    ones = torch.full((d_model, 1), d_model**-0.5, dtype=torch.float64)
    others = torch.randn(d_model, d_model - 1, generator=generator, dtype=torch.float64)
    basis = torch.linalg.qr(torch.cat([ones, others], dim=1)).Q  # its first column is ± ones
    inner = torch.block_diag(torch.eye(1, dtype=torch.float64), random_rotation(d_model - 1, generator))
    return (basis @ inner @ basis.T).float()


def random_rotation(n: int, generator: torch.Generator) -> Float[Tensor, "n n"]:
    """A random orthogonal matrix, in float64."""
    return torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=torch.float64)).Q


def _centred(written: Tensor) -> Tensor:
    """Without its mean over d_model, which every reader's layer norm would take away anyhow."""
    return written - written.mean(dim=-1, keepdim=True)


def _read_anew(norm, W: Tensor, turn: Tensor, draw: torch.Generator) -> Tensor:
    """What reads behind ``norm``, for a turned stream and with new weights and biases in the norm.

    ``(n w + b) W = (n R v + b′) W′`` for n in the old basis, with ``W′ = v⁻¹ Rᵀ w W`` and ``b′ = (b / w) R v``.
    """
    w, b = norm.w.clone(), norm.b.clone()
    v = 0.75 + 0.5 * torch.rand(len(w), generator=draw)
    norm.w.copy_(v)
    norm.b.copy_((b / w) @ turn * v)
    return turn.T @ (w[:, None] * W) / v[:, None]


def _turn_heads(attn, draw: torch.Generator) -> None:
    for head in range(attn.n_heads):
        looks, carries = (random_rotation(attn.d_head, draw).float() for _ in range(2))
        for weight, bias, turn in (
            (attn.W_Q, attn.b_Q, looks),
            (attn.W_K, attn.b_K, looks),
            (attn.W_V, attn.b_V, carries),
        ):
            weight[head] = weight[head] @ turn
            bias[head] = bias[head] @ turn
        attn.W_O[head] = carries.T @ attn.W_O[head]


def _reorder_neurons(mlp, draw: torch.Generator) -> None:
    order = torch.randperm(len(mlp.b_in), generator=draw)
    mlp.W_in.copy_(mlp.W_in[:, order])
    mlp.b_in.copy_(mlp.b_in[order])
    mlp.W_out.copy_(mlp.W_out[order])


def _add_noise(model: Transformer, noise: float | int, draw: torch.Generator) -> None:
    for weight in model.parameters():
        if weight.ndim > 1:
            weight += noise * weight.std() * torch.randn(weight.shape, generator=draw)
