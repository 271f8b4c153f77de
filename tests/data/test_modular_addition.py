"""Sums on a clock: all of them, their answers, and a split that keeps some back."""

import pytest
import torch

from mi_course.data import modular_addition


def test_all_problems_come_once_with_equals_behind():
    rows = modular_addition.problems(5)
    assert rows.shape == (25, 3)
    assert {tuple(row) for row in rows.tolist()} == {(a, b, 5) for a in range(5) for b in range(5)}


def test_answers_go_round_the_clock():
    rows = torch.tensor([[3, 1, 5], [3, 2, 5], [4, 4, 5], [0, 0, 5], [6, 6, 7]])
    assert modular_addition.answers(rows).tolist() == [4, 0, 3, 0, 5]


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_a_split_loses_nothing_and_repeats_nothing(share):
    parts = modular_addition.split(13, share=share, seed=1)
    assert len(parts.train) == int(share * 169)
    both = torch.cat([parts.train, parts.test])
    assert torch.equal(both[(13 * both[:, 0] + both[:, 1]).argsort()], modular_addition.problems(13))


def test_a_split_depends_on_its_seed_alone():
    first, again, other = (modular_addition.split(13, seed=seed).train for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_published_split_has_the_published_size():
    """Nanda et al. 2023: 3,830 pairs for training."""
    assert len(modular_addition.split(113).train) == 3830


def test_the_control_has_the_same_problems_and_answers_without_a_rule():
    parts, targets = modular_addition.control(31, share=0.5, seed=3)
    assert torch.equal(parts.train, modular_addition.split(31, share=0.5, seed=3).train)
    right = (targets == modular_addition.answers(parts.train)).float().mean()
    assert set(targets.tolist()) <= set(range(31))
    assert right < 0.1, "chance is 1/31"


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5])
def test_a_share_that_leaves_nothing_is_refused(share, without_type_checks):
    with pytest.raises(ValueError, match="between 0 and 1"):
        modular_addition.split(7, share=share)


def test_a_clock_with_one_hour_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        modular_addition.problems(1)
