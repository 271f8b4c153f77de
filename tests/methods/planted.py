"""Transformers whose weights are set by hand, so that it is known what every head does, and random ones."""

import torch

from mi_course.models.transformer import Transformer, TransformerConfig

N_TOKENS = 12
N_CTX = 20
BOS = 0
STRENGTH = 20.0
CERTAIN = 500.0
"""A score by which softmax leaves exactly nothing to all others."""


def attention_only(n_layers, d_model, n_heads, d_head, *, d_vocab=N_TOKENS, n_ctx=N_CTX):
    """All weights zero: every head looks at all positions alike and writes nothing."""
    config = TransformerConfig(
        n_layers=n_layers,
        d_model=d_model,
        n_heads=n_heads,
        d_head=d_head,
        d_mlp=0,
        d_vocab=d_vocab,
        n_ctx=n_ctx,
        norm=None,
        bias=False,
    )
    model = Transformer(config, seed=0).eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
        parameter.zero_()
    return model


def induction_model():
    """L0H0 looks at the previous token, L1H0 is an induction head; L0H1 and L1H1 do nothing.

    The residual stream holds, side by side: token | position | previous token | answer. Rows must begin with BOS:
    the first position has nothing before it and looks at itself.
    """
    token, position = slice(0, N_TOKENS), slice(N_TOKENS, N_TOKENS + N_CTX)
    previous = slice(position.stop, position.stop + N_TOKENS)
    answer = slice(previous.stop, previous.stop + N_TOKENS)
    model = attention_only(2, answer.stop, 2, N_CTX)
    one, two = (block.attn for block in model.blocks)
    sharp = CERTAIN * N_CTX**0.5
    model.W_E[:, token] = model.W_U[answer] = torch.eye(N_TOKENS)
    model.W_pos[:, position] = torch.eye(N_CTX)

    one.W_Q[0, position] = sharp * torch.eye(N_CTX)
    one.W_K[0, position] = torch.eye(N_CTX).roll(1, dims=1).triu(1)
    one.W_V[0, token, :N_TOKENS] = torch.eye(N_TOKENS)
    one.W_O[0, :N_TOKENS, previous] = torch.eye(N_TOKENS)

    two.W_Q[0, token, :N_TOKENS] = sharp * torch.eye(N_TOKENS)
    two.W_K[0, previous, :N_TOKENS] = torch.eye(N_TOKENS)
    two.W_V[0, token, :N_TOKENS] = torch.eye(N_TOKENS)
    two.W_O[0, :N_TOKENS, answer] = STRENGTH * torch.eye(N_TOKENS)
    return model


def duplicate_model():
    """L0H0 looks at earlier positions with the same token and never at itself; L0H1 does nothing."""
    d_model = N_TOKENS + N_CTX
    model = attention_only(1, d_model, 2, d_model)
    sharp = CERTAIN * d_model**0.5
    model.W_E[:, :N_TOKENS] = torch.eye(N_TOKENS)
    model.W_pos[:, N_TOKENS:] = torch.eye(N_CTX)
    model.blocks[0].attn.W_Q[0] = sharp * torch.eye(d_model)
    model.blocks[0].attn.W_K[0] = torch.diag(torch.tensor([1.0] * N_TOKENS + [-2.0] * N_CTX))
    return model


def random_model(seed=0, **shape):
    """GPT-2's architecture, small, with weights large enough that every part matters, biases and norms included."""
    shape = {
        "n_layers": 3,
        "d_model": 24,
        "n_heads": 4,
        "d_head": 6,
        "d_mlp": 40,
        "d_vocab": 50,
        "n_ctx": 20,
        **shape,
    }
    model = Transformer(TransformerConfig(**shape), seed=seed).eval()
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(False)
        around = 1.0 if name.endswith(".w") else 0.0
        parameter.copy_(around + 0.3 * torch.randn(parameter.shape, generator=generator))
    return model


def random_tokens(model, n=4, n_pos=9, seed=1):
    return torch.randint(model.config.d_vocab, (n, n_pos), generator=torch.Generator().manual_seed(seed))
