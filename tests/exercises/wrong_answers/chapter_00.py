"""What learners get wrong in chapter 00, and the words that the diagnosis must hold."""

import torch

from mi_course.models.black_box import BlackBox


def share_right(answers, labels):
    return (answers == labels).double().mean().item()


def plain_interval(answers, labels):
    p = share_right(answers, labels)
    half = 1.96 * (p * (1 - p) / len(labels)) ** 0.5
    return p, p - half, p + half


def wilson(p, n, z=1.96):
    middle, scale = p + z**2 / (2 * n), 1 + z**2 / n
    half = z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
    return middle / scale - half / scale, middle / scale + half / scale


def in_percent(answers, labels):
    p = share_right(answers, labels)
    return 100 * p, *(100 * bound for bound in wilson(p, len(labels)))


def of_the_errors(answers, labels):
    p = 1 - share_right(answers, labels)
    return p, *wilson(p, len(labels))


def upside_down(answers, labels):
    p = share_right(answers, labels)
    return p, *reversed(wilson(p, len(labels)))


def without_the_square(answers, labels):
    p = share_right(answers, labels)
    return p, *wilson(p, len(labels), z=1.96**2)


def row_of(shape):
    return shape.ink[shape.row_at(2 / 3)]


def last_ink(shape):
    columns = row_of(shape).nonzero()
    return int(columns[-1]) if len(columns) else -1


def first_ink(shape):
    columns = row_of(shape).nonzero()
    return int(columns[0]) if len(columns) else shape.width


def a_third_down(shape):
    columns = shape.ink[shape.row_at(1 / 3)].nonzero()
    return (shape.width - 1 - (int(columns[-1]) if len(columns) else -1)) / 4


def hide(image, row, column, fill=0.0, size=2):
    covered = image.clone()
    covered[row : row + size, column : column + size] = fill
    return covered


def probability(box: BlackBox, image, digit):
    return float(box.probabilities(image[None])[0, digit])


def drop(box, image, covered, digit):
    return probability(box, image, digit) - probability(box, covered, digit)


def writes_into_the_image(box, image, digit, row, column):
    before = probability(box, image, digit)
    image[row : row + 2, column : column + 2] = 0
    return before - probability(box, image, digit)


def in_logits(box, image, digit, row, column):
    with torch.no_grad():
        before, after = box(torch.stack([image, hide(image, row, column)]))[:, digit]
    return float(before - after)


def of_the_likeliest(box, image, digit, row, column):
    digit = int(box.answer(image[None])[0])
    return drop(box, image, hide(image, row, column), digit)


RIGHT_PLACES = {"A": (4, 5), "B": (5, 2), "C": (4, 1)}

WRONG = {
    "00.count_ink": [
        (lambda image: int((image > 0.5).sum()), "exactly 0.5 counts too"),
        (lambda image: int((image > 0).sum()), "trace of ink"),
        (lambda image: float(image.sum()), "how *many* pixels"),
        (lambda image: image >= 0.5, "(8, 8); expected ()"),
        (lambda image: 64 - int((image >= 0.5).sum()), "Your count"),
    ],
    "00.right_gap": [
        (lambda shape: shape.width - 1 - last_ink(shape), "Four of them make a pixel"),
        (lambda shape: first_ink(shape) / 4, "gap on the left"),
        (lambda shape: int((~row_of(shape)).sum()) / 4, "every empty square of the row"),
        (lambda shape: (shape.width - last_ink(shape)) / 4, "one small square too many"),
        (a_third_down, "not right"),
        (lambda shape: (shape.width - 1 - int(row_of(shape).nonzero()[-1])) / 4, "raised IndexError"),
    ],
    "00.read_the_rule": [
        ("right_gap", "says 2"),
        ("lower_right", "says 7"),
        ("hole", "never asked about hole"),
        ("the left side", "no feature of the box"),
        (3, "expected a text"),
    ],
    "00.accuracy_with_interval": [
        (plain_interval, "Use Wilson's formula"),
        (in_percent, "in percent"),
        (of_the_errors, "share of *wrong* answers"),
        (upside_down, "low is above high"),
        (without_the_square, "Your interval"),
        (share_right, "expected a tuple"),
    ],
    "00.drop_when_hidden": [
        (writes_into_the_image, "changed its input"),
        (
            lambda box, image, digit, row, column: -drop(box, image, hide(image, row, column), digit),
            "sign is the wrong way round",
        ),
        (
            lambda box, image, digit, row, column: probability(box, hide(image, row, column), digit),
            "probability that is left",
        ),
        (
            lambda box, image, digit, row, column: drop(box, image, hide(image, row, column, fill=1), digit),
            "Paper is 0",
        ),
        (
            lambda box, image, digit, row, column: drop(box, image, hide(image, row, column, size=1), digit),
            "you hid one pixel",
        ),
        (
            lambda box, image, digit, row, column: drop(box, image, hide(image, column, row), digit),
            "row and column are exchanged",
        ),
        (in_logits, "drop in logits"),
        (of_the_likeliest, "Your drop"),
    ],
    "00.explain_three": [
        ({**RIGHT_PLACES, "A": (0, 0)}, "another patch costs it"),
        ({**RIGHT_PLACES, "B": (2, 5)}, "row and column look exchanged"),
        ({**RIGHT_PLACES, "C": "left"}, "expected (row, column)"),
        ({"A": (4, 5)}, 'expected {"A": (row, column)'),
        ({**RIGHT_PLACES, "C": (7, 1)}, "whole numbers from 0 to 6"),
    ],
}
