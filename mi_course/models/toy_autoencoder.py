"""Autoencoders with more features than room: the smallest networks that show superposition, many trained at once.

An autoencoder squeezes a vector of features through a few hidden dimensions and tries to give it back:
``h = x W`` and ``x̂ = ReLU(h Wᵀ + b)``, with one matrix for both ways. Row i of W is the *direction* that feature i has
in the hidden space. With 5 features and 2 hidden dimensions directions can be drawn on paper.

To see how the solution depends on the world (how rare features are, how much each matters), one wants dozens of such
networks. They are so small that all of them train as one: every tensor has a leading axis "instance", and no
instance sees another.

After Elhage et al. (2022), "Toy Models of Superposition" (https://transformer-circuits.pub/2022/toy_model). There
vectors are columns and the formula reads ReLU(WᵀWx + b); here examples are rows, as in the rest of the course, and our
W is their Wᵀ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_course.data import sparse_features
from mi_course.runtime import one_thread

BATCH = 256
WARM_UP = 20
JUDGED_ON = 16, 1_024
"""Batches of fresh examples, and their size, on which the loss of a finished network is measured."""


class ToyAutoencoder(nn.Module):
    """Many autoencoders side by side: ``x̂ = output(hidden(x W) Wᵀ + b)``.

    ``W``: "instance feature hidden", the direction of each feature. ``b_final``: "instance feature". ``hidden``:
    "linear", or "relu" for networks whose hidden dimensions are neurons. ``output``: "relu", or "linear" for the
    control, which is principal component analysis by other means.
    """

    def __init__(
        self,
        n_instances: int,
        n_features: int,
        n_hidden: int,
        *,
        hidden: Literal["linear", "relu"] = "linear",
        output: Literal["linear", "relu"] = "relu",
        seed: int = 0,
    ):
        super().__init__()
        if min(n_instances, n_features, n_hidden) < 1:
            raise ValueError(
                f"{n_instances} instances, {n_features} features, {n_hidden} hidden: each must be at least 1."
            )
        generator = torch.Generator().manual_seed(seed)
        W = torch.randn(n_instances, n_features, n_hidden, generator=generator) / math.sqrt(n_features)
        self.W = nn.Parameter(W)
        self.b_final = nn.Parameter(torch.zeros(n_instances, n_features))
        self.hidden, self.output = hidden, output

    def encode(self, x: Float[Tensor, "instance batch feature"]) -> Float[Tensor, "instance batch hidden"]:
        """What the hidden dimensions hold: each feature's direction, as much of it as there is of the feature."""
        # Transposed, because long rows of examples multiply twice as fast as many short rows of features.
        h = (self.W.mT @ x.mT).mT
        return h.relu() if self.hidden == "relu" else h

    def decode(self, h: Float[Tensor, "instance batch hidden"]) -> Float[Tensor, "instance batch feature"]:
        """Each feature read off along its own direction; the bias shifts, and the ReLU cuts off what is below 0."""
        x = (self.W @ h.mT + self.b_final[..., None]).mT
        return x.relu() if self.output == "relu" else x

    def forward(self, x: Float[Tensor, "instance batch feature"]) -> Float[Tensor, "instance batch feature"]:
        return self.decode(self.encode(x))


def loss(
    x: Float[Tensor, "*instance batch feature"],
    reconstruction: Float[Tensor, "*instance batch feature"],
    importance: Float[Tensor, "*any feature"],
) -> Float[Tensor, "*instance"]:
    """Squared error of every feature, weighted by its importance, summed over features; the mean over examples.

    0: everything comes back as it was. Elhage et al. sum in the same way.
    """
    weighted = (x - reconstruction).square() * importance[..., None, :]
    return weighted.sum(dim=-1).mean(dim=-1)


