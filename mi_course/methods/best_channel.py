"""Which channel tells two kinds of pictures apart best, and is it better than luck?

Whoever looks through all channels of a layer for one that answers to faces will find one. Three questions decide
whether it was worth finding: does the choice hold on other pictures (`chosen_and_confirmed`), would meaningless
labels have given a channel as good (`permutation_test`, which includes the choice), and does an untrained network
have one as well?

Functions take one row of answers a picture, and several opponents at once: a channel then counts as good as it is
against the *hardest* of them. Beware: none of this says what else the channel answers to.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_course.methods.uncertainty import Interval
from mi_course.models import pretrained
from mi_course.models.alexnet import AlexNet
from mi_course.models.hooks import Hook

FILE = "face_scores.safetensors"


@torch.no_grad()
def answers(
    model: AlexNet, point: str, images: Float[Tensor, "image 3 height width"], *, batch: int = 50
) -> Float[Tensor, "image channel"]:
    """What each channel of ``point`` answers to each picture: of a map, its largest cell."""
    found = []
    for part in images.split(batch):
        with model.caching([point]) as cache:
            model(part.contiguous(memory_format=torch.channels_last))  # nearly twice as fast
        found.append(cache[point].amax(dim=(2, 3)) if cache[point].ndim == 4 else cache[point])
    return torch.cat(found)


def auc(ours: Float[Tensor, "image ..."], others: Float[Tensor, "other ..."]) -> Float[Tensor, ...]:
    """The probability that one of ours moves a channel more than one of the others; a tie counts half.

    The area under the ROC curve: 1 = every one of ours above every other one, 0.5 = no difference, below 0.5 = the
    channel prefers the others. Source: Mann and Whitney 1947.
    """
    more, equal = ours[:, None] > others[None], ours[:, None] == others[None]
    return (more.float() + 0.5 * equal.float()).mean(dim=(0, 1))


def hardest_auc(ours: Float[Tensor, "image ..."], *opponents: Float[Tensor, "_ ..."]) -> Float[Tensor, ...]:
    """Each channel's `auc` against the opponents that it tells from ours least well."""
    return torch.stack([auc(ours, others) for others in opponents]).amin(dim=0)


def ranks(values: Float[Tensor, "picture channel"]) -> Float[Tensor, "picture channel"]:
    """Each value's place among those of its column, from 1; equal values share their mean place."""
    columns = values.T.contiguous()
    ordered = columns.sort(dim=1).values
    below, up_to = (torch.searchsorted(ordered, columns, right=right) for right in (False, True))
    return ((below + up_to + 1).float() / 2).T


@dataclass(frozen=True)
class ConfirmedChannel:
    """The channel that was best on one half of the pictures, and how good it is on the other half.

    ``chosen``: its AUC where it was chosen (too good by the luck of the best). ``confirmed``: its AUC on the other
    half, with the interval over these pictures.
    """

    channel: int
    chosen: float
    confirmed: Interval


def chosen_and_confirmed(
    ours: Float[Tensor, "image channel"],
    *opponents: Float[Tensor, "_ channel"],
    paired: bool = False,
    seed: int = 0,
) -> ConfirmedChannel:
    """Choose the best channel on a random half of the pictures and test it on the others.

    ``paired``: whether each opponent is a version of our picture with the same number; the two then go into the
    same half. With several ``opponents``, good means good against all (`hardest_auc`).
    """
    halves = [
        _halves(len(pictures), seed + (0 if paired else k)) for k, pictures in enumerate((ours, *opponents))
    ]
    first, second = ([x[half[side]] for x, half in zip((ours, *opponents), halves)] for side in (0, 1))
    scores = hardest_auc(first[0], *first[1:])
    best = int(scores.argmax())
    confirmed = auc_interval(*(x[:, best] for x in second), paired=paired, seed=seed)
    return ConfirmedChannel(best, float(scores[best]), confirmed)


