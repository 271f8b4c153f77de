# ruff: noqa: N803 (matrices are upper case in the formulas)
"""Exercises of chapter 06: induction heads."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_course.exercises.attempt import Attempt
from mi_course.exercises.examples import random_numbers
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_shape, expect_type, refuse_slips


def _bigram_table(tokens: Tensor, d_vocab: int) -> Tensor:
    counts = torch.zeros(d_vocab, d_vocab)
    first, second = tokens[:, :-1].flatten(), tokens[:, 1:].flatten()
    counts.index_put_((first, second), torch.ones(len(first)), accumulate=True)
    counts += 0.1
    return counts / counts.sum(dim=1, keepdim=True)


def _check_bigram_table(attempt: Attempt) -> str:
    tokens = torch.tensor([[0, 1, 2, 1], [0, 1, 3, 1]])
    on = "the rows 0 1 2 1 and 0 1 3 1, d_vocab=5"
    got, want = attempt(tokens, 5), _bigram_table(tokens, 5)
    expect_shape(got, (5, 5), what="Your table", on=on)
    if torch.allclose(got, want.T, atol=1e-4) or torch.allclose(got.sum(0), torch.ones(5), atol=1e-4):
        raise Wrong(
            f"On {on}: your columns add up to 1, but `table[a]` is asked for: what comes *after* a. Rows are the "
            "token before, columns the token after, and each row adds up to 1."
        )
    if not got[4].isfinite().all() or got[4].sum() == 0:
        raise Wrong(
            f"On {on}: row 4, of a token that never occurs, is {got[4].tolist()}. Add 0.1 to every count before you "
            "divide, so that nothing is impossible and no sum is 0."
        )
    if not torch.allclose(got.sum(1), torch.ones(5), atol=1e-4):
        raise Wrong(
            f"On {on}: your rows add up to {', '.join(f'{x:.3g}' for x in got.sum(1).tolist())}. Probabilities of "
            "what comes next add up to 1: divide each row by its sum (`keepdim=True`)."
        )
    counts = torch.zeros(5, 5)
    flat = tokens.flatten()
    counts.index_put_((flat[:-1], flat[1:]), torch.ones(7), accumulate=True)
    counts += 0.1
    if torch.allclose(got, counts / counts.sum(1, keepdim=True), atol=1e-4):
        raise Wrong(
            f"On {on}: you also counted the pair 1 → 0, the last token of the first row and the first of the "
            "second. Those are two texts: cut before you flatten, `tokens[:, :-1]` and `tokens[:, 1:]`."
        )
    expect_close(got, want, what="Your table", on=on)
    many = torch.randint(7, (40, 9), generator=torch.Generator().manual_seed(0))
    got, want = attempt(many, 7), _bigram_table(many, 7)
    expect_close(got, want, what="Your table", on="40 random rows with many pairs that come more than once")
    return "Each row says what comes next, and it adds up to 1 even for a word that was never seen."


def _induction_score(pattern: Tensor, period: int) -> Tensor:
    stripe = pattern.diagonal(offset=1 - period, dim1=-2, dim2=-1)
    return stripe[..., 1:].mean(dim=(0, -1))


def _check_induction_score(attempt: Attempt) -> str:
    period, heads = 4, 3
    scores = torch.randn(5, heads, 2 * period, 2 * period, generator=torch.Generator().manual_seed(0))
    future = torch.ones(2 * period, 2 * period, dtype=torch.bool).triu(1)
    pattern = scores.masked_fill(future, -torch.inf).softmax(dim=-1)
    on = f"5 rows of a block of {period} tokens, twice, and {heads} heads"
    got, want = attempt(pattern, period), _induction_score(pattern, period)
    if isinstance(got, Tensor) and got.ndim == 0:
        raise Wrong(f"On {on}: yours is one number. One a head is asked for: do not average over axis 1.")
    if isinstance(got, Tensor) and tuple(got.shape) == (5,):
        raise Wrong(f"On {on}: yours has one number a row. Average over the rows, and keep the heads.")
    expect_shape(got, (heads,), what="Your scores", on=on)

    def stripe(offset: int, first: int = 0) -> Tensor:
        return pattern.diagonal(offset=offset, dim1=-2, dim2=-1)[..., first:].mean(dim=(0, -1))

    slips = {
        stripe(
            -period
        ): f"you took the diagonal {period} back, from a token to its *own* first copy. That is the duplicate-token "
        f"score. What *followed* the first copy is one position later: {period - 1} back.",
        stripe(
            -period - 1
        ): f"you took the diagonal {period + 1} back, what came *before* the first copy. What followed it is "
        f"{period - 1} back.",
        stripe(
            1 - period
        ): f"the right diagonal, but it begins at query {period - 1}, the last token of the *first* copy. Nothing "
        "has come back there yet: leave its first entry out.",
    }
    refuse_slips(got, slips, on=on)
    flipped = pattern.mT.diagonal(offset=1 - period, dim1=-2, dim2=-1)
    if torch.allclose(got, flipped[..., 1:].mean(dim=(0, -1)), atol=1e-5):
        raise Wrong(
            f"On {on}: yours is 0 for every head. You read the keys as queries: `pattern[…, query, key]`, and "
            "a key lies *below* the main diagonal, so the offset is negative."
        )
    expect_close(got, want, what="Your scores", on=on)
    return "One number a head: the share of attention that goes to what followed last time."


def _copying_score(W_E: Tensor, W_V: Tensor, W_O: Tensor, W_U: Tensor) -> float:
    eigenvalues = torch.linalg.eigvals(W_E @ W_V @ W_O @ W_U)
    return float(eigenvalues.real.sum() / eigenvalues.abs().sum())


def _check_copying_score(attempt: Attempt) -> str:
    d_vocab, d_model, d_head = 12, 8, 3
    W_E, W_V, W_O, W_U = (
        random_numbers(*shape, seed=seed)
        for seed, shape in enumerate(
            ((d_vocab, d_model), (d_model, d_head), (d_head, d_model), (d_model, d_vocab))
        )
    )
    copies = (W_E, W_V, W_V.T, W_E.T)
    suppresses = (W_E, W_V, -W_V.T, W_E.T)
    for weights, wanted, what in (
        (copies, 1.0, "a head made to copy (W_O = W_Vᵀ, W_U = W_Eᵀ)"),
        (suppresses, -1.0, "a head made to suppress (W_O = −W_Vᵀ, W_U = W_Eᵀ)"),
        ((W_E, W_V, W_O, W_U), _copying_score(W_E, W_V, W_O, W_U), "random weights"),
    ):
        got = attempt(*weights)
        if isinstance(got, Tensor) and got.numel() == 1:
            if got.is_complex():
                raise Wrong(
                    f"On {what}: your score is a complex number. Take the real parts above the line, `.real`, and the "
                    "sizes below it, `.abs()`."
                )
            got = float(got)
        expect_type(got, (int, float), what="Your score")
        circuit = weights[0] @ weights[1] @ weights[2] @ weights[3]
        eigenvalues = torch.linalg.eigvals(circuit)
        if abs(got - wanted) > 1e-3 and abs(got - 1) < 1e-3:
            raise Wrong(
                f"On {what}: yours is 1, expected {wanted:.2f}. If sizes stand above the line as well as below, every "
                "head scores 1. The sum above is of the real parts, *with* their signs."
            )
        if abs(got - float(eigenvalues.real.sum())) < 1e-3 and abs(got - wanted) > 1e-3:
            raise Wrong(
                f"On {what}: yours is {got:.3g}, the sum of the eigenvalues. Divide by the sum of their sizes, "
                "`.abs()`, so that a strong head and a feeble one can be compared."
            )
        if (
            abs(got - float(eigenvalues.real.mean() / eigenvalues.abs().sum())) < 1e-4
            and abs(got - wanted) > 1e-3
        ):
            raise Wrong(f"On {what}: above the line is a mean, below it a sum. Take the sum of both.")
        inner = torch.linalg.eigvals(weights[1] @ weights[2])
        if abs(got - float(inner.real.sum() / inner.abs().sum())) < 1e-3 and abs(got - wanted) > 1e-3:
            raise Wrong(
                f"On {what}: you took the eigenvalues of W_V W_O alone. That says what happens to directions of the "
                "residual stream. For tokens, the embedding stands before it and the unembedding behind it."
            )
        expect_close(got, wanted, what="Your score", on=what, atol=1e-3)
    return "1 for a head that copies, −1 for one that suppresses, near 0 for noise."


def _k_composition(W_OV: Tensor, W_QK: Tensor) -> float:
    return float((W_QK @ W_OV.T).norm() / (W_QK.norm() * W_OV.norm()))


def _check_k_composition(attempt: Attempt) -> str:
    W_OV, W_QK = random_numbers(6, 6, seed=1), random_numbers(6, 6, seed=2)
    on = "two random matrices of 6 × 6"
    got, want = attempt(W_OV, W_QK), _k_composition(W_OV, W_QK)
    if isinstance(got, Tensor) and got.numel() == 1:
        got = float(got)
    expect_type(got, (int, float), what="Your score")
    size = float(W_QK.norm() * W_OV.norm())
    slips = {
        want
        * size: "you have the size of the product, but did not divide by the sizes of the two matrices. Larger "
        "weights would then count as closer cooperation.",
        float((W_OV @ W_QK).norm()) / size: "W_OV meets W_QK on its left, the side of the *query*: that is "
        "Q-composition. In K-composition the earlier head's output enters as the key: W_QK W_OVᵀ.",
        float((W_QK @ W_OV).norm())
        / size: "W_OV is the wrong way round. A key is `x @ W_OV` (a row times a matrix), "
        "so the score `query @ W_QK @ keyᵀ` contains W_QK W_OVᵀ.",
        float((W_QK * W_OV).norm())
        / size: "`*` multiplies entry by entry. Matrices are multiplied with `@`.",
    }
    for slip, words in slips.items():
        if abs(got - slip) < 1e-4 * max(1, slip) and abs(got - want) > 1e-4:
            raise Wrong(f"On {on}: {words}")
    expect_close(got, want, what="Your score", on=on, atol=1e-4)
    direction, other = random_numbers(6, 1, seed=3), random_numbers(6, 1, seed=4)
    meets = attempt(other @ direction.T, other @ direction.T)
    expect_close(
        float(meets), 1.0, what="Your score", on="a head that writes exactly the direction that the other's keys read",
        atol=1e-3,
    )  # fmt: skip
    return "1 if all that the earlier head writes is read as a key, and 0 if nothing is."


def _without_head(z: Tensor, head: int) -> Tensor:
    result = z.clone()
    result[:, :, head] = 0
    return result


def _check_without_head(attempt: Attempt) -> str:
    z = random_numbers(2, 4, 4, 5, seed=5)
    on = "2 rows, 4 positions, 4 heads of 5 numbers, without head 1"
    got, want = attempt(z, 1), _without_head(z, 1)
    expect_shape(got, (2, 4, 4, 5), what="Your activation", on=on)
    if torch.equal(got, z):
        raise Wrong(f"On {on}: nothing has changed. Return the copy in which the head is 0.")
    wrong_axis = z.clone()
    wrong_axis[:, 1] = 0
    if torch.equal(got, wrong_axis):
        raise Wrong(
            f"On {on}: you cleared *position* 1 of every head. The axes are batch, pos, head, d_head: the head is "
            "the third, `[:, :, head]`."
        )
    first_only = z.clone()
    first_only[1] = 0
    if torch.equal(got, first_only):
        raise Wrong(f"On {on}: you cleared row 1 of the batch. The head is the third axis, `[:, :, head]`.")
    kept = torch.zeros_like(z)
    kept[:, :, 1] = z[:, :, 1]
    if torch.equal(got, kept):
        raise Wrong(f"On {on}: you kept head 1 and cleared the others; it should be the other way round.")
    expect_close(got, want, what="Your activation", on=on)
    return "The head writes nothing any more, the others write what they wrote, and the input is as it was."


def _in_context_score(losses: Tensor, early: int, late: int) -> float:
    return float((losses[:, late] - losses[:, early]).mean())


def _check_in_context_score(attempt: Attempt) -> str:
    losses = torch.linspace(4, 1, 20).repeat(3, 1) + 0.1 * random_numbers(3, 20, seed=6)
    on = "losses that fall from 4 to 1 nats, early=2, late=15"
    got, want = attempt(losses, 2, 15), _in_context_score(losses, 2, 15)
    if isinstance(got, Tensor) and got.numel() == 1:
        got = float(got)
    expect_type(got, (int, float), what="Your score")
    if abs(got + want) < 1e-4:
        raise Wrong(
            f"On {on}: yours is {got:.2f}; expected a *negative* number where later words surprise less. Late minus "
            "early, please."
        )
    if abs(got - float(losses[:, 15].mean())) < 1e-4:
        raise Wrong(f"On {on}: that is the late loss itself. Take away the early one of the same row.")
    if abs(got - float((losses[2] - losses[1]).mean() if len(losses) > 15 else 1e9)) < 1e-4:
        raise Wrong(f"On {on}: you compared rows; compare positions, the second axis.")
    after = float((losses[:, 15:].mean(1) - losses[:, :3].mean(1)).mean())
    if abs(got - after) < 1e-4:
        raise Wrong(
            f"On {on}: you averaged from the start to `early` and from `late` to the end. Take these two positions."
        )
    expect_close(got, want, what="Your score", on=on, atol=1e-4)
    return "Negative where a model gets better while it reads."


EXERCISES = (
    Exercise(
        id="06.bigram_table",
        title="What comes after this word?",
        difficulty=1,
        minutes=8,
        hints=(
            "Which pairs are there? The first of each pair are the tokens without the last of every row, the second "
            "the tokens without the first of every row.",
            "`counts.index_put_((first, second), torch.ones(len(first)), accumulate=True)` counts pairs, also those "
            "that come more than once.",
            "Add 0.1 to every entry, so that nothing is impossible, and divide each row by its sum: "
            "`counts / counts.sum(dim=1, keepdim=True)`.",
        ),
        reference=_bigram_table,
        check=_check_bigram_table,
    ),
    Exercise(
        id="06.induction_score",
        title="Does a head look at what followed?",
        difficulty=2,
        minutes=12,
        hints=(
            "Take the first token of the second copy. At which position is it, where is its first copy, and where "
            "the token that followed that? How far apart are the two, counted from the query?",
            "`period − 1` positions back, for every query: a diagonal of the pattern, "
            "`pattern.diagonal(offset=1 - period, dim1=-2, dim2=-1)`.",
            "That diagonal begins one query too early, at the last token of the first copy. Leave its first entry "
            "out, and average over rows and queries: `.mean(dim=(0, -1))`.",
        ),
        reference=_induction_score,
        check=_check_induction_score,
    ),
    Exercise(
        id="06.copying_score",
        title="Does a head copy what it looks at?",
        difficulty=2,
        minutes=10,
        hints=(
            "The circuit goes from the token that is looked at to the logits: embed, take the values, write, "
            "unembed. Four matrices, in this order.",
            "`torch.linalg.eigvals(circuit)` gives complex numbers: `.real` is their real part, `.abs()` their size.",
            "Sum of the real parts, divided by the sum of the sizes.",
        ),
        reference=_copying_score,
        check=_check_copying_score,
    ),
    Exercise(
        id="06.k_composition",
        title="Does one head read what another writes?",
        difficulty=3,
        minutes=15,
        hints=(
            "The later head computes query · W_QK · keyᵀ. What becomes of this if the key is what the earlier head "
            "wrote, x W_OV?",
            "Then W_QK W_OVᵀ stands in the middle. Its size is `.norm()`, the root of the sum of all squares.",
            "Divide that by the product of the sizes of W_QK and of W_OV.",
        ),
        reference=_k_composition,
        check=_check_k_composition,
    ),
    Exercise(
        id="06.without_head",
        title="Switch a head off",
        difficulty=1,
        minutes=6,
        hints=(
            "What a head hands on is `z[:, :, head]`. If it is 0, the head writes nothing.",
            "Work on a copy, `z.clone()`: others still need the old activation.",
        ),
        reference=_without_head,
        check=_check_without_head,
    ),
    Exercise(
        id="06.in_context_score",
        title="Does it learn while it reads?",
        difficulty=1,
        minutes=5,
        hints=(
            "Every row of `losses` is a text, every column a position. Two columns are compared.",
            "`losses[:, late] - losses[:, early]` is one number a text. The score is their mean.",
        ),
        reference=_in_context_score,
        check=_check_in_context_score,
    ),
)
