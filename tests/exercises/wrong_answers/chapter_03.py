"""Typical wrong answers to the exercises of chapter 03, and words that their diagnosis must hold."""

import math

import torch

from mi_course.data import gratings
from mi_course.methods import corner_detector


def _right(orientation, frequency, phase, side):
    return gratings.grating(orientation, frequency, phase=phase, side=side)[0]


def _too_wide(orientation, frequency, phase, side):
    return _right(orientation, frequency / (2 * math.pi), phase, side)


def _curve(combine):
    def curve(respond, orientations, n_phases):
        phases = [360 * i / n_phases for i in range(n_phases)]
        return torch.stack([combine(torch.tensor([respond(o, p) for p in phases])) for o in orientations])

    return curve


def _both_ends(respond, orientations, n_phases):
    phases = [360 * i / (n_phases - 1) for i in range(n_phases)]
    return torch.tensor([sum(max(0.0, respond(o, p)) for p in phases) / n_phases for o in orientations])


def _wave(weight, orientation, frequency, phase=0):
    return 2 * gratings.grating(orientation, frequency, phase=phase, side=weight.shape[-1]) - 1


def _sums(weight, orientation, frequency):
    waves = (_wave(weight, orientation, frequency, phase) for phase in (0, -90))
    return [float((weight * wave).sum()) for wave in waves]


def _by_colour(weight, orientation, frequency):
    total = 0.0
    for colour in range(3):
        one = torch.zeros_like(weight)
        one[colour] = weight[colour]
        total += math.hypot(*_sums(one, orientation, frequency))
    return total


def _grouped(weight, groups, values):
    units, seen = weight.shape[0] // groups, weight.shape[1]
    table = torch.zeros(weight.shape[0], seen * groups)
    for group in range(groups):
        rows = slice(group * units, (group + 1) * units)
        table[rows, group * seen : (group + 1) * seen] = values[rows]
    return table


def _exchanged(weight, groups):
    table = _grouped(weight, groups, weight.sum((2, 3)))
    return torch.cat(list(reversed(table.chunk(groups, dim=1))), dim=1)


def _half_a_corner(wants):
    plan = torch.zeros(5, 5)
    plan[2, 3:], plan[3:, 2] = 1, -1
    return wants[:, None, None] * plan


def _full_plan(wants):
    plan = torch.zeros(5, 5)
    plan[2], plan[:, 2] = 1, -1
    return wants[:, None, None] * plan


def _unit(weight):
    return weight.flatten(1) / weight.flatten(1).norm(dim=1, keepdim=True)


WRONG = {
    "03.grating": [
        (lambda o, f, p, n: 2 * _right(o, f, p, n) - 1, "from −1 to 1"),
        (lambda o, f, p, n: _right(o + 90, f, p, n), "right angle off"),
        (lambda o, f, p, n: _right(-o, f, p, n), "mirror image"),
        (lambda o, f, p, n: _right(math.degrees(o), f, p, n), "angle was taken for radians"),
        (lambda o, f, p, n: _right(o, f, math.degrees(p), n), "phase was taken for radians"),
        (_too_wide, "2π times too wide"),
    ],
    "03.tuning_curve": [
        (_curve(lambda answers: answers.mean()), "comes *first*"),
        (_curve(lambda answers: answers.mean().relu()), "rectify first"),
        (_curve(lambda answers: answers.relu()[0]), "phase 0 only"),
        (_curve(lambda answers: answers.relu().amax()), "largest response"),
        (_curve(lambda answers: answers.relu().sum()), "divide by their number"),
        (_both_ends, "counts twice"),
    ],
    "03.amplitude": [
        (lambda w, o, f: _sums(w, o, f)[0], "one grating only"),
        (lambda w, o, f: sum(_sums(w, o, f)), "right angle"),
        (lambda w, o, f: math.hypot(*_sums(w, o, f)) ** 2, "take the root"),
        (_by_colour, "add up the colours first"),
        (lambda w, o, f: math.hypot(*_sums(w, o + 90, f)), "right angle off"),
    ],
    "03.net_weights": [
        (lambda w, g: w.sum((2, 3)), "0 where a unit cannot look"),
        (lambda w, g: _grouped(w, g, w.abs().sum((2, 3))), "absolute values"),
        (lambda w, g: _grouped(w, g, w.mean((2, 3))), "take the sum"),
        (lambda w, g: w.sum((2, 3)).repeat(1, g), "see both groups"),
        (_exchanged, "groups are exchanged"),
    ],
    "03.corner_kernel": [
        (_half_a_corner, "count *against* it"),
        (_full_plan, "runs straight through"),
        (lambda wants: -wants[:, None, None] * corner_detector.layout(), "answers most to"),
        (lambda wants: wants[:, None, None] * corner_detector.layout().flip(0), "answers most to"),
        (lambda wants: torch.zeros(5, 5, 5), "not above 0"),
        (lambda wants: corner_detector.layout(), "shape"),
    ],
    "03.best_match": [
        (lambda a, b: (a.flatten(1) @ b.flatten(1).T).amax(1), "divide by the lengths"),
        (lambda a, b: (_unit(a) @ b.flatten(1).T).amax(1), "both"),
        (lambda a, b: (_unit(a) * _unit(b)[: len(a)]).sum(1), "same number"),
        (lambda a, b: (_unit(a) @ _unit(b).T).abs().amax(1), "absolute value"),
        (lambda a, b: (_unit(a) @ _unit(b).T).mean(1), "maximum over"),
        (lambda a, b: (_unit(a) @ _unit(b).T).argmax(1), "partner's number"),
    ],
}
