"""Made-up attention: causal, with rows that add up to 1."""

import torch


def causal(*shape, seed=0):
    """Random weights of shape (…, query_pos, key_pos) that look at no later token."""
    scores = 3 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    future = torch.ones(shape[-2:], dtype=torch.bool).triu(1)
    return scores.masked_fill(future, -torch.inf).softmax(-1)
