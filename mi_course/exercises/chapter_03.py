"""Exercises of chapter 03: circuits in a vision network."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mi_course.data import gratings
from mi_course.exercises.attempt import Attempt
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_shape, expect_type
from mi_course.methods import corner_detector, excitation, filter_matching, tuning_from_weights


def _grating(orientation: float, frequency: float, phase: float, side: int) -> Tensor:
    return gratings.grating(orientation, frequency, phase=phase, side=side)[0]


def _check_grating(attempt: Attempt) -> str:
    for orientation, frequency, phase, side in (
        (0.0, 1 / 8, 0.0, 16),
        (90.0, 0.2, 90.0, 15),
        (30.0, 0.1, 45.0, 24),
    ):
        on = f"stripes at {orientation:.0f}°, {frequency:.3g} cycles per pixel, phase {phase:.0f}°, {side} pixels"
        got, want = (
            attempt(orientation, frequency, phase, side),
            _grating(orientation, frequency, phase, side),
        )
        expect_shape(got, (side, side), what="Your picture", on=on)
        if not isinstance(got, Tensor) or not got.is_floating_point():
            expect_close(got, want, what="Your picture", on=on)
        for words, other in _other_gratings(orientation, frequency, phase, side):
            if _near(got, other) and not _near(got, want):
                raise Wrong(f"On {on}: {words}")
        expect_close(got, want, what="Your picture", on=on, atol=1e-3)
    return "Right in direction, width, phase and range on three gratings."


def _other_gratings(orientation: float, frequency: float, phase: float, side: int):
    right = _grating(orientation, frequency, phase, side)
    yield "it runs from −1 to 1. A picture runs from 0 to 1: halve the wave and add 0.5.", 2 * right - 1
    yield (
        "the stripes run a right angle off. Brightness changes *across* the stripes: with the angle a, the distance "
        "across them is −sin(a)·x + cos(a)·y.",
        _grating(orientation + 90, frequency, phase, side),
    )
    yield (
        "that is the mirror image. Rows are counted downwards, so y, which points up, is *minus* the row.",
        _grating(-orientation, frequency, phase, side),
    )
    yield (
        "the angle was taken for radians. `math.radians(orientation)` converts degrees.",
        _grating(math.degrees(orientation), frequency, phase, side),
    )
    yield (
        "the phase was taken for radians. `math.radians(phase)` converts degrees.",
        _grating(orientation, frequency, math.degrees(phase), side),
    )
    yield (
        "the stripes are 2π times too wide. One cycle is an angle of 2π: cos(2π · frequency · distance).",
        _grating(orientation, frequency / (2 * math.pi), phase, side),
    )


def _tuning_curve(respond: Callable, orientations: list[float], n_phases: int) -> Tensor:
    phases = [360 * i / n_phases for i in range(n_phases)]
    return torch.tensor([sum(max(0.0, respond(o, p)) for p in phases) / n_phases for o in orientations])


def _check_tuning_curve(attempt: Attempt) -> str:
    orientations = [0.0, 30.0, 60.0, 90.0, 120.0, 150.0]
    for best, rest in ((120.0, -0.3), (30.0, 0.1)):
        unit = _Cell(best, rest)
        on = f"a unit that likes {best:.0f}°"
        got, want = attempt(unit, orientations, 8), _tuning_curve(unit, orientations, 8)
        expect_shape(got, (6,), what="Your curve", on=on)
        every = torch.tensor([[unit(o, 45.0 * i) for i in range(8)] for o in orientations])
        if _near(got, every.mean(1)):
            raise Wrong(
                f"On {on}: as a grating moves on, the response swings up and down alike, and its mean says nothing: "
                "your curve is flat. The ReLU comes *first*, for each phase; then take the mean."
            )
        if _near(got, every.mean(1).relu()):
            raise Wrong(
                f"On {on}: you took the mean over phases and then the ReLU. The network has a ReLU behind every "
                "single response: rectify first, then take the mean."
            )
        if _near(got, every.relu()[:, 0]):
            raise Wrong(
                f"On {on}: you asked with phase 0 only. Whether a light or a dark stripe lies under the filter "
                "is chance; take all the phases, equally spaced over 360°."
            )
        if _near(got, every.relu().amax(1)) and not _near(got, want):
            raise Wrong(f"On {on}: that is the largest response over the phases; asked for is the mean.")
        closed = [360 * i / 7 for i in range(8)]
        if _near(got, torch.tensor([[unit(o, p) for p in closed] for o in orientations]).relu().mean(1)):
            raise Wrong(
                f"On {on}: your phases run from 0° to 360° with both ends, but these two are the same picture, "
                "which so counts twice. Take 360 · i / n_phases for i = 0 … n_phases − 1."
            )
        if _near(got, every.relu().sum(1)):
            raise Wrong(f"On {on}: that is the sum over the phases; divide by their number.")
        expect_close(got, want, what="Your curve", on=on, atol=1e-3)
    return "It peaks where the unit was made to peak, whatever the phase."


class _Cell:
    """A unit as simple as they come: a cosine in the phase, as high as the stripes are right."""

    def __init__(self, best: float, rest: float) -> None:
        self.best, self.rest = best, rest

    def __call__(self, orientation: float, phase: float) -> float:
        height = math.exp(1.5 * (math.cos(2 * math.radians(orientation - self.best)) - 1))
        return self.rest + height * math.cos(math.radians(phase + 20 + 0.2 * orientation))


def _amplitude(weight: Tensor, orientation: float, frequency: float) -> float:
    return float(tuning_from_weights.amplitude(weight[None], orientation, frequency)[0])


def _check_amplitude(attempt: Attempt) -> str:
    weight = torch.randn(3, 9, 9, generator=torch.Generator().manual_seed(0))
    for orientation, frequency in ((0.0, 0.125), (60.0, 0.2), (135.0, 0.1)):
        on = f"a random filter, stripes at {orientation:.0f}° and {frequency:g} cycles per pixel"
        got, want = attempt(weight, orientation, frequency), _amplitude(weight, orientation, frequency)
        expect_type(got, (int, float, Tensor), what="Your amplitude")
        if isinstance(got, Tensor) and got.numel() != 1:
            expect_shape(got, (), what="Your amplitude", on=on)
        value = float(got)
        cosine, sine = _two_sums(weight, orientation, frequency)
        by_colour = sum(_amplitude(_only(weight, c), orientation, frequency) for c in range(3))
        others = {
            "you multiplied with one grating only, and with another phase it comes out differently. Take two that are "
            "90° apart, cosine and sine, and join their sums: √(a² + b²).": (
                cosine,
                abs(cosine),
                sine,
                abs(sine),
            ),
            "you added both sums. They are the two sides of a right angle: √(a² + b²).": (
                cosine + sine,
                abs(cosine) + abs(sine),
                abs(cosine + sine),
            ),
            "that is the square of the amplitude; take the root.": (want**2,),
            "you took the length for each colour and added up lengths. A grey grating moves the three colours "
            "together: add up the colours first.": (by_colour,),
            "the stripes run a right angle off: across them, the distance is −sin(a)·x + cos(a)·y.": (
                _amplitude(weight, orientation + 90, frequency),
            ),
            "that is the mirror image: y points up, and rows are counted downwards.": (
                _amplitude(weight, -orientation, frequency),
            ),
        }
        if not math.isclose(value, want, rel_tol=1e-3):
            for words, values in others.items():
                if any(math.isclose(value, other, rel_tol=1e-3) for other in values):
                    raise Wrong(f"On {on}: {words}")
        expect_close(value, want, what="Your amplitude", on=on, rtol=1e-3)
    return "Right on three gratings, without showing the filter a single one."


def _two_sums(weight: Tensor, orientation: float, frequency: float) -> tuple[float, float]:
    side = weight.shape[-1]
    cosine = 2 * gratings.grating(orientation, frequency, side=side) - 1
    sine = 2 * gratings.grating(orientation, frequency, phase=-90, side=side) - 1
    return float((weight * cosine).sum()), float((weight * sine).sum())


def _only(weight: Tensor, colour: int) -> Tensor:
    one = torch.zeros_like(weight)
    one[colour] = weight[colour]
    return one


def _net_weights(weight: Tensor, groups: int) -> Tensor:
    conv = torch.nn.Conv2d(weight.shape[1] * groups, weight.shape[0], weight.shape[2], groups=groups)
    conv.weight.data = weight
    return excitation.full_kernel(conv).sum(dim=(2, 3))


def _check_net_weights(attempt: Attempt) -> str:
    for groups in (1, 2):
        weight = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(groups))
        on = f"4 units, {3 * groups} input channels, {groups} group{'s' if groups > 1 else ''}"
        got, want = attempt(weight, groups), _net_weights(weight, groups)
        if groups > 1 and isinstance(got, Tensor) and got.shape == (4, 3):
            raise Wrong(
                f"On {on}: your table has one column for each channel that a unit *sees*. Units of the second group "
                "see channels 3, 4 and 5: make a table of 6 columns, with 0 where a unit cannot look."
            )
        expect_shape(got, (4, 3 * groups), what="Your table", on=on)
        placed = {
            "you added up absolute values, and so lost who excites and who inhibits.": weight.abs(),
            "that is the mean over the places; a channel that fires everywhere drives the unit through all "
            "places at once: take the sum.": weight / 25,
        }
        for words, other in placed.items():
            if _near(got, _net_weights(other, groups)):
                raise Wrong(f"On {on}: {words}")
        if groups > 1:
            if _near(got, _net_weights(weight, 1).repeat(1, 2)):
                raise Wrong(
                    f"On {on}: every unit seems to see both groups. The first half of the units sees the first half "
                    "of the channels, the second half the second; elsewhere the table is 0."
                )
            exchanged = torch.cat([want[:, 3:], want[:, :3]], dim=1)
            if _near(got, exchanged):
                raise Wrong(f"On {on}: the groups are exchanged: the first units see the first channels.")
        expect_close(got, want, what="Your table", on=on)
    return "Right with one group and with two."


def _corner_kernel(wants: Tensor) -> Tensor:
    return wants[:, None, None] * corner_detector.layout()


def _check_corner_kernel(attempt: Attempt) -> str:
    wants = torch.tensor([1.0, -1.0, 0.5, -0.8, 0.0])
    kernel = attempt(wants)
    expect_shape(kernel, (5, 5, 5), what="Your kernel", on="five channels")
    if not isinstance(kernel, Tensor) or not kernel.is_floating_point() or not kernel.isfinite().all():
        expect_close(kernel, _corner_kernel(wants), what="Your kernel", on="five channels")
    answers = {name: _answer(kernel, wants, edges) for name, edges in _edges().items()}
    own = answers["a corner that opens to the lower right"]
    other = max((name for name in answers if "corner" in name), key=answers.get)
    if own <= 0 and max(answers.values()) <= 0:
        raise Wrong(
            f"Your unit answers {own:.2f} to its own corner, not above 0. Where level edges are wanted (`layout` 1), "
            "channels with a positive `wants` need a positive weight, those with a negative one a negative weight."
        )
    if answers[other] > own:
        raise Wrong(
            f"Your unit answers most to {other}: {answers[other]:.2f}, against {own:.2f} to a corner that opens to the "
            "lower right. That one has its level edge in the middle row, to the right, and its upright edge in the "
            "middle column, below (rows are counted downwards)."
        )
    for name in ("a level edge", "an upright edge", "a crossing"):
        if answers[name] > 0.5 * own:
            raise Wrong(
                f"Your unit answers {answers[name]:.2f} to {name} that runs straight through, and {own:.2f} to its "
                "corner. The two arms on the other side must count *against* it, with the opposite sign, so that what "
                "runs through cancels out."
            )
    if max(answers["level stripes everywhere"], answers["upright stripes everywhere"]) > 0.5 * own:
        raise Wrong(
            "Stripes that fill the whole field move your unit as much as its corner does. Leave the places outside "
            "the cross at 0, and let the four arms add up to 0."
        )
    if max(v for k, v in answers.items() if "corner" in k and "lower right" not in k) > 0.6 * own:
        raise Wrong(
            f"Your unit hardly tells its corner ({own:.2f}) from the others: they share an arm with it. Let the "
            "arms on the other side count against it."
        )
    return "It answers to one corner, and to no straight edge, crossing or grating."


def _edges() -> dict[str, Tensor]:
    """Where there are level edges (1) and upright ones (−1); two tables, since a crossing has both."""
    empty = torch.zeros(2, 5, 5)
    found = {}
    arms = {
        "right": (2, slice(3, 5)),
        "left": (2, slice(0, 2)),
        "lower": (slice(3, 5), 2),
        "upper": (slice(0, 2), 2),
    }
    for vertical in ("lower", "upper"):
        for horizontal in ("right", "left"):
            edges = empty.clone()
            edges[(0, *arms[horizontal])] = 1
            edges[(1, *arms[vertical])] = 1
            found[f"a corner that opens to the {vertical} {horizontal}"] = edges
    level, upright = empty.clone(), empty.clone()
    level[0, 2], upright[1, :, 2] = 1, 1
    found |= {"a level edge": level, "an upright edge": upright, "a crossing": level + upright}
    everywhere = torch.ones(5, 5)
    found["level stripes everywhere"] = torch.stack([everywhere, 0 * everywhere])
    found["upright stripes everywhere"] = torch.stack([0 * everywhere, everywhere])
    return found


def _answer(kernel: Tensor, wants: Tensor, edges: Tensor) -> float:
    """A unit's response if each channel fires as much as `wants` says: on level edges, or on upright ones."""
    channels = wants.relu()[:, None, None] * edges[0] + (-wants).relu()[:, None, None] * edges[1]
    return float((kernel * channels).sum())


