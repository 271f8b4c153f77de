"""Exercises of chapter 11: grokking, and the waves behind it."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from mi_course.exercises.attempt import Attempt
from mi_course.exercises.examples import random_numbers
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_shape, expect_type, refuse_slips


def _waves(p: int) -> Tensor:
    k = torch.arange(1, (p + 1) // 2, dtype=torch.float64)
    angles = 2 * math.pi / p * k[:, None] * torch.arange(p)
    pairs = torch.stack([angles.cos(), angles.sin()], dim=1).flatten(0, 1)
    rows = torch.cat([torch.ones(1, p, dtype=torch.float64), pairs])
    return rows / rows.norm(dim=1, keepdim=True)


def _check_waves(attempt: Attempt) -> str:
    on = "p = 7"
    got, want = attempt(7), _waves(7)
    if isinstance(got, Tensor) and tuple(got.shape) == (6, 7):
        raise Wrong(f"On {on}: you have 6 rows, the cosines and sines. The constant is missing: it is row 0.")
    if isinstance(got, Tensor) and tuple(got.shape) == (8, 7):
        raise Wrong(
            f"On {on}: you have 8 rows. Frequency 0 has a cosine, the constant, but no sine: that row would be 0."
        )
    expect_shape(got, (7, 7), what="Your table", on=on)
    got = got.double()
    lengths = want * math.sqrt(7 / 2)
    lengths[0] = 1
    blocks = want[torch.tensor([0, 1, 3, 5, 2, 4, 6])]
    swapped = want[torch.tensor([0, 2, 1, 4, 3, 6, 5])]
    slips = {
        want.T: "rows and columns are exchanged. A row is a wave, a column a number.",
        lengths: "the waves are right, but their lengths are not 1. Divide every row by its norm, "
        "`rows.norm(dim=1, keepdim=True)`.",
        blocks: "first come all cosines and then all sines. Asked is cosine 1, sine 1, cosine 2, sine 2 …",
        swapped: "the sine comes before the cosine. Asked is cosine 1, sine 1, cosine 2, sine 2 …",
    }
    for slip, words in slips.items():
        if torch.allclose(got, slip.double(), atol=1e-4):
            raise Wrong(f"On {on}: {words}")
    if not torch.allclose(got.norm(dim=1), torch.ones(7, dtype=torch.float64), atol=1e-4):
        raise Wrong(
            f"On {on}: the lengths of your rows are {_listed(got.norm(dim=1))}. Each is to be 1: divide every row "
            "by its norm."
        )
    expect_close(got, want, what="Your table", on=on)
    expect_close(attempt(11).double(), _waves(11), what="Your table", on="p = 11")
    return "Eleven numbers, eleven waves: every function of a number is a sum of them, in one way."


def _energy_shares(table: Tensor, basis: Tensor) -> Tensor:
    energy = (basis @ table).square().sum(dim=1)
    return energy[1:].unflatten(0, (-1, 2)).sum(dim=1) / energy.sum()


def _check_energy_shares(attempt: Attempt) -> str:
    basis, table = _waves(9), random_numbers(9, 4, seed=0, dtype=torch.float64) + 1
    on = "a table of 9 numbers and 4 columns"
    got, want = attempt(table, basis), _energy_shares(table, basis)
    if isinstance(got, Tensor) and tuple(got.shape) in ((9,), (8,)):
        raise Wrong(
            f"On {on}: yours has {len(got)} entries, one a *wave*. A frequency has two waves: add the energies of its "
            "cosine and its sine."
        )
    expect_shape(got, (4,), what="Your shares", on=on)
    energy = (basis @ table).square().sum(dim=1)
    sizes = (basis @ table).norm(dim=1)
    pairs = energy[1:].unflatten(0, (-1, 2)).sum(dim=1)
    slips = {
        pairs: "these are the energies. Divide by the energy of the whole table.",
        pairs
        / pairs.sum(): "you left the constant out of the sum below the line. The share is of *all* energy.",
        sizes[1:].unflatten(0, (-1, 2)).sum(dim=1)
        / sizes.sum(): "you added lengths. Energy is the sum of squares.",
        energy[:-1].unflatten(0, (-1, 2)).sum(dim=1)
        / energy.sum(): "your pairs begin at row 0, the constant. Frequency 1 is rows 1 and 2.",
        (basis @ table)[1:].unflatten(0, (-1, 2)).sum(dim=(1, 2)).square()
        / energy.sum(): "you added first and squared then, so that waves cancel. Square first.",
    }
    refuse_slips(got, slips, on=on)
    expect_close(got, want, what="Your shares", on=on)
    return "One share a frequency; together with the constant's they add up to 1."


def _clock(cos: np.ndarray, sin: np.ndarray) -> np.ndarray:
    p = cos.shape[1]
    logits = np.zeros((p, p, p))
    for c, s in zip(cos, sin):
        cos_of_sum = np.outer(c, c) - np.outer(s, s)
        sin_of_sum = np.outer(s, c) + np.outer(c, s)
        logits += cos_of_sum[:, :, None] * c + sin_of_sum[:, :, None] * s
    return logits


def _check_clock(attempt: Attempt) -> str:
    cos, sin = _hands(7, (1, 3))
    on = "7 numbers, frequencies 1 and 3"
    got, want = attempt(cos, sin), _clock(cos, sin)
    if isinstance(got, Tensor):
        raise Wrong(
            f"On {on}: yours is a PyTorch tensor. `cos` and `sin` are NumPy arrays, and so is the answer."
        )
    expect_shape(got, (7, 7, 7), what="Your logits", on=on)
    slips = {
        "you have cos(w(a − b − c)). Look at the signs, cos(x + y) = cos x cos y − sin x sin y, and at the order of "
        "the axes: a, b, c.": _clock(cos, sin)[:, (-np.arange(7)) % 7],
        "the largest logit is at c = −(a + b): you have cos(w(a + b + c)). Going back by c turns the sign round: "
        "cos(x − z) = cos x cos z + sin x sin z.": want[:, :, (-np.arange(7)) % 7],
        "only the last frequency is left. Add the frequencies up: `+=`.": _clock(cos[-1:], sin[-1:]),
        "only the first frequency is there. Go through all rows of `cos` and `sin`.": _clock(
            cos[:1], sin[:1]
        ),
        "you took the mean over the frequencies. Their sum is asked for.": want / 2,
    }
    for words, slip in slips.items():
        if np.allclose(got, slip, atol=1e-6):
            raise Wrong(f"On {on}: {words}")
    expect_close(np.asarray(got), want, what="Your logits", on=on)
    order = np.array([3, 0, 5, 1, 6, 2, 4])
    cos, sin = cos[:, order], sin[:, order]
    expect_close(
        np.asarray(attempt(cos, sin)),
        _clock(cos, sin),
        what="Your logits",
        on="the same numbers in another order (only `cos` and `sin` say where a number stands)",
    )
    return "Sums on a clock, without ever adding a and b: only products of hands."


def _one_frequency(neuron: Tensor, basis: Tensor, k: int) -> float:
    energy = (basis @ neuron @ basis.T).square()
    energy[0, 0] = 0
    rows = torch.tensor([0, 2 * k - 1, 2 * k])
    return float(energy[rows][:, rows].sum() / energy.sum())


def _check_one_frequency(attempt: Attempt) -> str:
    basis, k = _waves(9), 2
    waves = 3 * torch.outer(basis[3], basis[0]) + 2 * torch.outer(basis[4], basis[3])
    neuron = random_numbers(9, 9, seed=1, dtype=torch.float64) + 0.5 + waves
    on = "a neuron on a clock with 9 hours, and frequency 2"
    got, want = attempt(neuron, basis, k), _one_frequency(neuron, basis, k)
    if isinstance(got, Tensor) and got.ndim == 0:
        got = float(got)
    expect_type(got, float, what="Your share")
    coefficients = basis @ neuron @ basis.T
    energy = coefficients.square()
    moving = energy.clone()
    moving[0, 0] = 0
    two, three = torch.tensor([3, 4]), torch.tensor([0, 3, 4])
    earlier = torch.tensor([0, 2, 3])
    slips = {
        "the mean counts in yours, above the line and below. It is not variance: set entry (0, 0) to 0.": energy[
            three
        ][:, three].sum()
        / energy.sum(),
        "the mean counts below the line. Set entry (0, 0) to 0 before you add up.": moving[three][
            :, three
        ].sum()
        / energy.sum(),
        "you took the products of two waves only. Waves of a alone and of b alone (row 0, column 0) belong to the "
        "frequency too.": moving[two][:, two].sum() / moving.sum(),
        "you took whole rows: frequency 2 in a with *any* frequency in b. Rows and columns 0, 2k − 1 and 2k.": moving[
            two
        ].sum()
        / moving.sum(),
        "those are the rows of other waves: frequency k is rows 2k − 1 and 2k.": moving[earlier][
            :, earlier
        ].sum()
        / moving.sum(),
        "these are sums of absolute values. Energy is the sum of squares.": moving[three][:, three]
        .sqrt()
        .sum()
        / moving.sqrt().sum(),
        "that is the energy. Divide by the energy of everything but the mean.": moving[three][:, three].sum(),
        "you transformed one side only. Waves of a stand on the left, waves of b on the right: `basis @ neuron @ "
        "basis.T`.": (basis @ neuron).square()[three].sum() / (basis @ neuron).square().sum(),
    }
    for words, slip in slips.items():
        if math.isclose(got, float(slip), rel_tol=1e-5) and not math.isclose(got, want, rel_tol=1e-5):
            raise Wrong(f"On {on}: {words}")
    expect_close(got, want, what="Your share", on=on)
    got = attempt(neuron, basis, 4)
    expect_close(
        float(got), _one_frequency(neuron, basis, 4), what="Your share", on="the same neuron, frequency 4"
    )
    return "1 would be a neuron that knows of nothing but this one frequency."


def _without_waves(logits: Tensor, rows: Tensor) -> Tensor:
    numbers = torch.arange(len(logits))
    sums = (numbers[:, None] + numbers) % len(logits)
    by_sum = torch.stack([logits[sums == s].mean(dim=0) for s in numbers.tolist()])
    return logits - (rows.T @ rows @ by_sum)[sums]


def _check_without_waves(attempt: Attempt) -> str:
    p = 7
    logits, rows = random_numbers(p, p, p, seed=2, dtype=torch.float64), _waves(p)[[3, 4]]
    on = "random logits of 7 × 7 problems, and the two waves of frequency 2"
    got, want = attempt(logits, rows), _without_waves(logits, rows)
    expect_shape(got, (p, p, p), what="Your logits", on=on)
    numbers = torch.arange(p)
    sums = (numbers[:, None] + numbers) % p
    by_sum = torch.stack([logits[sums == s].mean(dim=0) for s in range(p)])
    part = (rows.T @ rows @ by_sum)[sums]
    along_a = torch.einsum("xa,abc->xbc", rows.T @ rows, logits)
    slips = {
        "you returned the waves alone. Asked is what is left without them.": part,
        "you took away everything that depends on a + b, not only these waves. Project first: `rows.T @ rows @ "
        "by_sum`.": logits - by_sum[sums],
        "you added the waves where they are to be taken away.": logits + part,
        "you took away waves of a. Asked are waves of a + b.": logits - along_a,
        "you took the sum over the problems with the same a + b, and need the mean.": logits - p * part,
        "nothing has changed.": logits,
    }
    for words, slip in slips.items():
        if torch.allclose(got, slip, atol=1e-6):
            raise Wrong(f"On {on}: {words}")
    expect_close(got, want, what="Your logits", on=on)
    again = attempt(got, rows)
    expect_close(again, want, what="Your logits", on="logits from which the waves were taken already")
    return "What it says without these waves; taking them away twice changes nothing more."


def _hands(p: int, frequencies: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    angles = 2 * np.pi / p * np.outer(frequencies, np.arange(p))
    return np.cos(angles), np.sin(angles)


def _listed(values: Tensor) -> str:
    return ", ".join(f"{float(value):.2f}" for value in values.flatten())


EXERCISES = (
    Exercise(
        id="11.waves",
        title="All waves of a clock",
        difficulty=2,
        minutes=8,
        hints=(
            "The angle of number a at frequency k is `2 * torch.pi * k * a / p`. How do you get a table of all k and a "
            "at once? One of the two needs an extra axis: `k[:, None]`.",
            "`torch.stack([angles.cos(), angles.sin()], dim=1).flatten(0, 1)` puts each sine behind its cosine. In "
            "front of them comes a row of ones.",
            "The frequencies are `torch.arange(1, (p + 1) // 2)`. At the end divide by `rows.norm(dim=1, "
            "keepdim=True)`.",
        ),
        reference=_waves,
        check=_check_waves,
    ),
    Exercise(
        id="11.energy_shares",
        title="Which waves does a table hold?",
        difficulty=1,
        minutes=6,
        hints=(
            "`basis @ table` has one row a wave: how strongly each column follows it. The energy of a wave is the sum "
            "of the squares of its row.",
            "Leave out row 0, and put the rest in pairs: `energy[1:].unflatten(0, (-1, 2))`.",
            "Divide by `energy.sum()`, the constant included.",
        ),
        reference=_energy_shares,
        check=_check_energy_shares,
    ),
    Exercise(
        id="11.clock",
        title="Add without adding",
        difficulty=3,
        minutes=12,
        hints=(
            "First for one frequency: a table with cos(w(a + b)) for every a and b. `np.outer(c, c)` is "
            "cos(wa) · cos(wb).",
            "The second identity is sin(x + y) = sin x cos y + cos x sin y. Then cos(w(a + b − c)) is made of the two "
            "tables and of the hands of c in the same way, with another sign.",
            "`cos_of_sum[:, :, None] * c + sin_of_sum[:, :, None] * s`, added up over the frequencies.",
        ),
        reference=_clock,
        check=_check_clock,
    ),
    Exercise(
        id="11.one_frequency",
        title="A neuron with one frequency",
        difficulty=2,
        minutes=8,
        hints=(
            "`basis @ neuron @ basis.T` takes the table apart in both directions: entry (i, j) belongs to wave i of a "
            "times wave j of b. Wave 0 is the constant.",
            "Entry (0, 0) is the mean: set its energy to 0. The waves of one frequency are the entries whose row and "
            "column are both among 0, 2k − 1 and 2k.",
            "`rows = torch.tensor([0, 2 * k - 1, 2 * k])`, then `energy[rows][:, rows].sum() / energy.sum()`, as a "
            "float.",
        ),
        reference=_one_frequency,
        check=_check_one_frequency,
    ),
    Exercise(
        id="11.without_waves",
        title="Take the waves away",
        difficulty=2,
        minutes=10,
        hints=(
            "`sums = (numbers[:, None] + numbers) % p` says a + b for every problem. What is the mean of "
            "`logits[sums == s]` over its first axis?",
            "`by_sum` has one row a sum. `rows.T @ (rows @ by_sum)` keeps of it what these waves hold.",
            "`[sums]` behind that table lays row a + b at every problem (a, b). Take it away from the logits.",
        ),
        reference=_without_waves,
        check=_check_without_waves,
    ),
)
