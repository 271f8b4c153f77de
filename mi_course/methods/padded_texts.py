"""Texts of different lengths as one batch, and which of its tokens are theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from mi_course.models.transformer import Transformer


@dataclass(frozen=True)
class PaddedTexts:
    """Rows of tokens, filled up at the right, and how many tokens of each row are the text's: the first one counts.

    Nothing behind a text changes what the model computes at it: a causal model does not look ahead.
    """

    tokens: Int[Tensor, "text pos"]
    lengths: Int[Tensor, " text"]

    @property
    def where(self) -> Bool[Tensor, "text pos"]:
        """The tokens of the texts themselves: neither the filling nor the first one, which is the same in all."""
        pos = torch.arange(self.tokens.shape[1], device=self.tokens.device)
        return (pos >= 1) & (pos < self.lengths[:, None])

    @property
    def ends(self) -> Int[Tensor, " text"]:
        """The position of each text's last token, where what comes behind it is predicted."""
        return self.lengths - 1


def pad(model: Transformer, texts: Sequence[str]) -> PaddedTexts:
    """The texts as one batch, each with the end-of-text token in front."""
    tokens = model.to_tokens(list(texts), pad=True)
    lengths = [len(model.to_tokens(text)[0]) for text in texts]
    return PaddedTexts(tokens, torch.tensor(lengths, device=tokens.device))
