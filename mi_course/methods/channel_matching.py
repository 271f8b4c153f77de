"""Do two networks have the same channels? Match what they answer to the same pictures, and mistrust the match.

Correlated answers are cheap. Any two channels that see brightness or contrast go up and down together, trained or
not, and the best of a hundred partners looks good by luck alone. Hence a partner is chosen on one set of pictures
and judged on another, and beside it stands what *random directions* of the other network reach.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.methods.tuning_curves import middle_responses_at
from mi_course.models.alexnet import AlexNet


def agreement(
    ours: tuple[Float[Tensor, "image channel"], Float[Tensor, "image_2 channel"]],
    theirs: tuple[Float[Tensor, "image partner"], Float[Tensor, "image_2 partner"]],
    *,
    ignore_sign: bool = False,
) -> Float[Tensor, " channel"]:
    """How well each of our channels agrees with its best partner: a correlation, 1 = the same answers.

    ``ours`` and ``theirs``: answers to two sets of pictures. The partner is the channel that correlates best on
    the first set; the number is its correlation on the second, so the choice cannot flatter it.
    ``ignore_sign``: a partner that goes down where ours goes up counts as well. A channel that never changes on
    either set is not-a-number.
    """
    choosing, judging = (correlations(a, b) for a, b in zip(ours, theirs))
    partner = (choosing.abs() if ignore_sign else choosing).nan_to_num(-2).argmax(dim=1, keepdim=True)
    found = judging.gather(1, partner)[:, 0]
    sign = choosing.gather(1, partner)[:, 0].sign() if ignore_sign else 1.0
    return found * sign


def correlations(
    a: Float[Tensor, "image channel"], b: Float[Tensor, "image partner"]
) -> Float[Tensor, "channel partner"]:
    """Pearson's correlation of every channel with every partner; not-a-number where one never changes."""
    x, y = a - a.mean(dim=0), b - b.mean(dim=0)
    scale = x.norm(dim=0)[:, None] * y.norm(dim=0)[None]
    return torch.where(scale > 1e-9, (x.T @ y) / scale, torch.nan)


def random_directions(
    answers: tuple[Float[Tensor, "image channel"], Float[Tensor, "image_2 channel"]], *, seed: int = 0
) -> tuple[Float[Tensor, "image channel"], Float[Tensor, "image_2 channel"]]:
    """A control: as many random mixtures of a network's channels, which know together just as much.

    A random rotation mixes the channels, so that the mixtures hold all that they hold. If channels match no better
    than such mixtures, two networks know the same things, but nothing speaks for the *channel* as the unit in which
    they know them.
    """
    generator = torch.Generator().manual_seed(seed)
    n = answers[0].shape[1]
    rotation, _ = torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=torch.float64))
    mixing = rotation.to(answers[0])
    return answers[0] @ mixing, answers[1] @ mixing


def answers(
    model: AlexNet,
    layers: Sequence[str],
    images: Float[Tensor, "image 3 height width"],
    more: Float[Tensor, "image_2 3 height width"],
) -> dict[str, tuple[Float[Tensor, "image channel"], Float[Tensor, "image_2 channel"]]]:
    """What the middle cell of every channel of each layer answers to two sets of pictures."""
    first, second = (middle_responses_at(model, layers, part) for part in (images, more))
    return {layer: (first[layer], second[layer]) for layer in layers}
