# ruff: noqa: N803 (matrices are upper case in the formulas)
"""Exercises of chapter 10: where facts live, and how to write one."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_course.exercises.attempt import Attempt
from mi_course.exercises.examples import random_numbers
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_shape, refuse_slips


def _spoil(embed: Tensor, subject: Tensor, noise: Tensor) -> Tensor:
    return embed + noise * subject[..., None]


def _check_spoil(attempt: Attempt) -> str:
    embed, noise = random_numbers(2, 5, 3, seed=0), random_numbers(2, 5, 3, seed=1)
    subject = torch.tensor([[False, False, True, True, False], [False, True, False, False, False]])
    on = "2 prompts of 5 tokens, whose subjects stand at 2 and 3, and at 1"
    got, want = attempt(embed, subject, noise), _spoil(embed, subject, noise)
    expect_shape(got, (2, 5, 3), what="Your embeddings", on=on)
    slips = {
        embed: "nothing has changed. Return the embeddings with the noise added where `subject` is True.",
        embed
        + noise: "you put noise on every token. Only the subject may be spoilt, or we could not say that the "
        "answer was lost *with the subject*.",
        torch.where(
            subject[..., None], noise, embed
        ): "you replaced the subject's embeddings by the noise. Add it to them.",
        embed + noise * ~subject[..., None]: "you spoilt everything *but* the subject.",
    }
    refuse_slips(got, slips, on=on)
    ends = subject & ~torch.cat([subject[:, 1:], torch.zeros(2, 1, dtype=torch.bool)], dim=1)
    if torch.allclose(got, _spoil(embed, ends, noise), atol=1e-5):
        raise Wrong(
            f"On {on}: you spoilt the subject's last token only. A subject is spoilt with all its tokens."
        )
    expect_close(got, want, what="Your embeddings", on=on)
    return "The subject's tokens are spoilt, and everything else is as it was."


def _recovered(clean: Tensor, corrupted: Tensor, restored: Tensor) -> Tensor:
    return (restored - corrupted).nanmean(dim=-1) / (clean - corrupted).mean()


def _check_recovered(attempt: Attempt) -> str:
    clean, corrupted = torch.tensor([0.9, 0.8, 1.0, 0.5]), torch.tensor([0.1, 0.0, 0.2, 0.4])
    restored = torch.tensor(
        [[[0.9, 0.8, 1.0, 0.5], [0.1, 0.0, 0.2, 0.4]], [[0.5, 0.4, 0.6, 0.3], [0.1, 0.0, 0.8, 0.5]]]
    )
    on = "4 facts, 2 layers, 2 places"
    got, want = attempt(clean, corrupted, restored), _recovered(clean, corrupted, restored)
    if isinstance(got, Tensor) and tuple(got.shape) == (2, 2, 4):
        raise Wrong(f"On {on}: yours has one number a fact. Average over the facts, the last axis.")
    expect_shape(got, (2, 2), what="Your shares", on=on)
    effect, total = restored - corrupted, clean - corrupted
    slips = {
        (effect / total).mean(
            dim=-1
        ): "you averaged one share a fact. Where a fact loses next to nothing, its "
        "share is noise divided by nothing. Average above and below the line first, then divide.",
        effect.mean(dim=-1): "that is the indirect effect itself. Divide it by the total effect.",
        restored.mean(dim=-1)
        / clean.mean(): "you did not take away what was left in the corrupted run. 0 must "
        "mean that nothing came back.",
        restored.mean(dim=-1) / total.mean(): "take the corrupted probability away above the line too.",
        (clean - restored).mean(dim=-1)
        / total.mean(): "yours says what is still *missing*. Asked is what came back.",
    }
    for slip, words in slips.items():
        if torch.allclose(got, slip, atol=1e-5) and not torch.allclose(got, want, atol=1e-5):
            raise Wrong(f"On {on}: {words}")
    expect_close(got, want, what="Your shares", on=on)
    gap = restored.clone()
    gap[0, 1, :2] = torch.nan
    got = attempt(clean, corrupted, gap)
    if not got.isfinite().all():
        raise Wrong(
            f"On {on}, two of which have no token at one place: yours is not a number there. `nanmean` leaves out what "
            "was not measured."
        )
    expect_close(
        got, _recovered(clean, corrupted, gap), what="Your shares", on="facts of which some lack a place"
    )
    return "0: nothing came back. 1: all that the corruption had taken."


def _key_covariance(keys: Tensor, is_text: Tensor) -> Tensor:
    found = keys[is_text].double()
    return found.T @ found / len(found)


def _check_key_covariance(attempt: Attempt) -> str:
    keys = 1 + random_numbers(3, 6, 4, seed=2)
    is_text = torch.arange(6) < torch.tensor([[6], [3], [4]])
    on = "3 texts of 6, 3 and 4 tokens, keys of 4 numbers"
    got, want = attempt(keys, is_text), _key_covariance(keys, is_text)
    expect_shape(got, (4, 4), what="Your matrix", on=on)
    got = torch.as_tensor(got).double()
    found = keys[is_text].double()
    slips = {
        found.T
        @ found: f"you have the sum over {len(found)} tokens. The mean is asked for, or a longer text would "
        "count as a louder one.",
        keys.flatten(0, 1).double().T
        @ keys.flatten(0, 1).double()
        / 18: "you counted the filling behind the shorter texts. Take `keys[is_text]`.",
        found.T @ found / 18: "you divided by 18, the number of places, but only 13 of them hold text.",
        torch.cov(
            found.T
        ): "you took the mean away first. C is the mean of k kᵀ as the keys are: the mean key is "
        "what ordinary text has most of.",
        torch.cov(
            found.T, correction=0
        ): "you took the mean away first. C is the mean of k kᵀ as the keys are: "
        "the mean key is what ordinary text has most of.",
        torch.corrcoef(found.T): "these are correlations. C keeps how large the neurons' activations are.",
    }
    for slip, words in slips.items():
        if torch.allclose(got, slip, atol=1e-4):
            raise Wrong(f"On {on}: {words}")
    expect_close(got, want, what="Your matrix", on=on, atol=1e-4)
    return "How ordinary text spreads over the neurons, from its own tokens only."


def _rank_one_update(W: Tensor, b: Tensor, key: Tensor, value: Tensor, C: Tensor) -> Tensor:
    direction = torch.linalg.solve(C, key)
    return W + torch.outer(direction / (direction @ key), value - (key @ W + b))


def _check_rank_one_update(attempt: Attempt) -> str:
    root = random_numbers(5, 5, seed=3)
    C, W, b = root @ root.T + 0.5 * torch.eye(5), random_numbers(5, 3, seed=4), random_numbers(3, seed=5)
    key, value = random_numbers(5, seed=6), random_numbers(3, seed=7)
    on = "random W (5 × 3), b, key, value and C"
    got, want = attempt(W, b, key, value, C), _rank_one_update(W, b, key, value, C)
    expect_shape(got, (5, 3), what="Your W′", on=on)
    direction, now = torch.linalg.solve(C, key), key @ W + b
    difference = got - W
    if torch.allclose(difference, torch.zeros_like(W), atol=1e-6):
        raise Wrong(f"On {on}: nothing has changed. Return W plus a matrix of rank one.")
    if torch.allclose(got, want - W, atol=1e-4):
        raise Wrong(f"On {on}: you returned the difference alone. Asked is the new matrix, W plus it.")
    slips = {
        torch.outer(
            direction, value - now
        ): "you did not divide by `direction @ key`, so the key does not get the "
        "value but a multiple of the step to it.",
        torch.outer(
            key / (key @ key), value - now
        ): "the key gets its value, but you used no C: other keys are "
        "disturbed more than they need to be. The direction is C⁻¹ key.",
        torch.outer(
            C @ key / (key @ C @ key), value - now
        ): "you multiplied by C. The direction is C⁻¹ key: it "
        "avoids what ordinary keys are full of, C key seeks it.",
        torch.outer(
            direction / (direction @ key), value
        ): "you added the new value to the old one. What is missing is only `value − (key @ W + b)`.",
        torch.outer(
            direction / (direction @ key), value - key @ W
        ): "you forgot b: the MLP's output at this key is `key @ W + b`.",
        torch.outer(
            direction / direction.norm(), value - now
        ): "divide by `direction @ key`, not by the length of the "
        "direction: then the key itself is heard as 1.",
    }
    for slip, words in slips.items():
        if torch.allclose(difference, slip, atol=1e-4):
            raise Wrong(f"On {on}: {words}")
    reached = key @ got + b
    if not torch.allclose(reached, value, atol=1e-3):
        raise Wrong(
            f"On {on}: with your W′ the key gets {_rounded(reached)}, but it should get {_rounded(value)}."
        )
    expect_close(got, want, what="Your W′", on=on, atol=1e-3)
    return "The key has its new value, and no matrix that does this disturbs ordinary keys less."


def _harmonic_mean(shares: Tensor) -> Tensor:
    return torch.where((shares > 0).all(dim=-1), shares.shape[-1] / (1 / shares).sum(dim=-1), 0.0)


def _check_harmonic_mean(attempt: Attempt) -> str:
    shares = torch.tensor([[1.0, 0.5, 0.25], [0.9, 0.9, 0.9], [1.0, 1.0, 0.1]])
    on = "three edits with three shares each, the first 1, 0.5 and 0.25"
    got, want = attempt(shares), _harmonic_mean(shares)
    expect_shape(got, (3,), what="Your scores", on=on)
    slips = {
        shares.mean(
            dim=-1
        ): "that is the ordinary mean. It forgives an edit that fails at one thing altogether if it "
        "is good at the others.",
        shares.prod(dim=-1) ** (1 / 3): "that is the geometric mean, the root of the product. Asked is the "
        "harmonic one: the number of shares divided by the sum of their reciprocals.",
        1 / (1 / shares).sum(dim=-1): "multiply by the number of shares: three times 0.9 must give 0.9.",
        3 / (1 / shares).sum(dim=0): "you averaged down the columns. One score a row is asked for: `dim=-1`.",
        shares.amin(dim=-1): "that is the smallest share. The others should count too.",
    }
    refuse_slips(got, slips, on=on)
    expect_close(got, want, what="Your scores", on=on)
    got = attempt(torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))
    if not torch.equal(got, torch.zeros(2)):
        raise Wrong(
            f"On shares of which one is 0: yours is {_rounded(got)}, expected 0. Whoever fails at one thing altogether "
            "scores 0."
        )
    return "High only where every share is high."


def _crosstalk(reads: Tensor, keys: Tensor) -> Tensor:
    return reads @ keys.T


def _check_crosstalk(attempt: Attempt) -> str:
    reads, keys = random_numbers(3, 6, seed=8), random_numbers(4, 6, seed=9)
    on = "3 edits, 4 keys of 6 numbers"
    got, want = attempt(reads, keys), _crosstalk(reads, keys)
    if isinstance(got, Tensor) and tuple(got.shape) == (4, 3):
        raise Wrong(f"On {on}: yours is (4, 3), keys × edits. Rows are edits: `[edit, key]`.")
    expect_shape(got, (3, 4), what="Your table", on=on)
    cosine = torch.nn.functional.normalize(reads, dim=1) @ torch.nn.functional.normalize(keys, dim=1).T
    if torch.allclose(got, cosine, atol=1e-5):
        raise Wrong(
            f"On {on}: these are cosines. How much an edit adds depends on the sizes too: the plain product "
            "`reads · key`."
        )
    if torch.allclose(got, want.abs(), atol=1e-5) or torch.allclose(got, want.square(), atol=1e-5):
        raise Wrong(
            f"On {on}: keep the sign. An edit that is heard as −0.5 takes away half of what it writes."
        )
    expect_close(got, want, what="Your table", on=on)
    return "1 where an edit meets its own key. Anything else is disturbance."


def _rounded(values: Tensor) -> str:
    return "(" + ", ".join(f"{float(value):.2f}" for value in values.flatten()) + ")"


EXERCISES = (
    Exercise(
        id="10.spoil",
        title="Spoil the subject",
        difficulty=1,
        minutes=6,
        hints=(
            "Where `subject` is False the noise must count 0 times, where it is True once. What do True and False "
            "become when you multiply by them?",
            "`embed` has one axis more than `subject`: `subject[..., None]` gives it a last axis of length 1.",
        ),
        reference=_spoil,
        check=_check_spoil,
    ),
    Exercise(
        id="10.recovered",
        title="How much came back?",
        difficulty=2,
        minutes=8,
        hints=(
            "Two differences: what restoring brought back, `restored − corrupted`, and what the corruption had cost, "
            "`clean − corrupted`. The share is one mean divided by the other.",
            "The facts are the last axis. `nanmean(dim=-1)` leaves out the facts that have no such token.",
            "`(restored - corrupted).nanmean(dim=-1) / (clean - corrupted).mean()`.",
        ),
        reference=_recovered,
        check=_check_recovered,
    ),
    Exercise(
        id="10.key_covariance",
        title="What ordinary keys look like",
        difficulty=1,
        minutes=7,
        hints=(
            "`keys[is_text]` is a table with one row a token of text. What is the sum of `torch.outer(k, k)` over its "
            "rows, as one product of matrices?",
            "`found.T @ found` is that sum. Divide by the number of rows, and take away nothing else.",
        ),
        reference=_key_covariance,
        check=_check_key_covariance,
    ),
    Exercise(
        id="10.rank_one_update",
        title="Write one fact",
        difficulty=3,
        minutes=15,
        hints=(
            "Two vectors make a matrix of rank one: `torch.outer(reads, writes)`. `key @ torch.outer(reads, writes)` "
            "is `(key @ reads) * writes`. What must the two be, so that the key gets `value`?",
            "`writes` is what is missing: `value - (key @ W + b)`. Then `reads @ key` must be 1, and the derivation "
            "above says which direction `reads` has.",
            "`direction = torch.linalg.solve(C, key)`, and `reads = direction / (direction @ key)`.",
        ),
        reference=_rank_one_update,
        check=_check_rank_one_update,
    ),
    Exercise(
        id="10.harmonic_mean",
        title="One number for five demands",
        difficulty=1,
        minutes=6,
        hints=(
            "The harmonic mean of a and b is `2 / (1/a + 1/b)`. How does that go on for five?",
            "`shares.shape[-1] / (1 / shares).sum(dim=-1)`; and if a share is 0, its reciprocal is infinite and "
            "the score 0.",
        ),
        reference=_harmonic_mean,
        check=_check_harmonic_mean,
    ),
    Exercise(
        id="10.crosstalk",
        title="Who hears whom?",
        difficulty=1,
        minutes=5,
        hints=(
            "An edit adds `(reads · key)` times what it writes. One such number is asked for every edit and every key.",
            "All products of rows of one table with rows of another: `reads @ keys.T`.",
        ),
        reference=_crosstalk,
        check=_check_crosstalk,
    ),
)