def _best_match(weight: Tensor, other: Tensor) -> Tensor:
    return filter_matching.match(weight, other, most_shift=0).similarity


def _check_best_match(attempt: Attempt) -> str:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(6, 3, 9, 9, generator=generator)
    other = torch.randn(8, 3, 9, 9, generator=generator) + 0.6 * weight[[3, 1, 5, 0, 2, 4, 1, 0]]
    other = other * torch.tensor([0.1, 5, 1, 0.2, 1, 3, 9, 0.5]).view(8, 1, 1, 1)
    other[4] = -2 * weight[4]
    on = "6 filters and 8 possible partners"
    got, want = attempt(weight, other), _best_match(weight, other)
    expect_shape(got, (6,), what="Your result", on=on)
    flat, partner = weight.flatten(1), other.flatten(1)
    cosine = torch.nn.functional.cosine_similarity(flat[:, None], partner[None], dim=2)
    products = flat @ partner.T
    if _near(got, products.amax(1)):
        raise Wrong(
            f"On {on}: you did not divide by the lengths, so a strong filter is everybody's best friend. Cosine: "
            "a · b / (|a| |b|)."
        )
    if _near(got, (products / flat.norm(dim=1, keepdim=True)).amax(1)) or _near(
        got, (products / partner.norm(dim=1)).amax(1)
    ):
        raise Wrong(f"On {on}: you divided by one of the two lengths; the cosine needs both.")
    if _near(got, cosine.diagonal()[:6]):
        raise Wrong(
            f"On {on}: you compared filters of the same number. Two trainings number their filters as it "
            "happens: compare each with *all* of the other network, and keep the best."
        )
    if _near(got, cosine.abs().amax(1)):
        raise Wrong(
            f"On {on}: you took the absolute value. A filter and its negative look for opposite things "
            "(the ReLU behind them keeps them apart); here only the same sign counts."
        )
    if _near(got, cosine.amax(0)[:6]) or _near(got, cosine.mean(1)):
        raise Wrong(f"On {on}: for each of the 6 filters, take the maximum over its 8 possible partners.")
    if not got.is_floating_point() and _near(got.float(), cosine.argmax(1).float()):
        raise Wrong(f"On {on}: that is the partner's number; asked for is how similar it is.")
    expect_close(got, want, what="Your result", on=on, atol=1e-4)
    return "Each filter finds its best partner, however strong that is and whatever its number."


