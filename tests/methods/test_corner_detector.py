"""A corner detector of hand-set weights, on a network whose stripes are known."""

import pytest
import torch

from mi_course.data import gratings
from mi_course.methods import corner_detector, tuning_curves, weight_surgery
from tests.methods.striped_network import striped

DIRECTIONS = tuple(range(0, 360, 45))


def answers(quarter_turns=0, group=0, shuffled=None):
    model = striped()
    kernel = corner_detector.kernel(model, group=group, quarter_turns=quarter_turns)
    if shuffled is not None:
        kernel = weight_surgery.shuffle_places(kernel, seed=shuffled)
    model = weight_surgery.replace_unit(model, 2, 2 * group + 1, kernel)
    pictures = torch.stack([gratings.corner(direction, side=48) for direction in DIRECTIONS])
    return tuning_curves.middle_responses(model, "conv2.pre", pictures)[:, 2 * group + 1]


def test_level_and_upright_channels_are_told_apart():
    found = corner_detector.level_minus_upright(striped())
    assert found[[0, 4]].tolist() == pytest.approx([1, 1], abs=0.35)
    assert found[[1, 5]].tolist() == pytest.approx([-1, -1], abs=0.35)
    assert found[[2, 3, 6, 7]].abs().max() < 0.3


def test_the_layout_is_a_cross_that_sums_to_nothing():
    grid = corner_detector.layout()
    assert grid.sum() == 0
    assert grid[2].tolist() == [-1, -1, 0, 1, 1]
    assert grid[:, 2].tolist() == [1, 1, 0, -1, -1]
    turned = corner_detector.layout(quarter_turns=1)
    assert turned[2].tolist() == [-1, -1, 0, 1, 1], "level still wanted on the right"
    assert turned[:, 2].tolist() == [-1, -1, 0, 1, 1], "upright now wanted above"
    assert torch.equal(corner_detector.layout(quarter_turns=4), grid)


@pytest.mark.parametrize("quarter_turns", range(4))
def test_it_answers_most_to_its_own_corner(quarter_turns):
    found = answers(quarter_turns)
    assert DIRECTIONS[int(found.argmax())] == (315 + 90 * quarter_turns) % 360
    # Between two of its corners' directions lie others that share one edge with it.
    assert found.max() > 1.5 * found.sort().values[-2]


def test_the_second_group_has_the_same_parts():
    assert DIRECTIONS[int(answers(group=1).argmax())] == 315


def test_it_is_the_arrangement_that_counts():
    best = answers().max()
    assert all(answers(shuffled=seed)[DIRECTIONS.index(315)] < 0.5 * best for seed in range(3))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: corner_detector.layout(4), "odd number"),
        (lambda: corner_detector.kernel(striped(), group=2), "groups 0 to 1"),
    ],
    ids=["side", "group"],
)
def test_what_cannot_be_built_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
