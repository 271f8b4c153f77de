"""What the checks of chapter 00 say about the boxes agrees with the boxes themselves."""

import torch

from mi_course.data import digits
from mi_course.exercises import chapter_00
from mi_course.methods.glass_box import grow
from mi_course.methods.stroke_features import FEATURES, RIGHT_GAP, measure, shapes_of
from mi_course.models.black_box import train


def test_the_zero_of_the_exercise_goes_astray_where_the_check_says():
    parts = digits.parts()
    features = {**FEATURES, "right_gap": RIGHT_GAP}
    box = grow(measure(shapes_of(parts.learn.images), features), parts.learn.labels, features, rules=12)
    zero = parts.choose.images[74]
    measures = box.measures(shapes_of(zero[None])[0])
    rule = box.rule_for(measures)
    assert int(parts.choose.labels[74]) == 0
    assert rule.answer == 3
    turned = {c.feature: box.rule_after_turning(measures, c.feature).answer for c in rule.conditions}
    assert turned == chapter_00._AFTER_TURNING
    repaired = zero.clone()
    repaired[4, 2] = 1
    assert box.answer(torch.stack([repaired])).item() == 0


def test_the_black_box_is_right_about_the_three_puzzles():
    parts = digits.parts()
    box = train(parts.learn)
    for number, digit in chapter_00._PUZZLES.values():
        assert int(parts.test.labels[number]) == digit
        assert box.probabilities(parts.test.images[number : number + 1])[0, digit] > 0.9


def test_the_second_best_patch_elsewhere_is_told_from_a_nearly_best_one():
    for name, drops in chapter_00._drop_maps().items():
        row, column = chapter_00.EXERCISES[-1].reference[name]
        assert drops[row, column] == drops.max()
