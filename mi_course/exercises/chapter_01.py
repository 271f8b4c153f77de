"""Exercises of chapter 01: AlexNet."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mi_course.exercises.attempt import Attempt
from mi_course.exercises.examples import random_numbers
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_shape, expect_type
from mi_course.methods import filters, probing


def _normalize_filter(weight: Tensor) -> Tensor:
    return filters.normalize_for_display(weight)


def _check_normalize_filter(attempt: Attempt) -> str:
    weight = random_numbers(5, 3, 9, 9) * torch.tensor([0.01, 0.1, 1.0, 3.0, 10.0]).view(5, 1, 1, 1)
    weight[0] += 0.02  # a filter that is mostly positive, where stretching to [0, 1] would move the grey
    got, want = attempt(weight), _normalize_filter(weight)
    expect_shape(got, (5, 3, 9, 9), on="five filters of 3 × 9 × 9")
    if torch.equal(got, weight):
        raise Wrong("Your result is the weights themselves. A picture has values from 0 to 1.")
    if got.min() < -1e-6 or got.max() > 1 + 1e-6:
        raise Wrong(
            f"Your pictures run from {got.min():.2f} to {got.max():.2f}; expected values from 0 to 1."
        )
    stretched = (weight - weight.amin((1, 2, 3), keepdim=True)) / (
        weight.amax((1, 2, 3), keepdim=True) - weight.amin((1, 2, 3), keepdim=True)
    )
    if torch.allclose(got, stretched, atol=1e-3):
        raise Wrong(
            "You stretched each filter from its least to its greatest weight. Then zero is another grey in "
            "every picture, and nobody can see which weights are negative. Keep zero at exactly 0.5."
        )
    if torch.allclose(got, 0.5 + 0.5 * weight / weight.abs().max(), atol=1e-3):
        raise Wrong(
            "You divided all filters by the largest weight of the whole layer: weak filters come out plain "
            "grey. Find the largest absolute weight of *each* filter (`amax` with `dim=` and `keepdim=True`)."
        )
    if torch.allclose(got, 0.5 + 0.5 * weight / weight.abs().amax((2, 3), keepdim=True), atol=1e-3):
        raise Wrong(
            "You scaled red, green and blue apart, which changes the hue of a filter: a faint red in a blue "
            "filter becomes as strong as the blue. Use one scale for the three channels of a filter."
        )
    expect_close(got, want, what="Your pictures", on="five filters of very different strength")
    return "Zero is middle grey in every picture, and hues are true."


def _conv_parameters(channels_in: int, channels_out: int, kernel: int, groups: int = 1) -> int:
    return channels_out * (channels_in // groups) * kernel**2 + channels_out


def _check_conv_parameters(attempt: Attempt) -> str:
    cases = (
        (3, 96, 11, 1, "the first convolution of AlexNet (3 → 96 channels, 11 × 11)"),
        (256, 384, 3, 1, "the third convolution (256 → 384 channels, 3 × 3)"),
        (96, 256, 5, 2, "the second convolution (96 → 256 channels, 5 × 5, in 2 groups)"),
    )
    for channels_in, channels_out, kernel, groups, on in cases:
        got = attempt(channels_in, channels_out, kernel, groups)
        want = _conv_parameters(channels_in, channels_out, kernel, groups)
        expect_type(got, (int, float))
        if got == want - channels_out:
            raise Wrong(f"On {on}: {want - got} short. Every output channel has one bias as well.")
        if groups > 1 and got == _conv_parameters(channels_in, channels_out, kernel):
            raise Wrong(
                f"On {on}: you counted as if every output channel saw all {channels_in} inputs. "
                f"With {groups} groups it sees {channels_in // groups} of them."
            )
        if got == channels_out * (channels_in // groups) * kernel + channels_out:
            raise Wrong(f"On {on}: a kernel is square, so it has {kernel} × {kernel} weights a channel.")
        expect_close(got, want, what="Your count", on=on, rtol=0, atol=0.5, reveal=False)
    return "All three convolutions agree with PyTorch's own count."


def _feature_map(image: Tensor, weight: Tensor, bias: float, stride: int) -> Tensor:
    response = torch.nn.functional.conv2d(image[None], weight[None], stride=stride)[0, 0] + bias
    return response.relu()


def _check_feature_map(attempt: Attempt) -> str:
    image, weight = random_numbers(3, 12, 14), random_numbers(3, 5, 5)
    for bias, stride in ((0.0, 1), (1.5, 1), (-0.5, 2)):
        on = f"a 12 × 14 image, a 5 × 5 filter, bias {bias}, stride {stride}"
        got, want = attempt(image, weight, bias, stride), _feature_map(image, weight, bias, stride)
        if isinstance(got, Tensor) and stride > 1 and got.shape == (8, 10):
            raise Wrong(
                f"On {on}: you moved the filter by 1 pixel from place to place; it should jump by {stride}."
            )
        expect_shape(got, tuple(want.shape), what="Your map", on=on)
        before_relu = torch.nn.functional.conv2d(image[None], weight[None], stride=stride)[0, 0] + bias
        if torch.allclose(got, before_relu, atol=1e-4):
            raise Wrong(f"On {on}: right up to the ReLU, which sets what is below zero to zero.")
        if bias and torch.allclose(got, _feature_map(image, weight, 0.0, stride), atol=1e-4):
            raise Wrong(f"On {on}: the bias is missing. Add it before the ReLU.")
        if bias and torch.allclose(got, _feature_map(image, weight, 0.0, stride) + bias, atol=1e-4):
            raise Wrong(f"On {on}: you added the bias after the ReLU; it belongs before it.")
        if torch.allclose(got, _feature_map(image, weight.flip(1, 2), bias, stride), atol=1e-4):
            raise Wrong(
                f"On {on}: you turned the filter upside down first. That is what mathematicians call a "
                "convolution; networks multiply without turning."
            )
        expect_close(got, want, what="Your map", on=on)
    return "Your loop computes what `nn.Conv2d` and `nn.ReLU` compute."


def _orientation(weight: Tensor) -> float:
    return float(filters.orientation(weight[None])[0][0])


def _check_orientation(attempt: Attempt) -> str:
    for degrees in (0.0, 90.0, 20.0, 45.0, 160.0):
        got = attempt(_grating(degrees))
        on = f"stripes that run at {degrees:.0f}°"
        expect_type(got, (int, float), what="Your angle")
        if not math.isfinite(got):
            raise Wrong(f"On {on}: your angle is {got}.")
        off = (got - degrees) % 180
        off = min(off, 180 - off)
        if off <= 2.0:
            if not -1e-6 <= got < 180:
                raise Wrong(f"On {on}: {got:.0f}° is the right line, but give it as an angle in [0, 180).")
            continue
        if degrees and abs(math.radians(degrees) - got) < 0.05:
            raise Wrong(f"On {on}: yours is {got:.2f}. That is in radians; expected degrees.")
        if abs(off - 90) <= 2.0:
            raise Wrong(
                f"On {on}: yours is {got:.0f}°, a right angle off. You found the direction in which brightness "
                "*changes*; the stripes run across it."
            )
        if min((got + degrees) % 180, 180 - (got + degrees) % 180) <= 2.0:
            raise Wrong(
                f"On {on}: yours is {got:.0f}°, the mirror image. Rows are counted downwards, so a positive "
                "vertical frequency points down: turn its sign before you take the angle."
            )
        raise Wrong(
            f"On {on}: yours is {got:.0f}°, off by {off:.0f}°. Angles cannot simply be averaged: 1° and 179° are "
            "nearly the same line, and their mean is 90°. Double the angles, add arrows, halve the result."
        )
    return "Right on five gratings, to within two degrees."


def _receptive_field(layers: list[tuple[int, int]]) -> int:
    side, step = 1, 1
    for kernel, stride in layers:
        side, step = side + (kernel - 1) * step, step * stride
    return side


def _check_receptive_field(attempt: Attempt) -> str:
    cases = (
        ([(11, 4)], "one layer of kernel 11, stride 4"),
        ([(3, 1), (3, 1)], "two layers of kernel 3, stride 1"),
        ([(9, 2), (3, 2)], "kernel 9, stride 2, then kernel 3, stride 2"),
        ([(11, 4), (3, 2), (5, 1), (3, 2), (3, 1)], "AlexNet up to its third convolution"),
    )
    for layers, on in cases:
        got, want = attempt(layers), _receptive_field(layers)
        expect_type(got, (int, float))
        if got != want and got == 1 + sum(kernel - 1 for kernel, _ in layers):
            raise Wrong(
                f"On {on}: yours is {got}. You added up kernels as if neighbouring cells of the second layer "
                "were neighbouring pixels. A stride of 2 puts them 2 pixels apart."
            )
        if got != want and got == _multiplied_too_early(layers):
            raise Wrong(
                f"On {on}: yours is {got}. You used a layer's own stride for its own kernel. A stride spreads "
                "out the cells of the *next* layer: grow the side first, then multiply the step."
            )
        expect_close(got, want, what="Your side", on=on, rtol=0, atol=0.5)
    return "A unit of AlexNet's third convolution sees 99 × 99 pixels."


def _multiplied_too_early(layers: list[tuple[int, int]]) -> int:
    side, step = 1, 1
    for kernel, stride in layers:
        step *= stride
        side += (kernel - 1) * step
    return side


def _probe_accuracy(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> float:
    return probing.linear_probe(train, train_labels, test, test_labels).accuracy


def _check_probe_accuracy(attempt: Attempt) -> str:
    labels = torch.arange(2).repeat(60)
    meaningless = random_numbers(240, 120)
    got = attempt(meaningless[:120], labels, meaningless[120:], labels)
    expect_type(got, (int, float))
    if not 0 <= got <= 1:
        raise Wrong(f"Your accuracy is {got:.3g}; expected a share from 0 to 1.")
    on = "features that are pure noise"
    if got > 0.8:
        raise Wrong(
            f"On {on}: yours is {got:.2f}, but nothing can be known from noise. You measured on the examples that "
            "the probe was fitted to; measure on the test examples."
        )
    clusters = 0.1 * random_numbers(240, 40)
    clusters[:, 0] += torch.arange(2).repeat(120)
    separable = attempt(clusters[:120], labels, clusters[120:], labels)
    if separable < 0.9:
        raise Wrong(
            f"On two classes that a straight line separates: yours is {separable:.2f}; expected at least 0.9. Is "
            "the probe fitted to the training examples, and does it predict the test examples in their order?"
        )
    corners = torch.randint(0, 2, (240, 2), generator=torch.Generator().manual_seed(1)).float()
    xor = (corners[:, 0] != corners[:, 1]).long()
    points = corners + 0.1 * random_numbers(240, 2)
    curved = attempt(points[:120], xor[:120], points[120:], xor[120:])
    if curved > 0.8:
        raise Wrong(
            f"On four clusters, of which opposite ones belong together (no straight line parts them): yours is "
            f"{curved:.2f}. Your classifier can bend. Then a good score says that *the classifier* worked the "
            "answer out. Use a linear one."
        )
    return "Chance on noise, high where a line separates, helpless where none does: a linear probe."


def _grating(degrees: float) -> Tensor:
    """A 9 × 9 grey filter with stripes that run at this angle, counter-clockwise from horizontal."""
    angle = math.radians(degrees)
    y, x = torch.meshgrid(-torch.arange(9.0) + 4, torch.arange(9.0) - 4, indexing="ij")
    across = -math.sin(angle) * x + math.cos(angle) * y
    window = torch.exp(-(x.square() + y.square()) / 12)
    return (torch.cos(2 * math.pi * 0.2 * across + 0.5) * window).expand(3, 9, 9).clone()


EXERCISES = (
    Exercise(
        id="01.conv_parameters",
        title="Count the parameters of a convolution",
        difficulty=1,
        minutes=6,
        hints=(
            "Start with one output channel: how many numbers does one filter hold?",
            "A filter holds (input channels it sees) × kernel × kernel weights, and one bias.",
            "With `groups`, a filter sees `channels_in // groups` channels. There are `channels_out` filters.",
        ),
        reference=_conv_parameters,
        check=_check_conv_parameters,
    ),
    Exercise(
        id="01.normalize_filter",
        title="Turn filters into pictures",
        difficulty=1,
        minutes=8,
        hints=(
            "Weights are negative and positive. Which grey should a weight of zero get, so that both can be seen?",
            "Divide each filter by its largest absolute weight: then it runs from −1 to 1. "
            "`weight.abs().amax(dim=…, keepdim=True)` over the last three axes.",
            "`0.5 + 0.5 * weight / peak` takes −1…1 to 0…1 and leaves zero at 0.5.",
        ),
        reference=_normalize_filter,
        check=_check_normalize_filter,
    ),
    Exercise(
        id="01.orientation",
        title="Which way do the stripes run?",
        difficulty=3,
        minutes=20,
        hints=(
            "`filters.spectrum(weight[None])[0]` says how much energy the filter has at each frequency, and "
            "`filters.frequencies()` which vertical and horizontal frequency each entry is. Its brightest spots "
            "lie in the direction in which brightness changes.",
            "Energy at angle a and at a + 180° is the same stripe, so add up arrows of *twice* the angle: "
            "`(energy * torch.exp(2j * angle)).sum()`, with `angle = torch.atan2(-f_y, f_x)`.",
            "Half the angle of that sum, in degrees, is the direction of change. The stripes run 90° further; "
            "take the result modulo 180.",
        ),
        reference=_orientation,
        check=_check_orientation,
    ),
    Exercise(
        id="01.feature_map",
        title="A feature map by hand",
        difficulty=2,
        minutes=12,
        hints=(
            "One number of the map: cut a square as large as the filter out of the image, multiply the two "
            "entry by entry, add everything up.",
            "The square for row r and column c of the map begins at pixel (r · stride, c · stride). The map has "
            "(height − kernel) // stride + 1 rows.",
            "Add the bias to each sum, and at the end `.relu()`.",
        ),
        reference=_feature_map,
        check=_check_feature_map,
    ),
    Exercise(
        id="01.receptive_field",
        title="How far does a unit see?",
        difficulty=2,
        minutes=10,
        hints=(
            "Walk through the layers from the image on, with two numbers: the side of the field, and the step: "
            "how many pixels lie between two neighbouring cells. Both begin at 1.",
            "A kernel of k reaches over k − 1 further cells, each `step` pixels on.",
            "`side += (kernel - 1) * step`, and only then `step *= stride`.",
        ),
        reference=_receptive_field,
        check=_check_receptive_field,
    ),
    Exercise(
        id="01.probe_accuracy",
        title="A linear probe",
        difficulty=2,
        minutes=12,
        hints=(
            "scikit-learn has a linear classifier: `LogisticRegression`. It wants NumPy arrays: `train.numpy()`.",
            "`make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200))` brings all features to "
            "one scale, then fits. Call `.fit` with the training examples.",
            "`.score(test.numpy(), test_labels.numpy())` is the share of test examples that it gets right.",
        ),
        reference=_probe_accuracy,
        check=_check_probe_accuracy,
        seconds=10.0,
    ),
)
