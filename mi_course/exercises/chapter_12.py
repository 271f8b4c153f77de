# ruff: noqa: N803 (matrices are upper case in the formulas)
"""Exercises of chapter 12: more features than dimensions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_course.exercises.attempt import Attempt
from mi_course.exercises.examples import random_numbers
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_dtype, expect_shape, expect_type


def _reconstruct(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return (x @ W @ W.T + b).relu()


def _check_reconstruct(attempt: Attempt) -> str:
    x, W, b = _amounts(6, 4, seed=0), random_numbers(4, 2, seed=1), random_numbers(4, seed=2)
    on = "6 examples of 4 features, 2 hidden dimensions"
    got, want = attempt(x, W, b), _reconstruct(x, W, b)
    if isinstance(got, Tensor) and tuple(got.shape) == (6, 2):
        raise Wrong(f"On {on}: yours are the hidden vectors. Read the features off them again, with `W.T`.")
    expect_shape(got, (6, 4), what="Your reconstruction", on=on)
    slips = {
        x @ W @ W.T + b: "the ReLU is missing: yours has numbers below 0, and no amount of a feature is.",
        x @ W @ W.T: "the bias and the ReLU are missing.",
        (x @ W @ W.T).relu(): "the bias is missing.",
        (x @ W @ W.T).relu() + b: "you added the bias behind the ReLU. It decides what the ReLU cuts off, so it must "
        "come before.",
        ((x @ W).relu() @ W.T + b).relu(): "you put a ReLU on the hidden vectors too. They may point anywhere; only "
        "the output has a ReLU.",
    }  # fmt: skip
    _name_the_slip(got, slips, on)
    expect_close(got, want, what="Your reconstruction", on=on)
    return "Squeezed into the hidden dimensions, and read off along the same directions."


def _loss(x: Tensor, reconstruction: Tensor, importance: Tensor) -> Tensor:
    return ((x - reconstruction).square() * importance).sum(dim=-1).mean()


def _check_loss(attempt: Attempt) -> str:
    x, back = _amounts(8, 3, seed=3), _amounts(8, 3, seed=4)
    importance = torch.tensor([1.0, 0.5, 0.1])
    on = "8 examples of 3 features, with importances 1, 0.5 and 0.1"
    got, want = attempt(x, back, importance), _loss(x, back, importance)
    squares = (x - back).square()
    if isinstance(got, Tensor) and tuple(got.shape) == (8,):
        raise Wrong(f"On {on}: yours has one number an example. Average them.")
    if isinstance(got, Tensor) and tuple(got.shape) == (3,):
        raise Wrong(f"On {on}: yours has one number a feature. Add them up: the loss is one number.")
    got = _number(got, what="Your loss", on=on)
    slips = {
        (squares * importance).mean(): "you averaged over features too. A feature that is added should add its error: "
        "sum over features, average over examples.",
        (squares * importance).sum(): "you summed over examples. A larger batch would then look worse: average them.",
        squares.sum(dim=-1).mean(): "you left out the importance.",
        ((x - back).abs() * importance).sum(dim=-1).mean(): "these are absolute errors. Square them.",
        ((x - back) * importance).square().sum(dim=-1).mean(): "you squared the importance as well. Square the error "
        "first, then weigh it.",
        ((x - back) * importance).sum(dim=-1).mean(): "errors of both signs cancel in yours. Square them.",
    }  # fmt: skip
    _name_the_slip(got, slips, on)
    expect_close(got, want, what="Your loss", on=on)
    return "0 only where every feature that matters comes back as it was."


def _dimensionality(W: Tensor) -> Tensor:
    unit = W / W.norm(dim=-1, keepdim=True)
    return W.square().sum(dim=-1) / (unit @ W.T).square().sum(dim=-1)


def _check_dimensionality(attempt: Attempt) -> str:
    W = torch.tensor([[1.2, 0.0, 0.0], [-0.8, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.6, 0.8], [0.0, 0.0, 0.5]])
    on = "5 features in 3 dimensions, of different lengths"
    got, want = attempt(W), _dimensionality(W)
    if isinstance(got, Tensor) and tuple(got.shape) == (5, 5):
        raise Wrong(f"On {on}: yours has a number for each pair. Below the line, sum over all features j.")
    expect_shape(got, (5,), what="Your dimensionalities", on=on)
    squares, length = (W @ W.T).square(), W.square().sum(dim=-1)
    unit = W / W.norm(dim=-1, keepdim=True)
    heard = (unit @ W.T).square()
    slips = {
        length / squares.sum(dim=-1): "below the line, the direction of feature i must have length 1: ŵ, not w.",
        length / (unit @ unit.T).square().sum(dim=-1): "you brought both directions to length 1. Only that of feature "
        "i, along which one listens; the others are as loud as they are.",
        length / (unit @ W.T).sum(dim=-1).square(): "square every product before you sum: in yours, directions that "
        "point opposite ways cancel.",
        length / (unit @ W.T).abs().sum(dim=-1): "the products below the line are squared, too.",
        W.norm(dim=-1) / heard.sum(dim=-1): "above the line stands the *squared* length.",
        length / heard.sum(dim=0): "you summed over the one who listens. Sum over the ones who are heard: `dim=-1`.",
        1 / heard.sum(dim=-1): "above the line stands the squared length of the feature itself.",
    }  # fmt: skip
    _name_the_slip(got, slips, on)
    without = length / (heard.sum(dim=-1) - length)
    if torch.allclose(got.nan_to_num(posinf=-1.0), without.nan_to_num(posinf=-1.0), atol=1e-5):
        raise Wrong(
            f"On {on}: you left the feature itself out of the sum. It counts: then a feature alone has D = 1."
        )
    expect_close(got, want, what="Your dimensionalities", on=on)
    alone, pair = attempt(2 * torch.eye(3)), attempt(torch.tensor([[1.5], [-1.5]]))
    expect_close(alone, torch.ones(3), what="Your dimensionalities", on="three features at right angles")
    expect_close(pair, torch.full((2,), 0.5), what="Your dimensionalities", on="an antipodal pair")
    return "1 for a dimension of one's own, 1/2 in a pair, and the size does not matter."


def _cost_of_sharing(density: float, importance: float) -> float:
    return (1 + importance) * density**2 / 6


def _check_cost_of_sharing(attempt: Attempt) -> str:
    for p, r in ((0.3, 0.7), (0.8, 0.2), (1.0, 0.6)):
        got, want = attempt(p, r), _cost_of_sharing(p, r)
        on = f"density {p:g}, importance {r:g}"
        got = float(_number(got, what="Your cost", on=on))
        slips = {
            (1 + r) * p / 6: "something is lost only where *both* are there. In which share of the examples is that?",
            (1 + r) * p * (1 - p) / 6: "that is the share of examples in which *one* is there. Then nothing is lost.",
            2 * p**2 / 6: "the second feature's error counts `importance` times, not once.",
            r * p**2 / 6: "the first feature loses too, and its error counts once: 1 + importance.",
            p**2 / 6: "both features lose: the error of the first counts once, that of the second `importance` times.",
            (1 + r) * p**2 / 3: "1/3 is the mean square of *one* uniform number. What is missing is the smaller of "
            "two.",
            (1 + r) * p**2 / 9: "1/9 is the square of the mean of the smaller one. Asked is the mean of its square.",
            (1 + r) * p**2 / 2: "1/2 is the mean square of the *larger* of two uniform numbers. What is missing is "
            "the smaller.",
            (1 + r) / 6: "that is the cost where both are there. In which share of the examples are they?",
        }  # fmt: skip
        for slip, words in slips.items():
            if abs(got - slip) < 1e-6 and abs(slip - want) > 1e-6:
                raise Wrong(f"On {on}: {words}")
        expect_close(got, want, what="Your cost", on=on)
    return "It falls with the *square* of the density: rare features rarely meet."


def _boundary(importance: Tensor) -> Tensor:
    return 4 * importance / (2 + 5 * importance)


def _check_boundary(attempt: Attempt) -> str:
    r = torch.tensor([0.1, 0.4, 1.0])
    on = "importances 0.1, 0.4 and 1"
    got = attempt(r)
    expect_shape(got, (3,), what="Your densities", on=on)
    slips = {
        2 * r / (1 + r): "you forgot that a bias can say the mean of the feature that is given up. Giving up costs "
        "r (p/3 − p²/4).",
        4 * r / (2 + 2 * r): "you forgot that a bias can say the mean of the feature that is given up. Giving up "
        "costs r (p/3 − p²/4).",
        (2 + 5 * r) / (4 * r): "that is its reciprocal.",
        4 * r / (2 - r): "a sign has slipped: the terms with p² are on different sides at first. 2 r p − 3/2 r p² = "
        "(1 + r) p².",
        4 / (2 + 5 * r): "giving up costs r *times* (p/3 − p²/4): the r is missing above the line.",
    }  # fmt: skip
    _name_the_slip(got, slips, on)
    want = _boundary(r)
    ignored, shared = r * (got / 3 - got.square() / 4), (1 + r) * got.square() / 6
    if not torch.allclose(ignored, shared, atol=1e-5):
        raise Wrong(
            f"On importance {r[1]:g}: at your density, {float(got[1]):.3f}, giving up costs {float(ignored[1]):.4f} "
            f"and sharing {float(shared[1]):.4f}. Asked is the density where both cost the same."
        )
    if (got.abs() < 1e-6).any():
        raise Wrong(
            f"On {on}: at density 0 both cost nothing, that is true but no border. Divide by p first."
        )
    expect_close(got, want, what="Your densities", on=on)
    return "Below this density two features on one line are cheaper than one alone."


def _purity(W: Tensor) -> Tensor:
    return W.square().amax(dim=0) / W.square().sum(dim=0)


def _check_purity(attempt: Attempt) -> str:
    W = torch.tensor([[1.0, 0.5, -1.0], [0.0, 0.5, 2.0], [0.0, 0.5, 0.0], [0.0, 0.5, 0.0]])
    on = "4 features, 3 neurons"
    got, want = attempt(W), _purity(W)
    if isinstance(got, Tensor) and tuple(got.shape) == (4,):
        raise Wrong(
            f"On {on}: yours has one number a feature. A neuron is a column of W; go along the features, `dim=0`."
        )
    expect_shape(got, (3,), what="Your purities", on=on)
    slips = {
        W.amax(dim=0) / W.sum(dim=0): "square the weights: as they are, weights of both signs cancel.",
        W.abs().amax(dim=0) / W.abs().sum(dim=0): "take the squared weights, not their sizes.",
        W.square().amax(dim=0): "divide by the sum of the neuron's squared weights.",
        W.square().amax(dim=0) / W.square().sum(): "divide by the sum over *this* neuron's weights, not over all.",
        W.abs().amax(dim=0) / W.norm(dim=0): "that is the root of it. Squared weights above and below the line.",
        W.square().mean(dim=0) / W.square().sum(dim=0): "above the line stands the *largest* square, not the mean.",
    }  # fmt: skip
    _name_the_slip(got, slips, on)
    expect_close(got, want, what="Your purities", on=on)
    return "1: one meaning. 1/4: four features, all alike."


def _number(got: Any, *, what: str, on: str) -> Tensor:
    """The answer as a tensor without axes; `Wrong` if it is no single number."""
    expect_type(got, (float, int, Tensor), what=what)
    got = got if isinstance(got, Tensor) else torch.tensor(float(got))
    expect_shape(got, (), what=what, on=on)
    expect_dtype(got, "float", what=what, on=on)
    return got


def _name_the_slip(got: Tensor, slips: dict[Tensor, str], on: str) -> None:
    for slip, words in slips.items():
        if torch.allclose(got.to(slip.dtype), slip, atol=1e-5):
            raise Wrong(f"On {on}: {words}")


def _amounts(*shape: int, seed: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


EXERCISES = (
    Exercise(
        id="12.reconstruct",
        title="Squeeze and read off",
        difficulty=1,
        minutes=4,
        hints=(
            "Row i of W is the direction of feature i. Examples are rows too, so `x @ W` adds the directions up, each "
            "as often as there is of its feature.",
            "To read the features off again, multiply each hidden vector with all directions: `h @ W.T`. Then the "
            "bias, then `.relu()`.",
        ),
        reference=_reconstruct,
        check=_check_reconstruct,
    ),
    Exercise(
        id="12.loss",
        title="What an error costs",
        difficulty=1,
        minutes=3,
        hints=(
            "One squared error for every example and feature. Weigh, sum over one axis, average over the other.",
            "`((x - reconstruction).square() * importance)`, then `.sum(dim=-1)` over features and `.mean()` over "
            "examples.",
        ),
        reference=_loss,
        check=_check_loss,
    ),
    Exercise(
        id="12.dimensionality",
        title="A share of a dimension",
        difficulty=2,
        minutes=8,
        hints=(
            "Bring every direction to length 1: `unit = W / W.norm(dim=-1, keepdim=True)`. What are the entries of "
            "`unit @ W.T`?",
            "Row i, column j of `unit @ W.T` is ŵ_i · w_j: square, and sum over j. Above the line stands "
            "`W.square().sum(dim=-1)`.",
        ),
        reference=_dimensionality,
        check=_check_dimensionality,
    ),
    Exercise(
        id="12.cost_of_sharing",
        title="What sharing costs",
        difficulty=3,
        minutes=10,
        hints=(
            "Go through the cases: none is there, only the first, only the second, both. In which of them does "
            "anything come back wrong? How often is that?",
            "With both there, x̂₁ = ReLU(x₁ − x₂). If x₁ is the larger, x₂ is missing from it; and x̂₂ = 0, so that x₂ "
            "is missing there too. In both places the *smaller* of the two is missing.",
            "The smaller of two uniform numbers is above t with probability (1 − t)². Its mean square is the integral "
            "of 2t (1 − t)² from 0 to 1, which is 1/6.",
        ),
        reference=_cost_of_sharing,
        check=_check_cost_of_sharing,
    ),
    Exercise(
        id="12.boundary",
        title="Where sharing begins to pay",
        difficulty=2,
        minutes=5,
        hints=(
            "Set both costs equal: (1 + r) p²/6 = r (p/3 − p²/4). p = 0 solves it, but nobody cares; divide by p.",
            "Times 12: 2 (1 + r) p = 4 r − 3 r p. Bring p to one side.",
        ),
        reference=_boundary,
        check=_check_boundary,
    ),
    Exercise(
        id="12.purity",
        title="How many meanings has a neuron?",
        difficulty=1,
        minutes=4,
        hints=(
            "A neuron is a column of W: its weights from all features. Square them.",
            "`.amax(dim=0)` is the largest along the features, `.sum(dim=0)` their sum.",
        ),
        reference=_purity,
        check=_check_purity,
    ),
)