def auc_interval(
    ours: Float[Tensor, " image"],
    *opponents: Float[Tensor, " _"],
    paired: bool = False,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """One channel's `hardest_auc` with a percentile bootstrap interval: pictures are drawn anew on both sides.

    ``paired``: whether a picture and its versions are drawn together.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(ours), (resamples, len(ours)), generator=generator)
    found = []
    for others in opponents:
        columns = (
            rows if paired else torch.randint(len(others), (resamples, len(others)), generator=generator)
        )
        wins = (ours[:, None] > others[None]).float() + 0.5 * (ours[:, None] == others[None]).float()
        # A picture drawn twice would meet its own version four times; on average that is twice too often.
        weight = 1 - torch.eye(len(ours)) / 2 if paired else torch.ones_like(wins)
        left, right = _counts(rows, len(ours)), _counts(columns, len(others))
        found.append((left @ (wins * weight) * right).sum(dim=1) / (left @ weight * right).sum(dim=1))
    resampled = torch.stack(found).amin(dim=0)
    tail = (1 - confidence) / 2
    low, high = resampled.quantile(torch.tensor([tail, 1 - tail])).tolist()
    return Interval(float(hardest_auc(ours, *opponents)), low, high, confidence)


@dataclass(frozen=True)
class PermutationTest:
    """The best channel beside the best ones under meaningless labels.

    ``best``: the largest `auc` of all channels, of number ``channel``. ``by_chance``: the same for each
    shuffle of the labels; the choice among all channels is made anew every time.
    """

    best: float
    channel: int
    by_chance: Float[Tensor, " shuffle"]

    @property
    def p_value(self) -> float:
        """The share of shuffles that did at least as well, our own labels counted as one of them; never 0."""
        return (1 + int((self.by_chance >= self.best - 1e-6).sum())) / (1 + len(self.by_chance))

    @property
    def limit(self) -> float:
        """What the best channel reaches by chance in one case of twenty."""
        return float(self.by_chance.quantile(0.95))


def permutation_test(
    ours: Float[Tensor, "image channel"],
    others: Float[Tensor, "_ channel"],
    *,
    paired: bool = False,
    shuffles: int = 1000,
    seed: int = 0,
) -> PermutationTest:
    """How good is the best channel if the labels mean nothing?

    Labels are shuffled between the two groups; if ``paired``, only inside each pair: which of the two is ours is
    decided by a coin. A small p-value says that the *layer* tells the two apart in a way that luck
    does not explain. It does not say that it does so by what you had in mind. Source: Fisher 1935; the maximum over
    channels is the correction of Westfall and Young 1993.
    """
    n, m = len(ours), len(others)
    labels = _shuffled_labels(n, m, shuffles, paired, torch.Generator().manual_seed(seed))
    wins = labels.float() @ ranks(torch.cat([ours, others])) - n * (n + 1) / 2
    scores = auc(ours, others)
    best = int(scores.argmax())
    return PermutationTest(float(scores[best]), best, (wins / (n * m)).amax(dim=1))


def ablated(point: str, channel: int) -> tuple[str, Hook]:
    """A hook that silences one channel: ``model.run_with_hooks(images, [ablated("conv5", 7)])``.

    Zero is what the channel says to most pictures anyway, behind its ReLU. If nothing changes, others may do the
    same job.
    """

    def silence(activation: Tensor, name: str) -> Tensor:
        silenced = activation.clone()
        silenced[:, channel] = 0
        return silenced

    return point, silence


def recorded(name: str) -> dict[str, Float[Tensor, "channel ..."]]:
    """What the channels of conv5 of a shipped network reached on validation photographs, which cannot ship.

    ``set A``, ``set B``: AUC of photographs in which a human face can be seen against photographs of the same
    classes without one (two sets of four classes each); ``… grey``: the same without colours; ``… within classes``:
    only pairs from one class compared. ``classes``: AUC of each class against all others. ``faces against class``:
    AUC of all photographs with a face against those of each class. Made by `mi_course.recipes.face_unit`.
    """
    from safetensors.torch import load_file

    path = pretrained.WEIGHTS / name / FILE
    pretrained.verify(path, pretrained.card(name)["files"][FILE]["sha256"])
    return {key: value.float() for key, value in load_file(path).items()}


def _halves(n: int, seed: int) -> tuple[Int[Tensor, " first"], Int[Tensor, " second"]]:
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return order[: n // 2], order[n // 2 :]


def _counts(chosen: Int[Tensor, "resample draw"], n: int) -> Float[Tensor, "resample picture"]:
    """How often each picture was drawn."""
    return torch.zeros(len(chosen), n).scatter_add_(1, chosen, torch.ones(chosen.shape))


def _shuffled_labels(
    n: int, m: int, shuffles: int, paired: bool, generator: torch.Generator
) -> Bool[Tensor, "shuffle picture"]:
    if not paired:
        order = torch.rand(shuffles, n + m, generator=generator).argsort(dim=1)
        return order < n
    if n != m:
        raise ValueError(f"{n} pictures and {m} opponents are no pairs.")
    heads = torch.rand(shuffles, n, generator=generator) < 0.5
    return torch.cat([heads, ~heads], dim=1)