@dataclass(frozen=True)
class Sweep:
    """One shape of autoencoder, trained in several worlds, and in each from several beginnings."""

    model: ToyAutoencoder
    density: Float[Tensor, " world"]
    """Share of the examples in which a feature is there."""
    importance: Float[Tensor, "world feature"]
    restarts: int
    loss: Float[Tensor, "world restart"]
    """On fresh examples, after training."""
    kept_steps: tuple[int, ...]
    """Steps of training whose weights were kept; the last is the end."""
    history: Float[Tensor, "kept world restart feature hidden"]
    """W after each of `kept_steps`."""

    @property
    def W(self) -> Float[Tensor, "world restart feature hidden"]:  # noqa: N802
        """The direction of each feature, after training."""
        return self._by_world(self.model.W.detach())

    @property
    def b_final(self) -> Float[Tensor, "world restart feature"]:
        """What is added to each feature before the last ReLU."""
        return self._by_world(self.model.b_final.detach())

    @property
    def best(self) -> Int[Tensor, " world"]:
        """The restart that came out with the lowest loss, for each world."""
        return self.loss.argmin(dim=1)

    @property
    def best_W(self) -> Float[Tensor, "world feature hidden"]:  # noqa: N802
        """The directions of that restart. Training can get stuck; the best of several is nearest to the optimum."""
        return self.W[torch.arange(len(self.density)), self.best]

    def _by_world(self, values: Tensor) -> Tensor:
        return values.unflatten(0, (len(self.density), self.restarts))


def train(
    density: Float[Tensor, " world"],
    n_features: int,
    n_hidden: int,
    *,
    importance: Float[Tensor, "*world feature"] | None = None,
    restarts: int = 1,
    hidden: Literal["linear", "relu"] = "linear",
    output: Literal["linear", "relu"] = "relu",
    steps: int = 800,
    lr: float = 0.03,
    batch: int = BATCH,
    seed: int = 0,
    keep: Collection[int] = (),
    watch: Callable[[range], Iterable[int]] = iter,
) -> Sweep:
    """Train the same autoencoder in every world at once; new examples at every step, Adam, cosine decay.

    ``density``: one world for each number; all its features are there in that share of the examples, independently.
    ``importance``: how much an error of each feature counts, the same in all worlds, or one row a world; 1 for all if
    it is not given. ``restarts``: how many networks, with different beginnings, train in each world. ``keep``: steps
    after which the weights are kept, for looking back (0 is the beginning). ``watch``: wraps the loop, for instance
    ``lambda steps: progress_bar(steps, "training")``. The same seed gives the same networks.

    Networks of this kind get stuck in different solutions, above all where features are rare: judge by several
    restarts, or by the best.
    """
    if density.ndim != 1 or len(density) < 1 or restarts < 1 or steps < 1:
        raise ValueError(
            "Give a density for each of one or more worlds; restarts and steps must be at least 1."
        )
    importance = torch.ones(n_features) if importance is None else importance
    if importance.shape not in ((n_features,), (len(density), n_features)):
        raise ValueError(
            f"importance has shape {tuple(importance.shape)}, but there are {n_features} features in {len(density)} "
            "worlds: give one number a feature, or one row a world."
        )
    importance = importance.expand(len(density), n_features)
    n_instances = len(density) * restarts
    model = ToyAutoencoder(n_instances, n_features, n_hidden, hidden=hidden, output=output, seed=seed)
    per_instance = importance.repeat_interleave(restarts, dim=0)
    chance = density.repeat_interleave(restarts)[:, None, None]
    generator = torch.Generator().manual_seed(seed + 1)

    def examples(n: int) -> Float[Tensor, "instance {n} feature"]:
        return sparse_features.draw((n_instances, n_features, n), chance, generator).mT

    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    kept = {0: model.W.detach().clone()} if 0 in keep else {}
    with one_thread():
        for step in watch(range(steps)):
            for group in optimizer.param_groups:
                group["lr"] = lr * _schedule(step, steps)
            x = examples(batch)
            optimizer.zero_grad(set_to_none=True)
            with torch.enable_grad():
                loss(x, model(x), per_instance).sum().backward()
            optimizer.step()
            if step + 1 in keep or step + 1 == steps:
                kept[step + 1] = model.W.detach().clone()
        with torch.no_grad():
            fresh = (examples(JUDGED_ON[1]) for _ in range(JUDGED_ON[0]))
            judged = torch.stack([loss(x, model(x), per_instance) for x in fresh]).mean(dim=0)
    model.requires_grad_(False)
    by_world = (len(density), restarts)
    return Sweep(
        model=model,
        density=density,
        importance=importance,
        restarts=restarts,
        loss=judged.unflatten(0, by_world),
        kept_steps=tuple(kept),
        history=torch.stack([W.unflatten(0, by_world) for W in kept.values()]),
    )


def _schedule(step: int, steps: int) -> float:
    """A short rise, then half a wave of a cosine down to zero."""
    rise = (step + 1) / WARM_UP
    return min(1.0, rise) * 0.5 * (1 + math.cos(math.pi * step / steps))
