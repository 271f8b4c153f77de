"""Exercises of chapter 00: could we understand AI?"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from mi_course.data import digits
from mi_course.exercises.attempt import Attempt
from mi_course.exercises.describe import describe, is_array, is_tensor
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_shape, expect_type
from mi_course.methods import hidden_patch, stroke_features
from mi_course.methods.stroke_features import ENLARGED, Shape
from mi_course.methods.uncertainty import wilson_interval
from mi_course.models.black_box import BlackBox, train


def _number(value: object, what: str) -> float:
    """A plain number, also out of a tensor or array that holds just one."""
    if is_tensor(value) or is_array(value):
        expect_shape(value, (), what=what)
        value = value.item()
    expect_type(value, (int, float), what=what)
    return float(value)


def _count_ink(image: Tensor) -> int:
    return int((image >= 0.5).sum())


def _check_count_ink(attempt: Attempt) -> str:
    faint = torch.zeros(8, 8)
    faint[2, 3:6] = torch.tensor([0.25, 0.5, 0.75])
    pictures = {
        "a picture with three inked pixels, of 0.25, 0.5 and 0.75": faint,
        "the first digit of the course": digits.all_digits().images[0],
    }
    for on, image in pictures.items():
        got = attempt(image)
        got = _number(got, "Your count")
        if got == int((image > 0.5).sum()):
            raise Wrong(f"On {on}: a pixel of exactly 0.5 counts too: at least half means `>=`, not `>`.")
        if got == int((image > 0).sum()):
            raise Wrong(f"On {on}: you counted every pixel with a trace of ink; only 0.5 and more counts.")
        if abs(got - float(image.sum())) < 1e-4 or abs(got - float(image[image >= 0.5].sum())) < 1e-4:
            raise Wrong(
                f"On {on}: you added up how much ink there is. Asked is how *many* pixels: compare first "
                "(True counts as 1), then sum."
            )
        expect_close(got, _count_ink(image), what="Your count", on=on, rtol=0, atol=0.5)
    return "That is the whole cycle: write, run, read the card. Every exercise works like this."


def _right_gap(shape: Shape) -> float:
    return stroke_features.right_gap(shape)


def _check_right_gap(attempt: Attempt) -> str:
    two, three = (_first(digit) for digit in (2, 3))
    split = torch.zeros(13, 8, dtype=torch.bool)
    split[:5, 2], split[10:, 5] = True, True
    cases = {
        "a 2": two,
        "a 3": three,
        "a staircase that goes down to the right": _drawn(torch.eye(13, dtype=torch.bool)),
        "a digit in two parts with an empty row between them": _drawn(split),
    }
    for on, shape in cases.items():
        got, want = attempt(shape), _right_gap(shape)
        got = _number(got, "Your gap")
        if abs(got - want * ENLARGED) < 1e-6 and want:
            raise Wrong(
                f"On {on}: yours is {got:g}, in small squares. Four of them make a pixel: divide by 4."
            )
        row = shape.ink[shape.row_at(2 / 3)]
        if abs(got - _gap_on_the_left(row)) < 1e-6 and got != want:
            raise Wrong(f"On {on}: that is the gap on the left. Look for the *last* ink of the row.")
        if abs(got - int((~row).sum()) / ENLARGED) < 1e-6 and got != want:
            raise Wrong(
                f"On {on}: you counted every empty square of the row. Count only those to the right of the "
                "last ink."
            )
        if abs(got - want - 1 / ENLARGED) < 1e-6:
            raise Wrong(
                f"On {on}: one small square too many. Columns are numbered from 0, so the last one is "
                "`shape.width - 1`."
            )
        expect_close(got, want, what="Your gap", on=f"{on} (row {shape.row_at(2 / 3)} of {shape.height})")
    return f"Your feature tells them apart: a 2 has a gap of {_right_gap(two):.2f}, a 3 of {_right_gap(three):.2f}."


def _gap_on_the_left(row: Tensor) -> float:
    columns = row.nonzero()
    return (int(columns[0]) if len(columns) else len(row)) / ENLARGED


def _drawn(ink: Tensor) -> Shape:
    return Shape(ink.float(), ink)


def _first(digit: int) -> Shape:
    learn = digits.parts().learn
    return stroke_features.shapes_of(learn.images[learn.labels == digit][:1])[0]


_AFTER_TURNING = {"left_bay": 0, "upper_left_bay": 9, "lower_right": 7, "right_gap": 2}
"""For the zero of the exercise: each question on its way, and the answer if that one is turned around."""


def _check_read_the_rule(answer: object) -> str:
    expect_type(answer, str, what="Your answer")
    name = answer.strip().strip("\"'`").split(" ")[0]
    known = [*stroke_features.FEATURES, stroke_features.RIGHT_GAP.name]
    if name not in known:
        raise Wrong(f"{answer!r} is no feature of the box. Its features are: {', '.join(known)}.")
    if name not in _AFTER_TURNING:
        raise Wrong(f"The box never asked about {name} on its way to this answer. Read the rule that fired.")
    if _AFTER_TURNING[name] != 0:
        raise Wrong(
            f"With the question about {name} answered the other way the box says {_AFTER_TURNING[name]}, "
            "still not 0. Which other question of the rule would a closed zero have answered differently?"
        )
    return "One wrong step, found by reading: the box took the inside of the zero for a bay."


def _accuracy_with_interval(answers: Tensor, labels: Tensor) -> tuple[float, float, float]:
    interval = wilson_interval(int((answers == labels).sum()), len(labels))
    return interval.estimate, interval.low, interval.high


def _check_accuracy_with_interval(attempt: Attempt) -> str:
    for right, total in ((15, 20), (478, 597), (10, 10)):
        on = f"{right} right answers of {total}"
        labels = torch.arange(total) % 10
        answers = torch.where(torch.arange(total) < right, labels, (labels + 1) % 10)
        got = attempt(answers, labels)
        expect_type(got, tuple)
        if len(got) != 3:
            raise Wrong(f"Your result has {len(got)} parts; expected three: accuracy, low, high.")
        p, low, high = (_number(part, "Each part of your result") for part in got)
        share = right / total
        half = 1.96 * (share * (1 - share) / total) ** 0.5
        if abs(p - 100 * share) < 1e-6:
            raise Wrong(f"On {on}: your accuracy is {p:g}, in percent. Give shares, from 0 to 1.")
        if abs(p - (1 - share)) < 1e-6 and share != 0.5:
            raise Wrong(f"On {on}: {p:g} is the share of *wrong* answers. Compare with `==`.")
        expect_close(p, share, what="Your accuracy", on=on)
        if low > high:
            raise Wrong(f"On {on}: low is above high; the order is (accuracy, low, high).")
        if abs(low - (share - half)) < 1e-3 and abs(high - (share + half)) < 1e-3:
            raise Wrong(
                f"On {on}: that is accuracy ± 1.96 standard errors, which can claim certainty after ten "
                "answers and leave the range 0 to 1. Use Wilson's formula from the text."
            )
        want = _accuracy_with_interval(answers, labels)
        expect_close([low, high], list(want[1:]), what="Your interval", on=on, atol=1e-3)
    return "Even ten right answers of ten leave room for doubt: the interval then starts at 0.72."


def _drop_when_hidden(box: BlackBox, image: Tensor, digit: int, row: int, column: int) -> float:
    return hidden_patch.drop_when_hidden(box, image, digit, row, column)


def _check_drop_when_hidden(attempt: Attempt) -> str:
    image = digits.all_digits().images[5]
    box = _random_box()
    for digit, row, column in ((5, 0, 2), (3, 4, 4), (8, 6, 1)):
        on = f"a 5, the probability of {digit}, the patch at row {row}, column {column}"
        got, want = attempt(box, image, digit, row, column), _drop_when_hidden(box, image, digit, row, column)
        got = _number(got, "Your drop")
        for slip, diagnosis in _slips_when_hiding(box, image, digit, row, column):
            if abs(got - slip) < 1e-9 and abs(slip - want) > 1e-9:
                raise Wrong(f"On {on}: {diagnosis}")
        expect_close(got, want, what="Your drop", on=on, rtol=1e-6, atol=1e-9)
    return "You can now ask any classifier what an answer hangs on."


def _slips_when_hiding(box: BlackBox, image: Tensor, digit: int, row: int, column: int):
    """What typical slips give, each with its diagnosis."""
    empty, inked, single, swapped = (image.clone() for _ in range(4))
    empty[row : row + 2, column : column + 2] = 0
    inked[row : row + 2, column : column + 2] = 1
    single[row, column] = 0
    swapped[column : column + 2, row : row + 2] = 0
    pictures = torch.stack([image, empty, inked, single, swapped])
    whole, hidden, with_ink, one_pixel, exchanged = box.probabilities(pictures)[:, digit].tolist()
    logits = box(pictures[:2]).detach()
    yield (
        hidden - whole,
        "the sign is the wrong way round. A drop is before minus after: positive if belief is lost.",
    )
    yield hidden, "that is the probability that is left. Subtract it from the probability before."
    yield whole - with_ink, "you filled the patch with ink (1). Paper is 0."
    yield (
        whole - one_pixel,
        "you hid one pixel. The patch is 2 × 2: rows `row` to `row + 1`, columns likewise.",
    )
    yield whole - exchanged, "row and column are exchanged. Pictures are indexed `image[row, column]`."
    yield (
        float(logits[0, digit] - logits[1, digit]),
        "that is a drop in logits. Use `box.probabilities(...)`.",
    )


@lru_cache(maxsize=1)
def _random_box() -> BlackBox:
    """A network that has seen nothing: its answers mean nothing, but its arithmetic is exact."""
    return train(digits.parts().learn, steps=0)


_PUZZLES = {"A": (16, 3), "B": (24, 6), "C": (6, 0)}
"""Name → number of the test picture, and the digit that the black box rightly sees in it."""


@lru_cache(maxsize=1)
def _drop_maps() -> dict[str, Tensor]:
    box, test = train(digits.parts().learn), digits.parts().test
    return {name: hidden_patch.drop_map(box, test.images[i], digit) for name, (i, digit) in _PUZZLES.items()}


def _check_explain_three(answer: object) -> str:
    if not isinstance(answer, dict) or set(answer) != set(_PUZZLES):
        raise Wrong(f'Your answer is {describe(answer)}; expected {{"A": (row, column), "B": …, "C": …}}.')
    for name, drops in _drop_maps().items():
        place = answer[name]
        digit, most = _PUZZLES[name][1], float(drops.max())
        if not _is_place(place):
            raise Wrong(
                f"{name} is {describe(place)}; expected (row, column), two whole numbers from 0 to 6."
            )
        row, column = place
        # The best patch and one that is nearly as good are both fair answers.
        if drops[row, column] >= 0.95 * most:
            continue
        if drops[column, row] >= 0.95 * most:
            raise Wrong(f"{name}: row and column look exchanged. The row comes first, counted from the top.")
        raise Wrong(
            f"{name}: without the patch at row {row}, column {column} the probability of {digit} falls by "
            f"{drops[row, column]:.2f}; another patch costs it {most:.2f}. Try all 7 × 7 places in two loops."
        )
    return "These are the places that the three answers hang on."


def _is_place(place: object) -> bool:
    return (
        isinstance(place, tuple | list)
        and len(place) == 2
        and all(isinstance(number, int) and 0 <= number <= 6 for number in place)
    )


EXERCISES = (
    Exercise(
        id="00.count_ink",
        title="First check: count the ink",
        difficulty=1,
        minutes=2,
        hints=(
            "`image >= 0.5` is a table of 64 True and False: True where there is ink enough.",
            "True counts as 1 and False as 0, so `.sum()` of that table is the number of True. "
            "Wrap it in `int(…)`.",
        ),
        reference=_count_ink,
        check=_check_count_ink,
    ),
    Exercise(
        id="00.right_gap",
        title="Write the feature that the glass box is missing",
        difficulty=2,
        minutes=5,
        hints=(
            "`shape.ink[shape.row_at(2 / 3)]` is one row of True and False. `.nonzero()` lists the columns "
            "where it is True; the last of them is the last ink.",
            "Columns run from 0 to `shape.width - 1`, so behind column `last` there are "
            "`shape.width - 1 - last` squares. Four squares are one pixel.",
            "If the list is empty there is no ink in the row: take `last = -1`, and the gap comes out as the "
            "whole width.",
        ),
        reference=_right_gap,
        check=_check_right_gap,
    ),
    Exercise(
        id="00.read_the_rule",
        title="Find the glass box's mistake by reading its rule",
        difficulty=1,
        minutes=3,
        hints=(
            "The rule that fired is printed with the measured numbers. Look at the picture of the bays and "
            "holes: which of these numbers would surprise you for a zero?",
            "A closed zero has a hole and hardly any bay. So the very first question went the wrong way.",
        ),
        reference="left_bay",
        check=_check_read_the_rule,
    ),
    Exercise(
        id="00.accuracy_with_interval",
        title="Measure a box, and say how sure you are",
        difficulty=2,
        minutes=5,
        hints=(
            "`(answers == labels)` is True where the box is right. The mean of that, as numbers, is p; n is "
            "`len(labels)`.",
            "Compute `middle = (p + z²/(2n)) / (1 + z²/n)` and "
            "`half = z / (1 + z²/n) · √(p(1 − p)/n + z²/(4n²))` with z = 1.96. A square root is `** 0.5`.",
            "Return the three numbers in this order: `return p, middle - half, middle + half`.",
        ),
        reference=_accuracy_with_interval,
        check=_check_accuracy_with_interval,
    ),
    Exercise(
        id="00.drop_when_hidden",
        title="Hide a patch and see how much belief is lost",
        difficulty=2,
        minutes=4,
        hints=(
            "Never write into `image` itself: `covered = image.clone()` first. Then "
            "`covered[row : row + 2, column : column + 2] = 0`.",
            "`box.probabilities` wants a batch: `box.probabilities(image[None])` has shape (1, 10), and "
            "`[0, digit]` is the number you need.",
            "The drop is the number for `image` minus the number for `covered`. `float(…)` or `.item()` "
            "makes it a plain number.",
        ),
        reference=_drop_when_hidden,
        check=_check_drop_when_hidden,
    ),
    Exercise(
        id="00.explain_three",
        title="Explain three of the black box's answers",
        difficulty=1,
        minutes=3,
        hints=(
            "There are only 7 × 7 places for a patch. Two loops, one call of your function each, and keep "
            "the place with the largest drop.",
            "`max(places, key=lambda place: drop_when_hidden(black, image, digit, *place))` does the "
            "search, if `places` is the list of all (row, column).",
        ),
        reference={"A": (4, 5), "B": (5, 2), "C": (4, 1)},
        check=_check_explain_three,
    ),
)
