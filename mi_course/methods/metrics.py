"""What is "the answer got better"? Numbers that sum up a model's logits, one for each example.

Experiments that change a model (`ablation`) take such a function of the logits and compare it before and after.
No single one is the truth: a logit difference can grow while the model answers something else altogether, and a
share of first places cannot tell a near miss from a far one. Report two of them.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor


def logit_diff(
    logits: Float[Tensor, "batch pos d_vocab"],
    correct: int | Int[Tensor, " batch"],
    wrong: int | Int[Tensor, " batch"] | Int[Tensor, "batch others"],
    *,
    position: int | Int[Tensor, " batch"] = -1,
) -> Float[Tensor, " batch"]:
    """``logit[correct] − logit[wrong]`` at one position; above 0, ``correct`` is preferred.

    ``correct``, ``wrong``: tokens, one for all rows or one a row. Several wrong ones in a row count with the mean
    of their logits. The exponential of it is the ratio of the two probabilities (with one wrong token).
    """
    final = at_position(logits, position)
    correct, wrong = (answer_columns(answers, final) for answers in (correct, wrong))
    return final.gather(1, correct)[:, 0] - final.gather(1, wrong).mean(dim=1)


def log_prob(
    logits: Float[Tensor, "batch pos d_vocab"],
    correct: int | Int[Tensor, " batch"],
    *,
    position: int | Int[Tensor, " batch"] = -1,
) -> Float[Tensor, " batch"]:
    """The log-probability of the right answer among *all* tokens, in nats; 0 is certainty."""
    final = at_position(logits, position).log_softmax(dim=-1)
    return final.gather(1, answer_columns(correct, final))[:, 0]


def top1(
    logits: Float[Tensor, "batch pos d_vocab"],
    correct: int | Int[Tensor, " batch"],
    *,
    position: int | Int[Tensor, " batch"] = -1,
) -> Float[Tensor, " batch"]:
    """1 where the right answer is the most probable of *all* tokens, else 0; the mean is the accuracy."""
    final = at_position(logits, position)
    return (final.argmax(dim=-1) == answer_columns(correct, final)[:, 0]).to(logits.dtype)


def preferred(
    logits: Float[Tensor, "batch pos d_vocab"],
    correct: int | Int[Tensor, " batch"],
    wrong: int | Int[Tensor, " batch"] | Int[Tensor, "batch others"],
    *,
    position: int | Int[Tensor, " batch"] = -1,
) -> Float[Tensor, " batch"]:
    """1 where the right answer is more probable than every wrong one, else 0, whatever other tokens do."""
    final = at_position(logits, position)
    correct, wrong = (answer_columns(answers, final) for answers in (correct, wrong))
    return (final.gather(1, correct) > final.gather(1, wrong)).all(dim=1).to(logits.dtype)


def loss_by_position(
    logits: Float[Tensor, "batch pos d_vocab"], tokens: Int[Tensor, "batch pos"]
) -> Float[Tensor, "batch predicted"]:
    """How much each token surprised the model, in nats: ``−log p(token)``. 0: foreseen with certainty.

    Entry i is about token i + 1, the first that can be predicted is the second: one entry less than positions.
    A model that finds all tokens alike has log(d_vocab) everywhere.
    """
    if logits.shape[:2] != tokens.shape:
        raise ValueError(
            f"logits are of {tuple(logits.shape[:2])} positions, tokens of {tuple(tokens.shape)}."
        )
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    return -log_probs.gather(-1, tokens[:, 1:, None].long())[..., 0]


def loss_of_each(
    logits: Float[Tensor, "text pos d_vocab"],
    tokens: Int[Tensor, "text pos"],
    where: Bool[Tensor, "text pos"],
) -> Float[Tensor, " text"]:
    """The mean surprise in nats a token on every text, over its tokens in ``where``; see `loss_by_position`.

    A first token cannot be predicted and does not count, whatever ``where`` says of it.
    """
    counted = where[:, 1:]
    return (loss_by_position(logits, tokens) * counted).sum(dim=1) / counted.sum(dim=1)


def at_position(
    activation: Shaped[Tensor, "batch pos ..."], position: int | Int[Tensor, " batch"]
) -> Shaped[Tensor, "batch ..."]:
    """What stands at one position of each row: the same one in all rows, or each row's own. Negative: from the end."""
    n_rows, n_pos = activation.shape[:2]
    position = torch.as_tensor(position, device=activation.device).expand(n_rows)
    if ((position < -n_pos) | (position >= n_pos)).any():
        raise ValueError(
            f"position={position.unique().tolist()}; the rows have positions 0 to {n_pos - 1}, or -{n_pos} to -1."
        )
    return activation[torch.arange(n_rows, device=activation.device), position]


def answer_columns(
    answers: int | Int[Tensor, " batch"] | Int[Tensor, "batch others"], logits: Float[Tensor, "batch d_vocab"]
) -> Int[Tensor, "batch answers"]:
    """Answer tokens as a table to gather from ``logits`` with: one for all rows, one a row, or several a row."""
    n_rows, d_vocab = logits.shape
    answers = torch.as_tensor(answers, device=logits.device)
    answers = answers.expand(n_rows) if answers.ndim == 0 else answers
    if len(answers) != n_rows:
        raise ValueError(
            f"There are {len(answers)} answers for {n_rows} rows; give one for all, or one a row."
        )
    if answers.min() < 0 or answers.max() >= d_vocab:
        raise ValueError(f"An answer lies outside of the vocabulary, 0 to {d_vocab - 1}.")
    return answers.long().view(n_rows, -1)
