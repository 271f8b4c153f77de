"""Does a model get better while it reads? The loss at late positions against the loss at early ones.

Whatever a model knows from its training, it knows at the first token as well as at the last. What it can only
know from the text in front of it makes later tokens less surprising than earlier ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.methods.metrics import loss_by_position
from mi_course.methods.uncertainty import Interval, bootstrap_mean
from mi_course.models.transformer import Transformer


@dataclass(frozen=True)
class InContextLearning:
    """``late − early``, in nats a token, one number an example. Negative: the model learns from what it reads.

    ``early``, ``late``: the losses that are compared, one an example. 0: position makes no difference. A positive
    score can come from text that gets harder towards its end.
    """

    early: Float[Tensor, " batch"]
    late: Float[Tensor, " batch"]
    unit: str = "nats per token"

    @property
    def by_example(self) -> Float[Tensor, " batch"]:
        return self.late - self.early

    @property
    def score(self) -> float:
        return float(self.by_example.mean())

    def interval(self) -> Interval:
        """The score with a bootstrap interval over examples."""
        return bootstrap_mean(self.by_example)


@torch.no_grad()
def in_context_learning(
    model: Transformer, tokens: Int[Tensor, "batch pos"], *, early: int | slice, late: int | slice
) -> InContextLearning:
    """Loss of the token at position ``late`` minus loss of the one at ``early``, for every row of ``tokens``.

    Positions count from 0 and name the token that is *predicted*; a slice takes the mean over several. Olsson et
    al. 2022 (arXiv 2209.11895) compare the 500th token with the 50th; models with a shorter context need
    other positions, and scores with other positions cannot be compared. What it does not show: *how* the model uses
    the text. Induction is one way, knowing the topic another. For repeated random tokens use `copy_losses`.
    """
    losses = loss_by_position(model(tokens), tokens)

    def mean_at(position: int | slice, name: str) -> Tensor:
        chosen = torch.arange(tokens.shape[1])[position].view(-1)
        if len(chosen) == 0 or int(chosen.min()) == 0:
            raise ValueError(
                f"{name}={position} takes in token 0, which nothing precedes, or no token at all; the predicted tokens "
                f"are 1 to {tokens.shape[1] - 1}."
            )
        return losses[:, chosen - 1].mean(dim=1)

    return InContextLearning(mean_at(early, "early"), mean_at(late, "late"))


@torch.no_grad()
def copy_losses(
    model: Transformer, tokens: Int[Tensor, "batch pos"], *, period: int | None = None
) -> InContextLearning:
    """The loss on the first copy of a repeated block and on the second, as ``early`` and ``late``.

    ``tokens``: rows ``[bos] block block`` as `data.repeated_tokens.batch` makes them; ``period`` is the length of
    the block, by default half a row. The first token of each copy is left out: nothing announces that a
    second copy begins. On random tokens no model can do better on the first copy than log(number of tokens);
    all that the second copy is better by has been copied.
    """
    period = tokens.shape[1] // 2 if period is None else period
    start = tokens.shape[1] - 2 * period
    if start not in (0, 1) or period < 2:
        raise ValueError(
            f"Rows of {tokens.shape[1]} tokens are not a block of {period} twice, behind at most one BOS."
        )
    second = start + period
    return in_context_learning(
        model, tokens, early=slice(start + 1, second), late=slice(second + 1, second + period)
    )
