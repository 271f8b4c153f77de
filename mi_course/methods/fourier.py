"""Waves on a clock: how a network that adds modulo p stores its numbers, and how it computes with them.

The numbers 0 … p − 1 stand on a circle. A wave of *frequency* k goes k times round while the number goes round once:
cos(2πk a/p) and sin(2πk a/p). For an odd p there are (p − 1)/2 frequencies, and with the constant their waves are a
basis: every function of a number is a sum of waves in one way only, and its *energy*, the sum of its squares, is
the sum of the energies of its waves.

A network can add with them, because cos(w(a + b)) = cos(wa) cos(wb) − sin(wa) sin(wb) and the same for sin, and because
cos(w(a + b − c)), with w = 2πk/p, is largest exactly at c = a + b. Nanda et al. 2023 (arXiv 2301.05217) found that a
transformer which *grokked* does this. Every function here takes plain tensors, so that it reads anybody's network;
`read` fetches them from a `Transformer`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.data import modular_addition
from mi_course.errors import CourseError
from mi_course.methods.grokking import logits_at_equals
from mi_course.models.transformer import Transformer

MUCH = 3.0
"""A frequency counts as a key frequency if it has this many times what an even spread would give it."""


# ---- the basis -------------------------------------------------------------------------------------


def n_frequencies(p: int) -> int:
    """How many frequencies a clock with ``p`` hours has: (p − 1)/2."""
    if p < 3 or p % 2 == 0:
        raise ValueError(
            f"p={p}; an odd number, 3 or more, is needed (an even clock has one wave without a sine)."
        )
    return (p - 1) // 2


def basis(p: int) -> Float[Tensor, "p p"]:
    """The waves of a clock as rows: the constant, then cos and sin of frequency 1, of frequency 2, and so on.

    Orthonormal, in double precision: ``basis(p) @ basis(p).T`` is the identity. Row 2k − 1 is the cosine of frequency
    k, row 2k its sine; columns are the numbers 0 … p − 1.
    """
    k = torch.arange(1, n_frequencies(p) + 1, dtype=torch.float64)
    angles = 2 * torch.pi / p * k[:, None] * torch.arange(p)
    waves = torch.stack([angles.cos(), angles.sin()], dim=1).flatten(0, 1) * math.sqrt(2 / p)
    return torch.cat([torch.full((1, p), p**-0.5, dtype=torch.float64), waves])


def waves(p: int, frequencies: Sequence[int]) -> Float[Tensor, "wave p"]:
    """The rows of `basis` that belong to ``frequencies``: two for each, cosine and sine."""
    highest = n_frequencies(p)
    for k in frequencies:
        if not 1 <= k <= highest:
            raise ValueError(f"Frequency {k} does not exist for p = {p}; there are 1 to {highest}.")
    rows = [row for k in frequencies for row in (2 * k - 1, 2 * k)]
    return basis(p)[torch.tensor(rows, dtype=torch.long)]


def wave_part(table: Float[Tensor, "p column"], frequencies: Sequence[int]) -> Float[Tensor, "p column"]:
    """What these frequencies hold of a table with one row a number; the rest is ``table − wave_part``."""
    rows = waves(len(table), frequencies)
    return rows.T @ (rows @ table.double())


# ---- what is stored: the embedding -----------------------------------------------------------------


@dataclass(frozen=True)
class Spectrum:
    """Where the energy of a table with one row a number lies.

    ``share[k − 1]``: frequency k's part of all energy, 0 to 1. ``constant``: the part of what all rows have in
    common. Together they add up to 1. A table of random numbers has about the same share at every frequency.
    """

    share: Float[Tensor, " frequency"]
    constant: float

    @property
    def even_share(self) -> float:
        """What each frequency would have if all had the same."""
        return (1 - self.constant) / len(self.share)

    def strongest(self, n: int) -> tuple[int, ...]:
        """The ``n`` frequencies with the largest share, the largest first."""
        return tuple((self.share.argsort(descending=True, stable=True)[:n] + 1).tolist())

    def key_frequencies(self, much: float | int = MUCH) -> tuple[int, ...]:
        """The frequencies with at least ``much`` times the even share, in rising order; there may be none.

        The threshold is a convention: look at the whole spectrum as well.
        """
        return tuple(((self.share >= much * self.even_share).nonzero()[:, 0] + 1).tolist())

    def held_by(self, frequencies: Sequence[int]) -> float:
        """The share of all energy that these frequencies hold together."""
        return float(sum(self.share[k - 1] for k in frequencies))


def spectrum(table: Float[Tensor, "p column"]) -> Spectrum:
    """How much of a table's energy lies at each frequency; row a belongs to the number a.

    The table is usually an embedding, ``model.W_E[:p]``. What it does not show: that the network uses these
    waves. An embedding may hold what nothing reads; `excluded_loss` asks what depends on them.
    """
    energy = (basis(len(table)) @ table.double()).square().sum(dim=1)
    share = energy / energy.sum()
    return Spectrum(share[1:].unflatten(0, (-1, 2)).sum(dim=1), float(share[0]))


def on_the_circle(table: Float[Tensor, "p column"], frequency: int) -> Float[Tensor, "p 2"]:
    """Where every number lies in the plane in which the table holds one frequency's cosine and sine.

    The plane is spanned by the directions along which the table's rows follow the cosine and the sine. If the network
    keeps the wave well, the numbers lie on an ellipse around 0, and from one to the next it is always the same
    angle. Every table gives *some* picture, a random one a cloud that is pulled apart a little.
    """
    directions = waves(len(table), [frequency]) @ table.double()
    plane = torch.linalg.qr(directions.T).Q
    signs = (directions * plane.T).sum(dim=1).sign()  # QR leaves open which way an axis points
    return table.double() @ (plane * signs)


# ---- what is computed: neurons and logits ----------------------------------------------------------


@dataclass(frozen=True)
class Readings:
    """What a network does with every problem a + b: axes a, b, and neuron or answer c.

    ``neurons``: after the activation function, at "=". ``logits``: of the numbers 0 … p − 1, not of "=", at "=".
    """

    p: int
    embedding: Float[Tensor, "p d_model"]
    neurons: Float[Tensor, "p p d_mlp"]
    logits: Float[Tensor, "p p p"]


@torch.no_grad()
def read(model: Transformer) -> Readings:
    """Ask a network all p² problems ``a b =``, and take down what this file's functions look at.

    p is the number of tokens before "=", which must be the last one. One layer with an MLP and without layer norm is
    needed; p, width, number of heads and activation function are free.
    """
    p = model.config.d_vocab - 1
    n_frequencies(p)
    if not model.config.d_mlp:
        raise CourseError("This network is attention-only; there are no neurons to read.")
    logits, neurons = [], []
    for rows in modular_addition.problems(p).split(4096):
        with model.caching("blocks.0.mlp.hook_post") as found:
            logits.append(logits_at_equals(model, rows)[:, :p])
        neurons.append(found["blocks.0.mlp.hook_post"][:, 0])
    square = (p, p, -1)
    return Readings(
        p, model.W_E[:p].detach(), torch.cat(neurons).view(square), torch.cat(logits).view(square)
    )


@dataclass(frozen=True)
class NeuronFits:
    """How far each neuron is a matter of one frequency.

    ``share[k − 1, neuron]``: the part of the neuron's variance over all problems that its best sum of waves of
    frequency k explains, 0 to 1. A neuron that never changes has not-a-number.
    """

    share: Float[Tensor, "frequency d_mlp"]

    @property
    def frequency(self) -> Int[Tensor, " d_mlp"]:
        """Each neuron's best frequency."""
        return self.share.nan_to_num(nan=-1.0).argmax(dim=0) + 1

    @property
    def best(self) -> Float[Tensor, " d_mlp"]:
        """The share of variance that this frequency explains."""
        return self.share.amax(dim=0)

    def n_fitted(self, least: float = 0.85) -> int:
        """How many neurons are explained by one frequency to at least ``least``."""
        return int((self.best >= least).sum())


