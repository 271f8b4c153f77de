"""Exercises of chapter 02: what does a neuron want to see?"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mi_course.exercises.attempt import Attempt
from mi_course.exercises.examples import random_numbers
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_shape, expect_type
from mi_course.methods import best_channel


def _channel_score(activation: Tensor, channels: list[int]) -> Tensor:
    return activation[torch.arange(len(channels)), channels].mean(dim=(1, 2))


def _check_channel_score(attempt: Attempt) -> str:
    activation, channels = random_numbers(4, 6, 5, 7), [2, 5, 2, 0]
    on = "4 images, 6 channels, a 5 × 7 map, and the channels [2, 5, 2, 0]"
    got, want = attempt(activation, channels), _channel_score(activation, channels)
    if isinstance(got, Tensor) and got.shape == (4, 4):
        raise Wrong(
            f"On {on}: you gave 4 × 4 numbers, each channel on every image. Image i has one channel, `channels[i]`: "
            "index images and channels together, `activation[torch.arange(4), channels]`."
        )
    if isinstance(got, Tensor) and got.ndim == 0:
        raise Wrong(
            f"On {on}: you gave one number for the whole batch. Give one an image, or nobody can tell which "
            "image has come how far."
        )
    expect_shape(got, (4,), what="Your score", on=on)
    chosen = activation[torch.arange(4), channels]
    if torch.allclose(got, chosen.sum(dim=(1, 2)), atol=1e-4):
        raise Wrong(f"On {on}: you added up the places; take their mean, or a larger picture always wins.")
    if torch.allclose(got, chosen.amax(dim=(1, 2)), atol=1e-4):
        raise Wrong(
            f"On {on}: you took the strongest place. Then the gradient reaches one place only; asked is the "
            "mean over all."
        )
    if torch.allclose(got, chosen[:, 2, 3], atol=1e-4):
        raise Wrong(
            f"On {on}: that is the middle place alone (a *neuron*). A *channel* is the same neuron at every "
            "place: take the mean."
        )
    if torch.allclose(got, -want, atol=1e-4):
        raise Wrong(f"On {on}: the sign is turned. We go uphill, so larger must mean more activation.")
    if torch.allclose(got, chosen.relu().mean(dim=(1, 2)), atol=1e-4):
        raise Wrong(
            f"On {on}: you cut off what is below zero. There the gradient is zero too, and a silent unit "
            "never wakes up."
        )
    expect_close(got, want, what="Your score", on=on)
    return "One number an image, each for its own channel: many questions can be asked in one batch."


def _waves_to_image(coefficients: Tensor) -> Tensor:
    side = coefficients.shape[-3]
    frequency = torch.hypot(torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None])
    scaled = torch.view_as_complex(coefficients) / frequency.clamp_min(1 / side)
    return torch.fft.irfft2(scaled, s=(side, side), norm="ortho")


def _check_waves_to_image(attempt: Attempt) -> str:
    for side in (8, 16):
        coefficients = random_numbers(3, side, side // 2 + 1, 2)
        on = f"random waves for a {side} × {side} image"
        got, want = attempt(coefficients), _waves_to_image(coefficients)
        if isinstance(got, Tensor) and got.is_complex():
            raise Wrong(f"On {on}: your image is complex. `torch.fft.irfft2` gives real pixels.")
        if isinstance(got, Tensor) and not got.isfinite().all():
            raise Wrong(
                f"On {on}: your image holds infinity or nan. The frequency of the constant is 0, and you "
                "divided by it: "
                "`clamp_min(1 / side)` first."
            )
        expect_shape(got, (3, side, side), what="Your image", on=on)
        waves = torch.view_as_complex(coefficients)
        frequency = torch.hypot(torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None])
        low = frequency.clamp_min(1 / side)
        for scaled, words in (
            (
                waves,
                "all waves are equally strong, so this is white noise. Divide each by its frequency, as in "
                "photographs.",
            ),
            (waves * low, "you multiplied by the frequency: the finest waves win. Divide."),
            (
                waves / low.square(),
                "you divided twice by the frequency (its square). Amplitudes in photographs fall as 1/f.",
            ),
        ):
            if torch.allclose(got, torch.fft.irfft2(scaled, s=(side, side), norm="ortho"), atol=1e-4):
                raise Wrong(f"On {on}: {words}")
        if torch.allclose(got * side, want, rtol=1e-3, atol=1e-4):
            raise Wrong(
                f'On {on}: right, but {side} times too faint: without `norm="ortho"`, irfft2 divides by side².'
            )
        expect_close(got, want, what="Your image", on=on)
    return "Equal steps in your waves are large steps in coarse shapes and small ones in fine detail."


def _share_kept(score: Callable[[Tensor], Tensor], image: Tensor, shifts: list[tuple[int, int]]) -> float:
    moved = torch.stack([torch.roll(image, shift, dims=(1, 2)) for shift in shifts])
    return float(score(moved).mean() / score(image[None])[0])


def _check_share_kept(attempt: Attempt) -> str:
    image, weight = (
        random_numbers(3, 12, 12).abs(),
        random_numbers(3, 12, 12).abs() + torch.arange(12.0)[:, None] ** 2,
    )

    def score(images: Tensor) -> Tensor:
        return (images * weight).flatten(1).sum(dim=1)

    for shifts in ([(0, 0)], [(1, 0), (-1, 0), (0, 3)], [(2, -1), (4, 0), (0, 0), (-3, 2)]):
        on = f"a 12 × 12 image and the shifts {shifts}"
        got, want = attempt(score, image, shifts), _share_kept(score, image, shifts)
        if isinstance(got, Tensor) and got.numel() == 1:
            got = float(got)
        expect_type(got, (int, float), what="Your share")
        values = score(torch.stack([torch.roll(image, shift, dims=(1, 2)) for shift in shifts]))
        still = float(score(image[None])[0])
        if abs(got - float(values.mean())) < 1e-3 * abs(still):
            raise Wrong(
                f"On {on}: that is the mean score itself. Divide by the score of the image that stands still."
            )
        if len(shifts) > 1 and abs(got - float(values.min()) / still) < 1e-4:
            raise Wrong(f"On {on}: you took the worst view. Asked is the mean over the views.")
        mixed = float(
            score(torch.stack([torch.roll(image, s, dims=(1, 2)) for s in shifts]).mean(0)[None])[0]
        )
        if len(shifts) > 1 and abs(got - mixed / still) < 1e-6 and abs(mixed / still - want) > 1e-5:
            raise Wrong(
                f"On {on}: you averaged the shifted images and scored the blur. Score each, then average."
            )
        swapped = _share_kept(score, image, [(right, down) for down, right in shifts])
        if abs(got - swapped) < 1e-5 and abs(swapped - want) > 1e-4:
            raise Wrong(
                f"On {on}: rows and columns are exchanged: a shift is (down, right), and rows are axis 1."
            )
        if abs(got - want) > 1e-4 and abs(got - 1 / want) < 1e-4:
            raise Wrong(f"On {on}: your fraction is upside down: moved above, still below.")
        expect_close(got, want, what="Your share", on=on)
    return "1 means that nothing is lost when the picture moves, 0 that everything is."


def _auc(ours: Tensor, others: Tensor) -> float:
    return float(best_channel.auc(ours, others))


def _check_auc(attempt: Attempt) -> str:
    values = random_numbers(30)
    cases = (
        (torch.tensor([3.0, 1.0]), torch.tensor([2.0, 0.0]), "answers 3, 1 against 2, 0"),
        (values[:10], values[10:], "10 answers against 20"),
        (values[:10].relu(), values[10:].relu(), "answers behind a ReLU, many of them exactly 0"),
        (torch.ones(5), torch.ones(7), "a unit that always answers 1"),
    )
    for ours, others, on in cases:
        got, want = attempt(ours, others), _auc(ours, others)
        if isinstance(got, Tensor) and got.numel() == 1:
            got = float(got)
        expect_type(got, (int, float), what="Your AUC")
        strictly = float((ours[:, None] > others[None]).float().mean())
        loosely = float((ours[:, None] >= others[None]).float().mean())
        if abs(got - want) > 1e-5 and (abs(got - strictly) < 1e-5 or abs(got - loosely) < 1e-5):
            raise Wrong(
                f"On {on}: yours is {got:.2f}, expected {want:.2f}. Pairs of equal answers are ties: each "
                "counts one half, "
                "neither as won nor as lost."
            )
        if abs(want - 0.5) > 0.02 and abs(got - (1 - want)) < 1e-5:
            raise Wrong(
                f"On {on}: yours is {got:.2f}, expected {want:.2f}. Count the pairs that *ours* wins."
            )
        if not 0 <= got <= 1:
            raise Wrong(
                f"On {on}: yours is {got:.3g}; a share of pairs lies between 0 and 1. There are {len(ours)} "
                f"× {len(others)}."
            )
        expect_close(got, want, what="Your AUC", on=on)
    return "0.5 for a coin, 1 for a unit that answers more to each of ours than to any other, and ties count half."


def _permutation_p(ours: Tensor, others: Tensor, shuffles: int) -> float:
    generator = torch.Generator().manual_seed(0)
    best, everything = best_channel.auc(ours, others).max(), torch.cat([ours, others])
    as_good = 0
    for _ in range(shuffles):
        mixed = everything[torch.randperm(len(everything), generator=generator)]
        as_good += int(best_channel.auc(mixed[: len(ours)], mixed[len(ours) :]).max() >= best)
    return (1 + as_good) / (1 + shuffles)


def _check_permutation_p(attempt: Attempt) -> str:
    meaningless = random_numbers(20, 200)
    on = "200 units that answer with pure noise to 10 + 10 pictures, 99 shuffles"
    got = _probability(attempt(meaningless[:10], meaningless[10:], 99), on)
    want = _permutation_p(meaningless[:10], meaningless[10:], 99)
    if got < 0.06 and want > 0.2:
        raise Wrong(
            f"On {on}: your p is {got:.2f}, as if something were there. You chose the best unit first and "
            "then asked how it "
            "alone does under shuffled labels. Let *every shuffle* choose its own best of all units, as you did."
        )
    clear = random_numbers(20, 50)
    clear[:10, 7] += 10.0
    on = "50 units, one of which tells all pictures apart, 99 shuffles"
    got = _probability(attempt(clear[:10], clear[10:], 99), on)
    if got == 0:
        raise Wrong(
            f"On {on}: p = 0 claims certainty from 99 tries. The true labels are one of the possible orders: "
            "(1 + number as good) / (1 + number of shuffles)."
        )
    if got > 0.9:
        raise Wrong(
            f"On {on}: your p is {got:.2f}. Count the shuffles that are *at least as good* as the true labels."
        )
    expect_close(got, 0.01, what="Your p", on=on, rtol=0, atol=0.0101, reveal=False)
    noise = [random_numbers(20, 30, seed=seed) for seed in range(1, 25)]
    shares = [_probability(attempt(x[:10], x[10:], 49), "noise, 49 shuffles") for x in noise]
    small = sum(p <= 0.2 for p in shares)
    if small >= 14:
        raise Wrong(
            f"On 24 sets of pure noise: {small} times your p is 0.2 or less; by definition that should "
            "happen about 5 times. "
            "Does every shuffle choose its own best of *all* units?"
        )
    if min(shares) > 0.3:
        raise Wrong(
            "On 24 sets of pure noise your p is never below 0.3; by definition about one in three should be."
        )
    return "On noise your p is small only as often as it should be, and the search for the best unit is paid for."


def _probability(got: object, on: str) -> float:
    if isinstance(got, Tensor) and got.numel() == 1:
        got = float(got)
    expect_type(got, (int, float), what="Your p")
    if not 0 <= got <= 1:
        raise Wrong(f"On {on}: your p is {got:.3g}; a probability lies between 0 and 1.")
    return float(got)


def _saliency(model: nn.Module, image: Tensor, class_index: int) -> Tensor:
    image = image.detach().clone().requires_grad_()
    logit = model(image[None])[0, class_index]
    (gradient,) = torch.autograd.grad(logit, image)
    return gradient.abs().amax(dim=0)


class _Small(nn.Module):
    """A network of which the check knows everything: three colours, 6 × 6 pixels, five classes."""

    def __init__(self):
        super().__init__()
        self.first = nn.Parameter(random_numbers(8, 3 * 36, seed=3))
        self.second = nn.Parameter(random_numbers(5, 8, seed=4))

    def forward(self, images: Tensor) -> Tensor:
        return (images.flatten(1) @ self.first.T).relu() @ self.second.T


def _check_saliency(attempt: Attempt) -> str:
    model, image = _Small(), random_numbers(3, 6, 6, seed=5).abs()
    for class_index in (2, 4):
        on = f"a small network, a 6 × 6 image, class {class_index}"
        got, want = attempt(model, image, class_index), _saliency(model, image, class_index)
        if isinstance(got, Tensor):
            got = got.detach()
        expect_shape(got, (6, 6), what="Your map", on=on)
        moved = image.clone().requires_grad_()
        logits = model(moved[None])[0]
        (signed,) = torch.autograd.grad(logits[class_index], moved, retain_graph=True)
        (of_all,) = torch.autograd.grad(logits.sum(), moved, retain_graph=True)
        (of_share,) = torch.autograd.grad(logits.softmax(0)[class_index], moved)
        for other, words in (
            (signed.amax(0), "you took the largest gradient with its sign: a pixel that must become darker "
            "counts nothing."),
            (signed.sum(0).abs(), "you added up the colours before taking the absolute value: red up and "
            "blue down cancel."),
            (of_all.abs().amax(0), "that is the gradient of all logits together. Choose one: `[0, class_index]`."),
            (of_share.abs().amax(0), "that is the gradient of a probability: it also says what speaks "
            "*against the other* classes. Take the logit."),
            (signed.abs().sum(0), "you added up the colours; we take the largest of the three, as the paper does."),
            (signed.abs().mean(0), "you averaged the colours; we take the largest of the three, as the paper does."),
            ((signed * image).abs().amax(0), "that is gradient times input, another method: a black pixel "
            "can never matter there."),
        ):  # fmt: skip
            if torch.allclose(got, other, rtol=1e-3, atol=1e-6):
                raise Wrong(f"On {on}: {words}")
        expect_close(got, want, what="Your map", on=on)
    return "How much the logit would move if a pixel moved a little: no more, and no less."


EXERCISES = (
    Exercise(
        id="02.channel_score",
        title="Say what you want to see",
        difficulty=1,
        minutes=6,
        hints=(
            "`activation` is (image, channel, row, column). Of image i we want channel `channels[i]` alone.",
            "Two lists of the same length index together: `activation[torch.arange(n), channels]` is "
            "(image, row, column).",
            "Then `.mean(dim=(1, 2))`.",
        ),
        reference=_channel_score,
        check=_check_channel_score,
    ),
    Exercise(
        id="02.waves_to_image",
        title="An image made of waves",
        difficulty=2,
        minutes=12,
        hints=(
            "`torch.fft.fftfreq(side)` are the vertical frequencies of the rows, `torch.fft.rfftfreq(side)` "
            "the horizontal "
            "ones of the columns. The frequency of a wave is the length of that arrow: `torch.hypot`.",
            "`torch.view_as_complex(coefficients)` makes complex numbers of the last axis. Divide them by "
            "the frequency, "
            "which you first keep away from 0 with `.clamp_min(1 / side)`.",
            '`torch.fft.irfft2(scaled, s=(side, side), norm="ortho")`.',
        ),
        reference=_waves_to_image,
        check=_check_waves_to_image,
    ),
    Exercise(
        id="02.share_kept",
        title="What survives a small step aside?",
        difficulty=1,
        minutes=8,
        hints=(
            "`torch.roll(image, (down, right), dims=(1, 2))` shifts an image and lets it come in on the other side.",
            "Stack the shifted images into one batch, score them all, take the mean.",
            "Divide by `score(image[None])[0]`, and make it a plain number with `float`.",
        ),
        reference=_share_kept,
        check=_check_share_kept,
    ),
    Exercise(
        id="02.auc",
        title="How well does a unit tell two kinds apart?",
        difficulty=1,
        minutes=8,
        hints=(
            "Compare each of ours with each of the others. In which share of the pairs is our answer larger?",
            "`ours[:, None] > others[None]` is a table of all pairs.",
            "Add half of `ours[:, None] == others[None]` and take the mean of the table.",
        ),
        reference=_auc,
        check=_check_auc,
    ),
    Exercise(
        id="02.permutation_p",
        title="The best of many: is it better than luck?",
        difficulty=3,
        minutes=15,
        hints=(
            "You did not test one unit, you chose the best of all. Luck must be allowed the same: under "
            "shuffled labels, take "
            "the best of all units again.",
            "`auc(ours, others)` gives one AUC a unit. To shuffle: `everything = torch.cat([ours, others])`, "
            "`mixed = everything[torch.randperm(len(everything))]`, and cut it in two again.",
            "Count the shuffles whose `.max()` is at least as large as that of the true labels, and return "
            "(1 + count) / (1 + shuffles).",
        ),
        reference=_permutation_p,
        check=_check_permutation_p,
    ),
    Exercise(
        id="02.saliency",
        title="Which pixels move the answer?",
        difficulty=2,
        minutes=8,
        hints=(
            "The gradient of one logit with respect to the *image* says how much each pixel would move it.",
            "`image = image.clone().requires_grad_()`, then the logit of the class, then "
            "`(gradient,) = torch.autograd.grad(logit, image)`.",
            "`.abs()`, and of the three colours the largest: `.amax(dim=0)`.",
        ),
        reference=_saliency,
        check=_check_saliency,
    ),
)  # fmt: skip
