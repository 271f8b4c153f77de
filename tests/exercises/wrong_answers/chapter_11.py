"""What learners get wrong in chapter 11, and what the diagnosis must say."""

import math

import numpy as np
import torch


def table(p, *, constant=True, norm=True, order="pairs"):
    k = torch.arange(1, (p + 1) // 2, dtype=torch.float64)
    angles = 2 * math.pi / p * k[:, None] * torch.arange(p)
    pair = [angles.sin(), angles.cos()] if order == "sine first" else [angles.cos(), angles.sin()]
    rows = torch.cat(pair) if order == "blocks" else torch.stack(pair, dim=1).flatten(0, 1)
    if constant:
        rows = torch.cat([torch.ones(1, p, dtype=torch.float64), rows])
    return rows / rows.norm(dim=1, keepdim=True) if norm else rows


def energies(table, basis):
    return (basis @ table).square().sum(dim=1)


def paired(values):
    return values.unflatten(0, (-1, 2)).sum(dim=1)


def clock(cos, sin, *, minus=-1, back=1, start=True):
    p = cos.shape[1]
    logits = np.zeros((p, p, p))
    for c, s in zip(cos, sin):
        cos_of_sum = np.outer(c, c) + minus * np.outer(s, s)
        sin_of_sum = np.outer(s, c) - minus * np.outer(c, s)
        one = cos_of_sum[:, :, None] * c + back * sin_of_sum[:, :, None] * s
        logits = logits + one if start else one
    return logits


def by_place(cos, sin):
    """Adds the numbers themselves: right only where they stand in order."""
    p = cos.shape[1]
    a, b, c = np.meshgrid(*[np.arange(p)] * 3, indexing="ij")
    return cos[:, (a + b - c) % p].sum(axis=0)


def fraction(neuron, basis, rows, columns=None, *, mean=False, square=True):
    energy = basis @ neuron @ basis.T
    energy = energy.square() if square else energy.abs()
    if not mean:
        energy[0, 0] = 0
    rows = torch.tensor(rows)
    chosen = energy[rows] if columns is None else energy[rows][:, torch.tensor(columns)]
    return float(chosen.sum() / energy.sum())


def sums_of(logits):
    numbers = torch.arange(len(logits))
    sums = (numbers[:, None] + numbers) % len(logits)
    return sums, torch.stack([logits[sums == s].mean(dim=0) for s in numbers.tolist()])


def waves_of_the_sum(logits, rows):
    sums, by_sum = sums_of(logits)
    return (rows.T @ rows @ by_sum)[sums]


def everything_of_the_sum(logits, rows):
    sums, by_sum = sums_of(logits)
    return logits - by_sum[sums]


WRONG = {
    "11.waves": [
        (lambda p: table(p, norm=False), "divide every row by its norm"),
        (lambda p: table(p, constant=False), "constant is missing"),
        (lambda p: table(p, order="blocks"), "first come all cosines"),
        (lambda p: table(p, order="sine first"), "sine comes before the cosine"),
        (lambda p: table(p).T, "rows and columns are exchanged"),
        (lambda p: table(p, norm=False) * math.sqrt(2 / p), "Each is to be 1"),
    ],
    "11.energy_shares": [
        (lambda t, b: energies(t, b) / energies(t, b).sum(), "one a *wave*"),
        (lambda t, b: paired(energies(t, b)[1:]), "these are the energies"),
        (lambda t, b: paired(energies(t, b)[1:]) / energies(t, b)[1:].sum(), "left the constant out"),
        (lambda t, b: paired(energies(t, b)[:-1]) / energies(t, b).sum(), "begin at row 0"),
        (lambda t, b: paired((b @ t).norm(dim=1)[1:]) / (b @ t).norm(dim=1).sum(), "added lengths"),
    ],
    "11.clock": [
        (lambda c, s: clock(c, s, minus=1), "cos(w(a − b − c))"),
        (lambda c, s: clock(c, s, back=-1), "cos(w(a + b + c))"),
        (lambda c, s: clock(c, s, start=False), "only the last frequency"),
        (lambda c, s: clock(c[:1], s[:1]), "only the first frequency"),
        (lambda c, s: clock(c, s) / len(c), "mean over the frequencies"),
        (lambda c, s: clock(c, s).transpose(2, 0, 1), "order of the axes"),
        (lambda c, s: torch.tensor(clock(c, s)), "NumPy"),
        (by_place, "in another order"),
    ],
    "11.one_frequency": [
        (
            lambda n, b, k: fraction(n, b, [0, 2 * k - 1, 2 * k], [0, 2 * k - 1, 2 * k], mean=True),
            "the mean counts",
        ),
        (
            lambda n, b, k: fraction(n, b, [2 * k - 1, 2 * k], [2 * k - 1, 2 * k]),
            "products of two waves only",
        ),
        (lambda n, b, k: fraction(n, b, [2 * k - 1, 2 * k]), "whole rows"),
        (
            lambda n, b, k: fraction(n, b, [0, 2 * k - 2, 2 * k - 1], [0, 2 * k - 2, 2 * k - 1]),
            "rows of other waves",
        ),
        (
            lambda n, b, k: fraction(n, b, [0, 2 * k - 1, 2 * k], [0, 2 * k - 1, 2 * k], square=False),
            "absolute values",
        ),
    ],
    "11.without_waves": [
        (waves_of_the_sum, "the waves alone"),
        (everything_of_the_sum, "everything that depends on a + b"),
        (lambda x, rows: x + waves_of_the_sum(x, rows), "added the waves"),
        (lambda x, rows: x - torch.einsum("xa,abc->xbc", rows.T @ rows, x), "waves of a"),
        (lambda x, rows: x - len(x) * waves_of_the_sum(x, rows), "need the mean"),
    ],
}