def neuron_fits(neurons: Float[Tensor, "p p d_mlp"]) -> NeuronFits:
    """Fit every neuron by the waves of one frequency at a time, in a, in b, and products of the two.

    For each frequency these are the eight waves cos wa, sin wa, cos wb, sin wb, and the four products of one of
    a with one of b. Chance: a neuron of random numbers gets 8/(p² − 1) from each frequency. A *high* share at one
    frequency is what is needed for the sums of angles; it does not say that the neuron's output is used.
    Source: Nanda et al. 2023, section 4.2; they call a neuron fitted from 85 % on.
    """
    p = len(neurons)
    _expect_square(neurons, "neurons")
    transform = basis(p).to(neurons.dtype)
    energy = torch.einsum("xa,abn,yb->xyn", transform, neurons, transform).square()
    energy[0, 0] = 0  # the mean
    total = energy.sum(dim=(0, 1))
    pairs = energy[1:, 1:].unflatten(0, (-1, 2)).unflatten(2, (-1, 2)).sum(dim=(1, 3)).diagonal().T
    alone = (energy[1:, 0] + energy[0, 1:]).unflatten(0, (-1, 2)).sum(dim=1)
    return NeuronFits((pairs + alone) / total.where(total > 0, torch.nan))


@dataclass(frozen=True)
class CosineFit:
    """Logits as a sum of cosines of a + b − c, one for each frequency.

    ``amplitude[i]``: how much of cos(2πk(a + b − c)/p), for the i-th of ``frequencies``; the largest is at
    c = a + b where it is positive. ``explained[i]``: the share of the logits' variance that this one explains, 0 to 1.
    The waves do not overlap, so that shares add up.
    """

    p: int
    frequencies: tuple[int, ...]
    amplitude: Float[Tensor, " frequency"]
    explained: Float[Tensor, " frequency"]

    @property
    def total(self) -> float:
        """The share of the logits' variance that all of them explain."""
        return float(self.explained.sum())

    def logits(self) -> Float[Tensor, "p p p"]:
        """The sum itself: axes a, b, c."""
        return clock_logits(self.p, self.frequencies, self.amplitude)


