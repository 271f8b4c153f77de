# ruff: noqa: N803 (matrices are upper case in the formulas)
"""Exercises of chapter 13: a dictionary of features, and what it is worth."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mi_course.exercises.attempt import Attempt
from mi_course.exercises.describe import describe
from mi_course.exercises.examples import random_numbers
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_shape, refuse_slips


def _encode(x: Tensor, W_enc: Tensor, b_enc: Tensor, b_dec: Tensor, k: int) -> Tensor:
    pre = ((x - b_dec) @ W_enc + b_enc).relu()
    values, which = pre.topk(k, dim=-1)
    return torch.zeros_like(pre).scatter(-1, which, values)


def _check_encode(attempt: Attempt) -> str:
    x, W = random_numbers(6, 4, seed=0), random_numbers(4, 9, seed=1)
    b_enc, b_dec = random_numbers(9, seed=2), random_numbers(4, seed=3)
    x[5] = b_dec - 8 * W.sum(1)  # hardly any feature is positive here
    on = "6 vectors of 4 numbers, 9 features, k = 3"
    got, want = attempt(x, W, b_enc, b_dec, 3), _encode(x, W, b_enc, b_dec, 3)
    if isinstance(got, Tensor) and tuple(got.shape) == (6, 3):
        raise Wrong(
            f"On {on}: yours is (6, 3), the largest values alone. Give all 9 features of every vector, with zeros "
            "where they are not among the largest."
        )
    expect_shape(got, (6, 9), what="Your features", on=on)
    pre = (x - b_dec) @ W + b_enc
    slips = {
        pre.relu(): "every positive feature is kept. Only the k largest of each vector may stay.",
        _kept(
            pre, pre, 3
        ): "some features are negative. A feature is how much of something is there: ReLU first.",
        _kept(
            pre, pre.abs(), 3
        ): "you kept the k largest by size, with strongly negative ones. ReLU first, then the largest.",
        _encode(
            x, W, b_enc, torch.zeros(4), 3
        ): "you did not take `b_dec` off. The dictionary explains what is left when `b_dec` is gone.",
        _encode(x, W, torch.zeros(9), b_dec, 3): "you did not add `b_enc`.",
        _over_all(
            pre.relu(), 18
        ): "you kept the 18 largest of all vectors together. Each vector has its own 3.",
        (_encode(x, W, b_enc, b_dec, 3) > 0).float(): "these are ones. Keep the values of the features.",
        _encode(x, W, b_enc, b_dec, 4): "yours has 4 active features where 3 are asked for.",
    }
    refuse_slips(got, slips, on=on)
    expect_close(got, want, what="Your features", on=on)
    return "At most k features are active, and none is negative."


def _kept(values: Tensor, by: Tensor, k: int) -> Tensor:
    which = by.topk(k, dim=-1).indices
    return torch.zeros_like(values).scatter(-1, which, values.gather(-1, which))


def _over_all(values: Tensor, k: int) -> Tensor:
    return _kept(values.flatten(), values.flatten(), k).view(values.shape)


def _l1_loss(x: Tensor, reconstruction: Tensor, features: Tensor, sparsity: float) -> Tensor:
    return (x - reconstruction).square().sum(-1).mean() + sparsity * features.sum(-1).mean()


def _check_l1_loss(attempt: Attempt) -> str:
    x, reconstruction = random_numbers(5, 3, seed=4), random_numbers(5, 3, seed=5)
    features = random_numbers(5, 7, seed=6).relu()
    on = "5 vectors of 3 numbers, 7 features, sparsity 0.3"
    got, want = attempt(x, reconstruction, features, 0.3), _l1_loss(x, reconstruction, features, 0.3)
    got = _one_number(got, f"On {on}: a loss is one number, the mean over the vectors")
    error, active = (x - reconstruction).square(), features.sum(-1).mean()
    slips = (
        (error.mean() + 0.3 * active, "the error is averaged over coordinates too. Sum over coordinates, `sum(-1)`, "
         "then the mean over vectors."),
        (error.sum(-1).mean() + 0.3 * features.mean(), "the features are averaged. Sum over the features of a vector, "
         "then the mean over vectors."),
        (error.sum(-1).mean() + active, "the second part is not multiplied by `sparsity`."),
        (error.sum(-1).mean(), "activity costs nothing here. Add `sparsity` times the sum of the features."),
        (error.sum(-1).mean() + 0.3 * (features > 0).sum(-1).float().mean(), "you counted the active features. A count "
         "has no gradient; add up how active they are."),
        (error.sum(-1).sqrt().mean() + 0.3 * active, "that is the length of the error. Take its square."),
        (error.sum() + 0.3 * features.sum(), "these are sums over all vectors. Take the mean over the 5 vectors."),
        (error.sum(-1).mean() + 0.3 * features.square().sum(-1).mean(), "the features are squared. Squares make "
         "activity small, not rare: two halves would be cheaper than one whole."),
    )  # fmt: skip
    for slip, words in slips:
        if abs(got - float(slip)) < 1e-5:
            raise Wrong(f"On {on}: {words}")
    expect_close(got, float(want), what="Your loss", on=on)
    return "Explain the vector, and pay for every feature that helps."


def _mean_max_cosine(found: Tensor, true: Tensor) -> Tensor:
    return (F.normalize(true, dim=1) @ F.normalize(found, dim=1).T).max(dim=1).values.mean()


def _check_mean_max_cosine(attempt: Attempt) -> str:
    true, found = random_numbers(4, 3, seed=7), random_numbers(6, 3, seed=8) * 5
    found[0] = -2 * true[0]
    on = "4 true directions and 6 found ones of different lengths, in 3 dimensions"
    got, want = attempt(found, true), _mean_max_cosine(found, true)
    got = _one_number(got, f"On {on}: one number is asked for, the mean over the true directions")
    cosines = F.normalize(true, dim=1) @ F.normalize(found, dim=1).T
    slips = (
        ((true @ found.T).max(1).values.mean(), "these are plain products. Bring every direction to length 1 first; a "
         "cosine does not depend on lengths."),
        (cosines.max(0).values.mean(), "you asked of every *found* direction how near a true one is. Ask of every true "
         "one how near it was found: the maximum over the found ones."),
        (cosines.abs().max(1).values.mean(), "keep the sign. A feature is never negative, so its opposite is another "
         "feature."),
        (cosines.mean(), "that is the mean of all cosines. Take the best for each true direction first."),
        (cosines.max(), "that is the best of all. Take the best for each true direction, then the mean."),
    )  # fmt: skip
    for slip, words in slips:
        if abs(got - float(slip)) < 1e-5:
            raise Wrong(f"On {on}: {words}")
    expect_close(got, float(want), what="Your mean", on=on)
    return "1 would be: every true direction was found exactly."


def _loss_recovered(clean: float, reconstructed: float, ablated: float) -> float:
    return (ablated - reconstructed) / (ablated - clean)


def _check_loss_recovered(attempt: Attempt) -> str:
    for clean, reconstructed, ablated in ((1.0, 1.2, 3.0), (2.0, 4.5, 4.0), (0.5, 0.5, 2.5)):
        on = f"losses {clean} clean, {reconstructed} with the reconstruction, {ablated} with nothing"
        got = _one_number(attempt(clean, reconstructed, ablated), f"On {on}: one number is asked for")
        want = _loss_recovered(clean, reconstructed, ablated)
        slips = (
            ((reconstructed - clean) / (ablated - clean), "that is the share that was *lost*."),
            (
                clean / reconstructed,
                "a ratio of losses has no zero: compare with the loss when nothing is there.",
            ),
            (
                1 - reconstructed / ablated,
                "divide by what there was to lose, `ablated - clean`, not by the loss.",
            ),
            (ablated - reconstructed, "that is in nats. Divide by what there was to lose."),
            (max(0.0, min(1.0, want)), "do not cut off: worse than nothing is a finding too, and negative."),
        )
        for slip, words in slips:
            if abs(got - slip) < 1e-6 and abs(slip - want) > 1e-6:
                raise Wrong(f"On {on}: {words}")
        expect_close(got, want, what="Your share", on=on)
    return "1: the model does not notice. 0: it might as well have nothing. Below: worse than nothing."


def _scores(activity: Tensor, holds: Tensor, threshold: float) -> tuple[float, float, float]:
    yes = activity > threshold
    hits = int((yes & holds).sum())
    precision, recall = hits / max(int(yes.sum()), 1), hits / int(holds.sum())
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def _check_scores(attempt: Attempt) -> str:
    activity = torch.tensor([0.0, 3.0, 0.5, 0.0, 2.0, 4.0, 0.0, 1.0, 2.0, 5.0])
    holds = torch.tensor([0, 1, 1, 0, 0, 1, 1, 1, 0, 1]).bool()
    for threshold in (1.5, 0.0, 9.0):
        on = f"10 words, threshold {threshold}"
        got, want = attempt(activity, holds, threshold), _scores(activity, holds, threshold)
        if not isinstance(got, tuple | list) or len(got) != 3:
            raise Wrong(f"On {on}: give three numbers, `precision, recall, f1`.")
        got = tuple(
            _one_number(number, f"On {on}: precision, recall and F1 are one number each") for number in got
        )
        if any(number != number for number in got):
            raise Wrong(
                f"On {on}: not a number. The feature says yes nowhere, so you divided by 0. Let precision and F1 be 0 "
                "then."
            )
        precision, recall, _ = want
        at_least = _scores(activity, holds, threshold - 1e-6)
        slips = (
            ((recall, precision, want[2]), "precision and recall have changed places. Precision is out of those where "
             "the feature says yes, recall out of those where the latent holds."),
            ((precision, recall, (precision + recall) / 2), "F1 is the harmonic mean, 2·p·r / (p + r), not the "
             "ordinary one."),
            (at_least, "the feature says yes *above* the threshold, `>`. At a threshold of 0, an inactive feature "
             "would say yes otherwise."),
        )  # fmt: skip
        for slip, words in slips:
            if slip != want and all(abs(a - b) < 1e-6 for a, b in zip(got, slip)):
                raise Wrong(f"On {on}: {words}")
        accuracy = float(((activity > threshold) == holds).float().mean())
        if abs(got[0] - accuracy) < 1e-6 and abs(accuracy - precision) > 1e-6:
            raise Wrong(f"On {on}: your precision is the share of all words that it gets right (accuracy). Divide the "
                        "hits by the number of words where it says yes.")  # fmt: skip
        expect_close(list(got), list(want), what="Your (precision, recall, F1)", on=on)
    return (
        "A detector that says yes everywhere has recall 1, and one that says yes once may have precision 1."
    )


def _shares(parent: Tensor, children: Tensor) -> Tensor:
    return (children[parent > 0] > 0).float().mean(dim=0)


def _check_shares(attempt: Attempt) -> str:
    parent = torch.tensor([0.0, 2.0, 1.0, 0.5, 0.0, 3.0, 0.0])
    children = torch.tensor(
        [[1.0, 0, 0], [4.0, 0, 0], [0, 0.1, 0], [0, 2.0, 0], [0, 0, 1.0], [7.0, 0.2, 0], [0, 0, 2.0]]
    )
    on = "7 words, at 4 of which the old feature is active, and 3 new features"
    got, want = attempt(parent, children), _shares(parent, children)
    expect_shape(got, (3,), what="Your shares", on=on)
    both = ((children > 0) & (parent > 0)[:, None]).float()
    slips = {
        (children > 0)
        .float()
        .mean(0): "these are shares of all words. Only the words count at which the old feature is active.",
        both.mean(0): "you divided by all 7 words. Divide by the 4 at which the old feature is active.",
        both.sum(0)
        / (children > 0).sum(0): "that is the other way round: of the new feature's words, how many "
        "are the old one's.",
        children[parent > 0].mean(
            0
        ): "this is the mean activity. Count the words at which it is active at all.",
        both.sum(0): "these are numbers of words. Divide by the number of the old feature's words.",
    }
    refuse_slips(got, slips, on=on)
    expect_close(got, want, what="Your shares", on=on)
    return "They may add up to more than 1: several new features can be active at one word."


def _one_number(got, asked: str) -> float:
    """The number that it is; `Wrong` for anything else."""
    if isinstance(got, Tensor | np.ndarray | np.generic) and np.prod(got.shape) == 1:
        got = got.item()
    if isinstance(got, int | float) and not isinstance(got, bool):
        return float(got)
    raise Wrong(f"{asked}, but yours is {describe(got)}.")


EXERCISES = (
    Exercise(
        id="13.encode",
        title="The encoder",
        difficulty=2,
        minutes=10,
        hints=(
            "Three steps: how much does each feature's direction find, `(x - b_dec) @ W_enc + b_enc`; no negative "
            "ones; of each vector only the k largest.",
            "`values, which = pre.topk(k, dim=-1)` gives the largest and their places. Put them into zeros.",
            "`torch.zeros_like(pre).scatter(-1, which, values)`.",
        ),
        reference=_encode,
        check=_check_encode,
    ),
    Exercise(
        id="13.mean_max_cosine",
        title="Were the true features found?",
        difficulty=2,
        minutes=8,
        hints=(
            "A table of cosines, true × found: products of directions that have length 1.",
            "`F.normalize(v, dim=1)` brings rows to length 1. For each true one (row) the best of the found ones.",
            "`(F.normalize(true, dim=1) @ F.normalize(found, dim=1).T).max(dim=1).values.mean()`.",
        ),
        reference=_mean_max_cosine,
        check=_check_mean_max_cosine,
    ),
    Exercise(
        id="13.l1_loss",
        title="Pay for activity",
        difficulty=1,
        minutes=6,
        hints=(
            "Two parts: the squared length of `x - reconstruction`, and `sparsity` times the sum of the features; of "
            "both the mean over vectors.",
            "`(x - reconstruction).square().sum(-1).mean()` is the first.",
        ),
        reference=_l1_loss,
        check=_check_l1_loss,
    ),
    Exercise(
        id="13.loss_recovered",
        title="What the model keeps",
        difficulty=1,
        minutes=4,
        hints=(
            "With nothing in its place the model loses `ablated - clean`. How much of that does the reconstruction "
            "give back?",
            "`(ablated - reconstructed) / (ablated - clean)`.",
        ),
        reference=_loss_recovered,
        check=_check_loss_recovered,
    ),
    Exercise(
        id="13.scores",
        title="Precision, recall, F1",
        difficulty=2,
        minutes=10,
        hints=(
            "`yes = activity > threshold`. A hit is a word where the feature says yes and the latent holds.",
            "Precision: hits / number of yes. Recall: hits / number of words where it holds.",
            "If it never says yes, divide by 1 instead of 0: `hits / max(int(yes.sum()), 1)`.",
        ),
        reference=_scores,
        check=_check_scores,
    ),
    Exercise(
        id="13.shares",
        title="Who took over?",
        difficulty=1,
        minutes=6,
        hints=(
            "Look only at the words where the old feature is active: `children[parent > 0]`.",
            "At which share of them is each new feature above 0? A mean of truth values, over words.",
        ),
        reference=_shares,
        check=_check_shares,
    ),
)
