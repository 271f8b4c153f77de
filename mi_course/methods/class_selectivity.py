"""Which classes does a unit pick out, and do they belong together? A test for units with several meanings.

A unit is *polysemantic* if it answers to unrelated things (Olah et al. 2020). To see it one shows the unit many
labelled photographs and asks, class by class, how well its answer tells the class from all others. The photographs of
AlexNet-mini's validation set cannot ship; the figures that its units reached on them do.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.models import pretrained
from mi_course.models.alexnet import AlexNet

FILE = "class_scores.safetensors"


@dataclass(frozen=True)
class TwoMeanings:
    """For each unit the class that it picks out best, and the best of those that are unrelated to it.

    Classes are chosen on one half of the photographs; ``first_score`` and ``second_score`` are the areas under the
    curve on the other half: 1 = the unit answers more to every photograph of the class than to any other, 0.5 = it
    does not know the class.
    """

    first: Int[Tensor, " unit"]
    second: Int[Tensor, " unit"]
    first_score: Float[Tensor, " unit"]
    second_score: Float[Tensor, " unit"]

    @property
    def both(self) -> Float[Tensor, " unit"]:
        """The smaller of the two scores: how well the unit knows *both* classes."""
        return torch.minimum(self.first_score, self.second_score)


def scores(
    answers: Float[Tensor, "image unit"], labels: Int[Tensor, " image"], n_classes: int
) -> Float[Tensor, "unit n_classes"]:
    """The area under the ROC curve of each unit for each class against all others (Mann and Whitney 1947).

    The probability that a photograph of the class moves the unit more than one of another class; ties count
    half. A class without a photograph gets not-a-number.
    """
    ordered = answers.sort(dim=0).values.T.contiguous()
    columns = answers.T.contiguous()
    below = torch.searchsorted(ordered, columns)
    up_to = torch.searchsorted(ordered, columns, right=True)
    rank = (below + up_to + 1).to(answers.dtype).T / 2  # from 1; equal answers share their mean rank
    one_hot = torch.nn.functional.one_hot(labels, n_classes).to(answers.dtype)
    members = one_hot.sum(dim=0)
    others = len(labels) - members
    wins = rank.T @ one_hot - members * (members + 1) / 2
    return torch.where(members * others > 0, wins / (members * others), torch.nan)


def relatedness(judge: AlexNet) -> Float[Tensor, "n_classes n_classes"]:
    """How alike a network finds two classes: the cosine of their weights in its last layer, common part removed.

    1 = the same, 0 or below = unrelated *for this network*. Take one that is not on trial.
    """
    weight = judge.classifier[-1].weight.detach()
    weight = weight - weight.mean(dim=0)
    weight = weight / weight.norm(dim=1, keepdim=True)
    return weight @ weight.T


def two_meanings(
    choosing: Float[Tensor, "unit n_classes"],
    judging: Float[Tensor, "unit n_classes"],
    related: Float[Tensor, "n_classes n_classes"],
) -> TwoMeanings:
    """Each unit's best class, and the best class that is unrelated to it (``related`` below 0).

    ``choosing`` and ``judging``: `scores` on two halves of the photographs. That two classes are unrelated to a judge
    does not prove that the unit has two meanings: both may share something simple, such as a colour.
    """
    first = choosing.argmax(dim=1)
    second = choosing.masked_fill(related[first] >= 0, -torch.inf).argmax(dim=1)
    units = torch.arange(len(first))
    return TwoMeanings(first, second, judging[units, first], judging[units, second])


def recorded(name: str) -> dict[str, Float[Tensor, "unit n_classes"]]:
    """The class scores that the units of fc7 of a shipped network reached on its validation photographs.

    ``trained``, ``untrained`` (its twin) and ``mixed`` (random directions of the trained fc7), each on two halves of
    the photographs (``… half 0``, ``… half 1``); ``trained half 1 grey``: the second half without its colours. Made by
    `mi_course.recipes.class_scores`.
    """
    from safetensors.torch import load_file

    path = pretrained.WEIGHTS / name / FILE
    pretrained.verify(path, pretrained.card(name)["files"][FILE]["sha256"])
    return {key: value.float() for key, value in load_file(path).items()}
