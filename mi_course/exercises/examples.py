"""Inputs on which answers are tried: numbers without meaning, the same ones every time."""

from __future__ import annotations

import torch
from torch import Tensor


def random_numbers(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Normal random numbers of this shape; another seed gives others."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)