def cosine_fit(logits: Float[Tensor, "p p p"], frequencies: Sequence[int]) -> CosineFit:
    """How much of a network's logits is Σ α cos(w(a + b − c)), with the best α for each frequency?

    ``logits``: axes a, b, c. Variance is that within a problem: what is added to all answers to one problem
    changes no probability, and does not count. A sum with *all* frequencies is any function of a + b − c, so
    that few frequencies which explain much is the finding. Control: other frequencies, and an untrained network.
    Source: Nanda et al. 2023, section 4.1.
    """
    p = len(logits)
    _expect_square(logits, "logits")
    centred = logits.double() - logits.double().mean(dim=2, keepdim=True)
    by_distance = _mean_by_distance(centred)
    cosines = waves(p, frequencies)[::2] * math.sqrt(p / 2)
    amplitude = 2 / p * (cosines @ by_distance)
    return CosineFit(p, tuple(frequencies), amplitude, amplitude.square() / 2 / centred.square().mean())


def clock_logits(
    p: int, frequencies: Sequence[int], amplitudes: Float[Tensor, " frequency"]
) -> Float[Tensor, "p p p"]:
    """The algorithm by itself: Σ α cos(w(a + b − c)) for all a, b, c, from nothing but waves of a, of b and of c."""
    rows = waves(p, frequencies).unflatten(0, (-1, 2)) * math.sqrt(p / 2)
    logits = torch.zeros(p, p, p, dtype=torch.float64)
    for (cos, sin), amplitude in zip(rows, amplitudes.double()):
        cos_sum = torch.outer(cos, cos) - torch.outer(sin, sin)
        sin_sum = torch.outer(sin, cos) + torch.outer(cos, sin)
        logits += amplitude * (cos_sum[..., None] * cos + sin_sum[..., None] * sin)
    return logits


