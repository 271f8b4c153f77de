"""A GPT-2 as seven functions with their weights in the open: the reference solutions of chapter 04.

`models.transformer` is the same network as a module with hooks; the tests show that both agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


def embed(tokens: Tensor, w_token: Tensor, w_pos: Tensor) -> Tensor:
    """The residual stream that enters the first block, "batch pos d_model"."""
    return w_token[tokens] + w_pos[: tokens.shape[-1]]


def attention_pattern(q: Tensor, k: Tensor) -> Tensor:
    """Queries and keys "... pos d_head" to who attends to whom, "... query_pos key_pos"; rows add up to 1."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    future = torch.ones_like(scores, dtype=torch.bool).triu(1)
    return scores.masked_fill(future, -math.inf).softmax(dim=-1)


def attention(
    x: Tensor, w_qkv: Tensor, b_qkv: Tensor, w_out: Tensor, b_out: Tensor, n_heads: int, pattern: Callable
) -> Tensor:
    """What all heads together add to the stream, "batch pos d_model"."""
    q, k, v = (split_heads(part, n_heads) for part in (x @ w_qkv + b_qkv).chunk(3, dim=-1))
    return merge_heads(pattern(q, k) @ v) @ w_out + b_out


def split_heads(part: Tensor, n_heads: int) -> Tensor:
    """ "batch pos d_model" to "batch head pos d_head"."""
    return part.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def merge_heads(z: Tensor) -> Tensor:
    """ "batch head pos d_head" to "batch pos d_model"."""
    return z.transpose(1, 2).flatten(2)


def layer_norm(x: Tensor, w: Tensor, b: Tensor, eps: float = 1e-5) -> Tensor:
    """Each token's vector shifted to mean 0 and scaled to spread 1, then scaled by ``w`` and shifted by ``b``."""
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = centred.square().mean(dim=-1, keepdim=True)
    return centred / torch.sqrt(variance + eps) * w + b


def block(
    x: Tensor,
    attention: Callable,
    norm_1: Callable,
    norm_2: Callable,
    w_in: Tensor,
    b_in: Tensor,
    w_out: Tensor,
    b_out: Tensor,
) -> Tensor:
    """The stream after one more attention step and one more MLP step."""
    x = x + attention(norm_1(x))
    return x + mlp(norm_2(x), w_in, b_in, w_out, b_out)


def gelu(x: Tensor) -> Tensor:
    """GPT-2's approximation of the Gaussian error linear unit."""
    return F.gelu(x, approximate="tanh")


def mlp(
    x: Tensor, w_in: Tensor, b_in: Tensor, w_out: Tensor, b_out: Tensor, *, act: Callable = gelu
) -> Tensor:
    """Two matrices with a bend between them, the same for every token."""
    return act(x @ w_in + b_in) @ w_out + b_out


def next_token_loss(logits: Tensor, tokens: Tensor) -> Tensor:
    """Mean surprise at the next token in nats: one number from "batch pos d_vocab" and "batch pos"."""
    log_probabilities = logits[:, :-1].log_softmax(dim=-1)
    return -log_probabilities.gather(-1, tokens[:, 1:, None]).mean()


def next_token_probabilities(
    logits: Tensor, temperature: float | int = 1.0, top_k: int | None = None
) -> Tensor:
    """Logits "d_vocab" as probabilities, cooled or heated, with all but the ``top_k`` best at 0."""
    if top_k is not None:
        least = logits.topk(top_k).values[-1]
        logits = logits.masked_fill(logits < least, -math.inf)
    return (logits / temperature).softmax(dim=-1)
