"""A large matrix that is a product of two thin ones: what can be asked of it without ever writing it out.

A head's circuits are such matrices. For GPT-2's vocabulary one has 50,257² entries (10 GB); its two factors have
64 columns each, and its norm, its eigenvalues and single rows follow from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class LowRank:
    """The matrix ``left @ right``, "rows columns", of rank ``inner`` at most, kept as its two factors.

    A leading ``...`` (such as "layer head") holds many matrices at once.
    """

    left: Float[Tensor, "... rows inner"]
    right: Float[Tensor, "... inner columns"]

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.left.shape[:-1], self.right.shape[-1])

    def full(self) -> Float[Tensor, "... rows columns"]:
        """The matrix written out: every entry, if there is room for it."""
        return self.left @ self.right

    def rows(self, index) -> Float[Tensor, "... chosen columns"]:
        """Only the rows that ``index`` (a slice, a list or a tensor) chooses, written out."""
        return self.left[..., index, :] @ self.right

    def diagonal(self) -> Float[Tensor, "... rows"]:
        """The entries in row i and column i of a square matrix."""
        self._check_square("a diagonal")
        return (self.left * self.right.mT).sum(dim=-1)

    def norm(self) -> Tensor:
        """The Frobenius norm, the root of the sum of all squared entries.

        ‖LR‖² = trace(R Rᵀ Lᵀ L): two small products.
        """
        grams = (self.left.mT @ self.left) * (self.right @ self.right.mT)
        return grams.sum(dim=(-2, -1)).clamp_min(0).sqrt()

    def eigenvalues(self) -> torch.Tensor:
        """The eigenvalues of a square matrix that can differ from 0, "... inner", complex.

        L R and R L have the same ones but for zeros: if L R x = λ x, then R x is an eigenvector of R L.
        """
        self._check_square("eigenvalues")
        return torch.linalg.eigvals(self.right @ self.left)

    def singular_values(self) -> Float[Tensor, "... inner"]:
        """How much the matrix stretches along its main directions, the largest first."""
        upper_left = torch.linalg.qr(self.left).R
        upper_right = torch.linalg.qr(self.right.mT).R
        values = torch.linalg.svdvals(upper_left @ upper_right.mT)
        return torch.nn.functional.pad(values, (0, self.left.shape[-1] - values.shape[-1]))

    def largest_on_diagonal(self, *, chunk: int = 1024) -> float:
        """The share of rows whose largest entry stands on the diagonal, without writing the matrix out.

        1: every row picks itself. A random square matrix scores 1 / rows.
        """
        self._check_square("a diagonal")
        if self.left.ndim != 2:
            raise ValueError(f"These are several matrices, of shape {self.shape}; choose one.")
        hits = 0
        for start in range(0, len(self.left), chunk):
            largest = self.rows(slice(start, start + chunk)).argmax(dim=-1).cpu()
            hits += int((largest == torch.arange(start, start + len(largest))).sum())
        return hits / len(self.left)

    def __getitem__(self, index) -> LowRank:
        """One of several matrices: ``matrices[layer, head]``."""
        return LowRank(self.left[index], self.right[index])

    def _check_square(self, what: str) -> None:
        if self.shape[-2] != self.shape[-1]:
            raise ValueError(f"Only a square matrix has {what}; this one has shape {self.shape[-2:]}.")
