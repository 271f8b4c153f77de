"""Does a head copy? The eigenvalues of its OV circuit say whether looking at a token makes that token more likely.

``W_E W_OV W_U`` maps the token that is looked at to the logits. An eigenvector is a mixture of tokens that the head
maps to itself; if its eigenvalue is positive, looking at the mixture raises the logits of that same mixture.

Source: Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits", on summarizing OV matrices.
"""

from __future__ import annotations

import torch
from jaxtyping import Complex
from torch import Tensor

from mi_course.methods.head_circuits import Norm, reading_weights, unembedding
from mi_course.methods.head_scores import HeadScores
from mi_course.methods.low_rank import LowRank
from mi_course.models.transformer import Transformer


@torch.no_grad()
def ov_eigenvalues(model: Transformer, *, norm: Norm = "fold") -> Complex[Tensor, "layer head d_head"]:
    """The eigenvalues of every head's full OV circuit ``W_E W_V W_O W_U``, all that can differ from 0.

    The circuit has d_vocab² entries and d_head such eigenvalues. They are those of the d_head × d_head matrix
    ``W_O (W_U W_E) W_V``, in which the vocabulary is summed over once for all heads. ``norm``: see `head_circuits`.
    """
    through_vocabulary = unembedding(model, norm=norm) @ model.W_E
    return LowRank(reading_weights(model, "W_V", norm=norm), model.W_O @ through_vocabulary).eigenvalues()


def copying(model: Transformer, *, norm: Norm = "fold") -> HeadScores:
    """Copying score of every head: ``Σ Re λ / Σ |λ|`` over the eigenvalues of its OV circuit.

    1: all eigenvalues are positive, whatever is looked at becomes more likely. −1: whatever is looked at becomes
    less likely. ``chance`` 0: random weights have eigenvalues all around zero; how far a head's score strays by
    chance, see from an untrained model's heads (about 1/√d_head). A head that writes nothing scores 0.

    What it does not show: size (a feeble head can score 1), where the head looks, and in models with MLPs what the
    head really reads, which is not the bare embedding. Negative scores are found in heads that *suppress*.
    """
    eigenvalues = ov_eigenvalues(model, norm=norm)
    size = eigenvalues.abs().sum(dim=-1)
    score = eigenvalues.real.sum(dim=-1) / size.clamp_min(torch.finfo(size.dtype).tiny)
    return HeadScores(score, "copying score", "Σ Re λ / Σ |λ|, from −1 to 1", chance=0.0)