def _near(got, other: Tensor) -> bool:
    return (
        isinstance(got, Tensor)
        and got.shape == other.shape
        and got.is_floating_point()
        and torch.allclose(got.detach().to(other.dtype), other, atol=1e-3, rtol=1e-3)
    )


EXERCISES = (
    Exercise(
        id="03.grating",
        title="Paint a grating",
        difficulty=2,
        minutes=10,
        hints=(
            "For each pixel you need one number: how far it lies *across* the stripes. Everything else is a cosine of "
            "that distance.",
            "With the angle a in radians, stripes run along (cos a, sin a) and change along (−sin a, cos a): "
            "`across = -math.sin(a) * x + math.cos(a) * y`.",
            "`wave = torch.cos(2 * math.pi * frequency * across + math.radians(phase))` runs from −1 to 1; "
            "`0.5 + 0.5 * wave` is a picture.",
        ),
        reference=_grating,
        check=_check_grating,
    ),
    Exercise(
        id="03.tuning_curve",
        title="Measure a tuning curve",
        difficulty=1,
        minutes=8,
        hints=(
            "For one orientation: ask the unit once for each phase, set negative answers to 0, take the mean.",
            "The phases are `360 * i / n_phases` for i = 0 … n_phases − 1. `max(0.0, value)` is the ReLU of a number.",
            "Two loops, or one comprehension in another; at the end `torch.tensor(list_of_means)`.",
        ),
        reference=_tuning_curve,
        check=_check_tuning_curve,
    ),
    Exercise(
        id="03.amplitude",
        title="A filter's answer, from its weights alone",
        difficulty=2,
        minutes=12,
        hints=(
            "The response to a grating is the sum of weight × pixel. Let the grating move on: the response swings like "
            "a cosine. How high?",
            "Add up weight × cos(2π f · across) over pixels and colours, and weight × sin(…) as well. The grating in "
            "any phase is a mixture of these two.",
            "The height of a·cos + b·sin is √(a² + b²). In short: "
            "`(weight * torch.exp(2j * math.pi * frequency * across)).sum().abs()`.",
        ),
        reference=_amplitude,
        check=_check_amplitude,
    ),
    Exercise(
        id="03.net_weights",
        title="Who excites, who inhibits?",
        difficulty=2,
        minutes=10,
        hints=(
            "`weight.sum(dim=(2, 3))` adds up the places. With one group that is all.",
            "With 2 groups and 96 units, units 0–47 see the first half of the input channels and 48–95 the second "
            "half. Begin with a table of zeros.",
            "For group g, with n = units // groups and `rows = slice(g * n, (g + 1) * n)`: "
            "`table[rows, g * seen : (g + 1) * seen] = summed[rows]`.",
        ),
        reference=_net_weights,
        check=_check_net_weights,
    ),
    Exercise(
        id="03.corner_kernel",
        title="Build a corner detector",
        difficulty=3,
        minutes=15,
        hints=(
            "First draw a 5 × 5 plan: 1 where you want level edges, −1 where you want upright ones, 0 where you do not "
            "care. Draw the cross of row 2 and column 2.",
            "A corner that opens to the lower right: level on the right (row 2, columns 3 and 4), upright below (rows "
            "3 and 4, column 2). On the left and above, the opposite sign.",
            "`wants[:, None, None] * plan` gives channels that like level edges the plan, and those that like upright "
            "ones its negative.",
        ),
        reference=_corner_kernel,
        check=_check_corner_kernel,
    ),
    Exercise(
        id="03.best_match",
        title="Find each filter's partner",
        difficulty=2,
        minutes=8,
        hints=(
            "Turn every filter into one long row of numbers: `weight.flatten(1)`.",
            "Divide each row by its length. Then `ours @ theirs.T` holds the cosine of every pair.",
            "For each of our filters the largest entry of its row: `.amax(dim=1)`.",
        ),
        reference=_best_match,
        check=_check_best_match,
    ),
)
