"""What do a head's weights say, before any text is read? Where it looks (QK), and what it moves from there (OV).

A head does two things that are independent of each other, and each is one matrix:

    score(query, key) = x_query W_QK x_keyᵀ      W_QK = W_Q W_Kᵀ     where to look
    output            = Σ pattern · x_key W_OV    W_OV = W_V W_O      what to write when looking there

Put between the embedding and the unembedding, they are about tokens: ``W_E W_QK W_Eᵀ`` says which token likes
to look at which, ``W_E W_OV W_U`` which logits go up when a token is looked at. x is a row, as everywhere here.

What is left out: biases, the division by √d_head, the scale of layer norms (it depends on the text), and for tokens
whatever earlier layers do to the embedding before this head reads it. In a model with MLPs that is much: in
GPT-2 the first MLP changes every embedding.

Source: Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits".
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.methods.head_scores import find_head
from mi_course.methods.low_rank import LowRank
from mi_course.models.transformer import Transformer

Norm = Literal["fold", "ignore"]
"""What becomes of layer norms. "fold": their centring and their weights belong to the matrix that reads behind
them; only the scale is left out. "ignore": as if there were none. The same in a model without layer norm."""


@torch.no_grad()
def qk_circuit(
    model: Transformer,
    head: str,
    *,
    between: Literal["residual", "tokens", "positions"] = "residual",
    norm: Norm = "fold",
) -> LowRank:
    """``circuit[query, key]``: how much a query likes to look at a key, as far as this head's weights say.

    ``between``: what stands at both ends: coordinates of the residual stream (d_model × d_model), tokens
    (``W_E``, d_vocab × d_vocab) or positions (``W_pos``, n_ctx × n_ctx). Large: more attention than a key with
    a smaller entry *in the same row*; rows cannot be compared, because softmax forgets what all keys share. For
    positions, only what lies on or below the diagonal is ever used. Divide by √d_head for the model's own scores.
    """
    layer, index = find_head(head, model.config.n_layers, model.config.n_heads)
    ends = _ends(model, between)
    attn = model.blocks[layer].attn
    query, key = (ends @ _behind(model.blocks[layer].ln1, W[index], norm) for W in (attn.W_Q, attn.W_K))
    return LowRank(query, key.mT)


@torch.no_grad()
def ov_circuit(
    model: Transformer, head: str, *, between: Literal["residual", "tokens"] = "residual", norm: Norm = "fold"
) -> LowRank:
    """``circuit[source, written]``: what the head writes at the query for each thing that it may look at.

    ``between="residual"``: from and to coordinates of the residual stream (d_model × d_model).
    ``between="tokens"``: from the token that is looked at to the logits (d_vocab × d_vocab). A positive entry raises
    that logit. Large entries on the diagonal: looking at a token makes it more likely to come next (`copying`).
    """
    layer, index = find_head(head, model.config.n_layers, model.config.n_heads)
    attn = model.blocks[layer].attn
    value, out = _behind(model.blocks[layer].ln1, attn.W_V[index], norm), attn.W_O[index]
    if between == "tokens":
        return LowRank(model.W_E @ value, out @ _behind(model.ln_final, model.W_U, norm))
    return LowRank(value, out)


@torch.no_grad()
def composed_qk_circuit(
    model: Transformer,
    writer: str,
    reader: str,
    *,
    side: Literal["query", "key"] = "key",
    norm: Norm = "fold",
) -> LowRank:
    """The reader's QK circuit between tokens, where one side sees its token only through an earlier head.

    ``circuit[query token, key token]``. With ``side="key"`` it is ``W_E W_QK (W_E W_OV)ᵀ``: the key is what
    ``writer`` copied to that position. If the writer looks at the previous token and the reader is an induction head,
    then a query likes keys that come *after* the same token: the diagonal is large (`LowRank.largest_on_diagonal`).
    With ``side="query"`` the query goes through the writer.

    It takes for granted that the writer looks where it should; see `attention_scores` and, for cause, `ablation`.
    """
    ov = ov_circuit(model, writer, norm=norm)
    moved = (model.W_E @ ov.left) @ ov.right
    layer, index = find_head(reader, model.config.n_layers, model.config.n_heads)
    if find_head(writer, model.config.n_layers, model.config.n_heads)[0] >= layer:
        raise ValueError(f"{reader} cannot read what {writer} writes: a head reads only from earlier layers.")
    attn, ln1 = model.blocks[layer].attn, model.blocks[layer].ln1
    query = (moved if side == "query" else model.W_E) @ _behind(ln1, attn.W_Q[index], norm)
    key = (moved if side == "key" else model.W_E) @ _behind(ln1, attn.W_K[index], norm)
    return LowRank(query, key.mT)


@torch.no_grad()
def reading_weights(
    model: Transformer, weight: Literal["W_Q", "W_K", "W_V"], *, norm: Norm = "fold"
) -> Float[Tensor, "layer head d_model d_head"]:
    """``W_Q``, ``W_K`` or ``W_V`` of all heads as they read the residual stream, with their layer norm's weights."""
    blocks = model.blocks
    return torch.stack([_behind(block.ln1, getattr(block.attn, weight), norm) for block in blocks])


@torch.no_grad()
def unembedding(model: Transformer, *, norm: Norm = "fold") -> Float[Tensor, "d_model d_vocab"]:
    """``W_U`` as it reads the residual stream, with the final layer norm's weights."""
    return _behind(model.ln_final, model.W_U, norm)


def _behind(layer_norm: torch.nn.Module, weight: Float[Tensor, "... d_model out"], norm: Norm) -> Tensor:
    """``weight`` as it acts on what goes into the layer norm: ``(x − mean) * w`` is a matrix, and belongs to it."""
    if norm == "ignore" or not hasattr(layer_norm, "w"):
        return weight
    scaled = layer_norm.w[:, None] * weight
    return scaled - scaled.mean(dim=-2, keepdim=True)


def _ends(model: Transformer, between: str) -> Tensor:
    if between == "tokens":
        return model.W_E
    if between == "positions":
        return model.W_pos
    return torch.eye(model.config.d_model, device=model.W_E.device, dtype=model.W_E.dtype)