# ---- what depends on it: restricted and excluded loss ----------------------------------------------


def key_part(logits: Float[Tensor, "p p p"], frequencies: Sequence[int]) -> Float[Tensor, "p p p"]:
    """The part of every logit that is a wave of a + b with one of these frequencies.

    For each answer c: its logits, averaged over all problems with the same a + b, and of that function of a + b the
    waves cos(w(a + b)) and sin(w(a + b)). The result has mean 0 over all problems.
    """
    p = len(logits)
    _expect_square(logits, "logits")
    numbers = torch.arange(p)
    sums = (numbers[:, None] + numbers) % p
    by_sum = logits.double()[numbers, (numbers[:, None] - numbers) % p].mean(dim=1)  # row s: all (a, s − a)
    return wave_part(by_sum, frequencies)[sums]


def only_key_waves(logits: Float[Tensor, "p p p"], frequencies: Sequence[int]) -> Float[Tensor, "p p p"]:
    """What is left if the network has *only* its waves of a + b with these frequencies.

    All else is replaced by each answer's mean over all problems.
    """
    return logits.double().mean(dim=(0, 1)) + key_part(logits, frequencies)


def without_key_waves(logits: Float[Tensor, "p p p"], frequencies: Sequence[int]) -> Float[Tensor, "p p p"]:
    """What is left *without* the network's waves of a + b with these frequencies."""
    return logits.double() - key_part(logits, frequencies)


def restricted_loss(
    logits: Float[Tensor, "p p p"],
    frequencies: Sequence[int],
    problems: Int[Tensor, "problem 3"] | None = None,
) -> float:
    """The loss of `only_key_waves`, in nats a problem, on ``problems``; on all if None.

    It is low as soon as the rule is in the network, however much the network still answers by heart. Log p: nothing
    is there yet. Source: Nanda et al. 2023, section 5.1.
    """
    return loss(only_key_waves(logits, frequencies), problems)


def excluded_loss(
    logits: Float[Tensor, "p p p"],
    frequencies: Sequence[int],
    problems: Int[Tensor, "problem 3"] | None = None,
) -> float:
    """The loss of `without_key_waves`, in nats a problem, on ``problems``; on all if None.

    Asked on the problems that it was trained on: as long as it knows them by heart it does well without the waves,
    and as it comes to depend on them the loss rises. Control: as many other frequencies, which should matter little.
    Source: Nanda et al. 2023, section 5.1.
    """
    return loss(without_key_waves(logits, frequencies), problems)


def loss(logits: Float[Tensor, "p p p"], problems: Int[Tensor, "problem 3"] | None = None) -> float:
    """The loss of logits with axes a, b, c, in nats a problem, on ``problems``; on all if None."""
    rows = modular_addition.problems(len(logits)) if problems is None else problems
    return F.cross_entropy(logits.double()[rows[:, 0], rows[:, 1]], modular_addition.answers(rows)).item()


def accuracy(logits: Float[Tensor, "p p p"], problems: Int[Tensor, "problem 3"] | None = None) -> float:
    """The share of ``problems``, or of all, whose largest logit is that of the right answer; chance is 1/p."""
    rows = modular_addition.problems(len(logits)) if problems is None else problems
    guesses = logits[rows[:, 0], rows[:, 1]].argmax(dim=-1)
    return (guesses == modular_addition.answers(rows)).float().mean().item()


def _mean_by_distance(logits: Tensor) -> Tensor:
    """Entry t: the mean of all logits with a + b − c = t."""
    p = len(logits)
    numbers = torch.arange(p)
    a, b, t = numbers[:, None, None], numbers[:, None], numbers
    return logits[a, b, (a + b - t) % p].mean(dim=(0, 1))


def _expect_square(values: Tensor, name: str) -> None:
    n_frequencies(len(values))
    if values.shape[0] != values.shape[1]:
        raise ValueError(
            f"{name} has {values.shape[0]} × {values.shape[1]} problems; give all p × p of them."
        )
