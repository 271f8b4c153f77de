"""Exercises of chapter 09: automated circuit discovery."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mi_course.exercises.attempt import Attempt
from mi_course.exercises.examples import random_numbers
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_shape, expect_type, refuse_slips

Score = Callable[[set], float]
OfMask = Callable[[Tensor], Tensor]


def _reads(current: Tensor, reference: Tensor, mask: Tensor) -> Tensor:
    share = mask[:, None, None, None]
    return (share * current + (1 - share) * reference).sum(dim=0)


def _check_reads(attempt: Attempt) -> str:
    current, reference = random_numbers(3, 2, 4, 5, seed=1), random_numbers(3, 2, 4, 5, seed=2)
    mask = torch.tensor([1.0, 0.0, 1.0])
    on = "three senders, of which the middle one is cut off"
    got, want = attempt(current, reference, mask), _reads(current, reference, mask)
    if isinstance(got, Tensor) and tuple(got.shape) == (3, 2, 4, 5):
        raise Wrong(
            f"On {on}: yours still has an axis of senders. A receiver reads one vector a position: their sum."
        )
    expect_shape(got, (2, 4, 5), what="What the receiver reads", on=on)
    slips = {
        _reads(
            current, reference, 1 - mask
        ): "you have it the wrong way round. A mask of 1 means that the edge is "
        "there and carries what the sender writes now; 0 means that it carries the reference.",
        (mask[:, None, None, None] * current).sum(
            0
        ): "the edge that was cut carries nothing. It should carry what "
        "its sender wrote on the *reference*: add (1 − mask) · reference.",
        want / 3: "you took the mean over the senders. The residual stream is their sum.",
    }
    _refuse(got, slips, on)
    expect_close(got, want, what="What the receiver reads", on=on)
    half = torch.tensor([0.5, 0.25, 1.0])
    expect_close(
        attempt(current, reference, half),
        _reads(current, reference, half),
        what="What the receiver reads",
        on="a mask of 0.5, 0.25 and 1, of which 0.5 is half of each",
    )
    return "Every sender is heard, as it is now or as it was on the reference."


def _acdc(edges: list, score: Score, threshold: float) -> set:
    kept = set(edges)
    best = score(kept)
    for edge in reversed(edges):
        without = score(kept - {edge})
        if best - without < threshold:
            kept, best = kept - {edge}, without
    return kept


def _check_acdc(attempt: Attempt) -> str:
    edges = ["a", "b", "c", "d"]

    def both(kept: set) -> float:
        return 1.0 if {"a", "c"} <= kept else 0.0

    def either(kept: set) -> float:
        return 1.0 if kept & {"b", "c"} else 0.0

    def little_by_little(kept: set) -> float:
        return 0.3 * len(kept)

    def hurts(kept: set) -> float:
        return 1.0 * ("a" in kept) - 1.0 * ("d" in kept)

    def kept_by(score: Score, threshold: float, on: str) -> set:
        got = attempt(edges, score, threshold)
        expect_type(got, (set, frozenset, list, tuple), what="Your circuit")
        strange = [edge for edge in got if edge not in edges]
        if strange:
            raise Wrong(f"On {on}: your circuit has {strange[0]!r} in it, which was not among the edges.")
        return set(got)

    on = "a model that needs the edges a and c, and has b and d besides"
    got = kept_by(both, 0.5, on)
    if got == {"b", "d"}:
        raise Wrong(f"On {on}: you returned the edges that were *removed*. Return those that are left.")
    if got == set(edges):
        raise Wrong(
            f"On {on}: nothing was removed. An edge goes if the score falls by *less* than the threshold without it."
        )
    if got != {"a", "c"}:
        raise Wrong(
            f"On {on}, threshold=0.5: you kept {_names(got)}. Without a or without c the score falls from 1 to 0, "
            "without b or d it does not fall: a and c should be left."
        )
    on = "a model to which either b or c is enough"
    got = kept_by(either, 0.5, on)
    if not got:
        raise Wrong(
            f"On {on}: you removed both. Each can go as long as the other is there, so every test must be made in the "
            "circuit *as it is by now*, without what has been removed before."
        )
    if got == {"c"}:
        raise Wrong(
            f"On {on}: you kept c, so you began at the first edge. Begin at the *last* one, next to the logits: c is "
            "tested first and goes, then b must stay."
        )
    if got != {"b"}:
        raise Wrong(f"On {on}, threshold=0.5: you kept {_names(got)}; expected b alone.")
    on = "a model in which every edge is worth 0.3"
    got = kept_by(little_by_little, 0.5, on)
    if got:
        raise Wrong(
            f"On {on}, threshold=0.5: you kept {_names(got)}, probably because you compare with the *whole model*. "
            "Compare with the circuit before this edge: each single one costs less than 0.5, so all of them go. (Yes, "
            "that is a weakness.)"
        )
    on = "a model to which d does harm"
    got = kept_by(hurts, 0.5, on)
    if "d" in got:
        raise Wrong(
            f"On {on}: without d the score *rises* by 1, and you kept it. Only a fall counts, not a change: no `abs`."
        )
    if got != {"a"}:
        raise Wrong(f"On {on}, threshold=0.5: you kept {_names(got)}; expected a alone.")
    return "It finds what is needed, one of two that can stand in for each other, and loses what is worth little."


def _eap(metric: OfMask, mask: Tensor) -> Tensor:
    mask = mask.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(metric(mask), mask)
    return gradient


def _straight(mask: Tensor) -> Tensor:
    weights = torch.tensor([[2.0, -1.0, 0.0], [0.5, 3.0, 1.0]])
    return (weights * mask).sum() + 7.0


def _curved(mask: Tensor) -> Tensor:
    return mask[0, 0] ** 3 + mask[0, 1] * mask[1, 2] + 2 * mask[1, 0]


def _check_eap(attempt: Attempt) -> str:
    mask = torch.ones(2, 3)
    on = "a metric that is a sum, 2·m₀₀ − m₀₁ + 0.5·m₁₀ + 3·m₁₁ + m₁₂ + 7"
    got, want = attempt(_straight, mask), _eap(_straight, mask)
    expect_shape(got, (2, 3), what="Your estimates", on=on)
    if torch.allclose(got.detach(), -want, atol=1e-5):
        raise Wrong(
            f"On {on}: all signs are turned. Without m₀₀, which is worth 2, the metric *falls* by 2: that should be "
            "+2, the gradient itself."
        )
    expect_close(got.detach(), want, what="Your estimates", on=on)
    on = "a curved metric, m₀₀³ + m₀₁·m₁₂ + 2·m₁₀, at a mask of ones"
    got, want = attempt(_curved, mask), _eap(_curved, mask)
    if torch.allclose(got.detach(), _one_by_one(_curved, mask), atol=1e-4):
        raise Wrong(
            f"On {on}: you removed the edges one by one. That is the exact effect, at one run an edge. Here the "
            "gradient is asked for: one run forwards and one backwards for all edges together."
        )
    if torch.allclose(got.detach(), _eap(_curved, torch.zeros(2, 3)), atol=1e-4):
        raise Wrong(
            f"On {on}: you took the gradient at a mask of zeros. Take it where the model is, at `mask`."
        )
    expect_close(got.detach(), want, what="Your estimates", on=on, detached=False)
    if got.requires_grad:
        raise Wrong("Your estimates still carry the history of their computation: end with `.detach()`.")
    return "All edges at once. On a curved metric the straight line is wrong: at m₀₀ it says 3, and the fall is 1."


def _eap_ig(metric: OfMask, mask: Tensor, steps: int) -> Tensor:
    return torch.stack([_eap(metric, (k - 0.5) / steps * mask) for k in range(1, steps + 1)]).mean(dim=0)


def _check_eap_ig(attempt: Attempt) -> str:
    mask = torch.ones(2, 3)
    on = "a curved metric, m₀₀³ + m₀₁·m₁₂ + 2·m₁₀, in 4 steps"
    got, want = attempt(_curved, mask, 4), _eap_ig(_curved, mask, 4)
    expect_shape(got, (2, 3), what="Your estimates", on=on)
    if isinstance(got, Tensor) and got.requires_grad:
        raise Wrong("Your estimates still carry the history of their computation: end with `.detach()`.")
    ends = torch.stack([_eap(_curved, k / 4 * mask) for k in range(1, 5)]).mean(dim=0)
    starts = torch.stack([_eap(_curved, k / 4 * mask) for k in range(4)]).mean(dim=0)
    slips = {
        _eap(
            _curved, mask
        ): "that is the gradient at the whole model alone. Go along the way: at masks of 1/8, 3/8, "
        "5/8 and 7/8 of it.",
        4 * want: "you have the sum over the steps. Take their mean.",
        ends: "you took the end of each step (1/4, 2/4, 3/4, 1). Take the middle: 1/8, 3/8, 5/8, 7/8. With so few "
        "steps it is far more exact.",
        starts: "you took the beginning of each step (0, 1/4, 2/4, 3/4). Take the middle: 1/8, 3/8, 5/8, 7/8.",
        _eap(_curved, mask / 2): "you took one gradient, in the middle of the way. Take one in each step.",
    }
    _refuse(got, slips, on)
    expect_close(got, want, what="Your estimates", on=on)
    many = attempt(_curved, mask, 50)
    expect_close(many, _eap_ig(_curved, mask, 50), what="Your estimates", on="the same in 50 steps")
    expect_close(
        attempt(_curved, 0.5 * mask, 4),
        _eap_ig(_curved, 0.5 * mask, 4),
        what="Your estimates",
        on="a way that begins at a mask of 0.5",
    )
    return "Added up they make the whole fall: 1 + 1 + 2. No gradient at one place can promise that."


def _auc(scores: Tensor, truth: Tensor) -> float:
    true, false = scores[truth][:, None], scores[~truth][None]
    return float(((true > false).double() + 0.5 * (true == false)).mean())


def _check_auc(attempt: Attempt) -> str:
    scores = torch.tensor([0.9, 0.1, 0.8, 0.3, 0.2])
    truth = torch.tensor([True, False, False, True, False])
    on = "scores 0.9, 0.1, 0.8, 0.3, 0.2, of which the first and fourth are of true edges"
    got, want = attempt(scores, truth), _auc(scores, truth)
    if isinstance(got, Tensor) and got.numel() == 1:
        got = float(got)
    expect_type(got, (int, float), what="Your area")
    if abs(got - (1 - want)) < 1e-4:
        raise Wrong(f"On {on}: yours is {got:.3g}, the share of pairs in which the *false* edge is ahead.")
    if abs(got - want * 6) < 1e-4:
        raise Wrong(f"On {on}: yours is {got:.3g}, a number of pairs. Divide by how many there are: 2 · 3.")
    expect_close(got, want, what="Your area", on=on, atol=1e-4)
    ties = torch.zeros(5)
    got = attempt(ties, truth)
    got = float(got) if isinstance(got, Tensor) else got
    if abs(got - 0.5) > 1e-4:
        raise Wrong(
            f"On scores that are all equal: yours is {got:.3g}, expected 0.5. A pair with equal scores is worth half: "
            "whoever knows nothing should get one half, and neither nothing nor everything."
        )
    many = random_numbers(300, seed=3)
    labels = random_numbers(300, seed=4) + many > 1
    expect_close(
        float(attempt(many, labels)), _auc(many, labels), what="Your area", on="300 random scores", atol=1e-4
    )
    return "1: every true edge is ahead of every false one. 0.5: the scores know nothing."


def _one_by_one(metric: OfMask, mask: Tensor) -> Tensor:
    """What the metric falls by without each entry of the mask."""
    falls = torch.zeros_like(mask)
    for place in torch.cartesian_prod(*map(torch.arange, mask.shape)).tolist():
        without = mask.clone()
        without[tuple(place)] = 0
        falls[tuple(place)] = metric(mask) - metric(without)
    return falls


def _refuse(got: Tensor, slips: dict[Tensor, str], on: str) -> None:
    refuse_slips(got, slips, on=on)


def _names(kept: set) -> str:
    return ", ".join(sorted(kept)) or "none"


EXERCISES = (
    Exercise(
        id="09.reads",
        title="What does a receiver read?",
        difficulty=1,
        minutes=8,
        hints=(
            "Take one sender first. If its edge is there, the receiver hears `current`, otherwise `reference`. What "
            "do you multiply each with?",
            '`mask` has one number a sender. `mask[:, None, None, None]` fits it to "sender batch pos d_model".',
            "`(share * current + (1 - share) * reference)`, summed over the senders.",
        ),
        reference=_reads,
        check=_check_reads,
    ),
    Exercise(
        id="09.acdc",
        title="Prune a circuit",
        difficulty=3,
        minutes=20,
        hints=(
            "Begin with all edges and remember their score. Go through `reversed(edges)`. For each edge ask for the "
            "score of what is left now, without this edge.",
            "`kept - {edge}` is the set without it. If `best - score(kept - {edge})` is under the threshold, the edge "
            "goes, and the new set and its score are those to compare with from now on.",
            "for edge in reversed(edges): without = score(kept - {edge}); if best - without < threshold: "
            "kept, best = kept - {edge}, without",
        ),
        reference=_acdc,
        check=_check_acdc,
    ),
    Exercise(
        id="09.eap",
        title="All edges in one go",
        difficulty=2,
        minutes=10,
        hints=(
            "How fast does the metric change if the mask of an edge changes a little? That is a gradient. If the "
            "metric were a straight line, it would fall by just that on the way from 1 to 0.",
            "`mask = mask.clone().requires_grad_()`, then run the metric on it.",
            "`torch.autograd.grad(metric(mask), mask)[0]` has the shape of the mask.",
        ),
        reference=_eap,
        check=_check_eap,
    ),
    Exercise(
        id="09.auc",
        title="How good is a ranking?",
        difficulty=2,
        minutes=10,
        hints=(
            "Make all pairs of a true and a false edge. In which share of them has the true one the higher score?",
            "`scores[truth][:, None] > scores[~truth][None]` compares every true edge with every false one.",
            "Count a tie as one half: add `0.5 * (… == …)`, and take the mean over all pairs.",
        ),
        reference=_auc,
        check=_check_auc,
    ),
    Exercise(
        id="09.eap_ig",
        title="Ask along the way",
        difficulty=2,
        minutes=10,
        hints=(
            "Cut the way from a mask of 0 to the mask into `steps` pieces. Where is the middle of piece k?",
            "At `(k - 0.5) / steps` times the mask, for k from 1 to `steps`. You have `eap` for each of them.",
            "`torch.stack([eap(metric, (k - 0.5) / steps * mask) for k in range(1, steps + 1)]).mean(dim=0)`",
        ),
        reference=_eap_ig,
        check=_check_eap_ig,
    ),
)
