"""A probe finds what is there, and nothing where there is nothing."""

import pytest
import torch

from mi_course.methods.probing import ProbeResult, linear_probe


def noise(n, features, seed):
    return torch.randn(n, features, generator=torch.Generator().manual_seed(seed))


def labels(n, classes=4):
    return torch.arange(n) % classes


def separable(n, seed, classes=4, features=12):
    directions = 6 * torch.eye(features)[:classes]
    return directions[labels(n, classes)] + noise(n, features, seed)


def test_what_lies_along_straight_lines_is_read_off_without_error():
    result = linear_probe(separable(200, 0), labels(200), separable(100, 1), labels(100))
    assert result.accuracy == 1
    assert result.chance == 0.25
    assert result.right.shape == (100,)


def test_in_noise_there_is_nothing_to_read():
    result = linear_probe(noise(400, 20, 0), labels(400), noise(1000, 20, 1), labels(1000))
    assert result.accuracy == pytest.approx(0.25, abs=0.05)


def test_shuffled_labels_bring_a_good_probe_down_to_chance():
    order = torch.randperm(400, generator=torch.Generator().manual_seed(2))
    result = linear_probe(separable(400, 0), labels(400)[order], separable(1000, 1), labels(1000))
    assert result.accuracy < 0.4


def test_what_lies_on_no_straight_line_is_not_found():
    """Whether two coordinates have the same sign: there, but not for a linear probe."""
    train, test = noise(600, 2, 0), noise(600, 2, 1)

    def same_sign(x):
        return (x.prod(dim=1) > 0).long()

    result = linear_probe(train, same_sign(train), test, same_sign(test))
    assert result.accuracy < 0.65


def test_the_scale_and_offset_of_a_feature_do_not_matter():
    scale = torch.logspace(-3, 3, 12)
    train, test = separable(200, 0) + noise(200, 12, 5) * 4, separable(200, 1) + noise(200, 12, 6) * 4
    plain = linear_probe(train, labels(200), test, labels(200))
    moved = linear_probe(train * scale + 100, labels(200), test * scale + 100, labels(200))
    assert 0.4 < plain.accuracy < 1
    assert moved.accuracy == pytest.approx(plain.accuracy, abs=0.02)


def test_chance_is_the_commonest_class_of_the_test_examples():
    uneven = torch.tensor([0] * 70 + [1] * 30)
    result = linear_probe(noise(100, 3, 0), uneven, noise(100, 3, 1), uneven)
    assert result.chance == pytest.approx(0.7)


def test_a_probe_repeats_itself_and_leaves_its_inputs_alone():
    train, test = noise(60, 5, 0), noise(60, 5, 1)
    before = train.clone(), test.clone()
    first, second = (linear_probe(train, labels(60), test, labels(60)) for _ in range(2))
    assert torch.equal(first.right, second.right)
    assert torch.equal(train, before[0])
    assert torch.equal(test, before[1])


def test_as_many_labels_as_examples_are_asked_for(without_type_checks):
    with pytest.raises(ValueError, match="train has 10 examples but 9 labels"):
        linear_probe(noise(10, 2, 0), labels(9), noise(5, 2, 1), labels(5))
    with pytest.raises(ValueError, match="test has 5 examples but 6 labels"):
        linear_probe(noise(10, 2, 0), labels(10), noise(5, 2, 1), labels(6))


RIGHT = torch.tensor([True, True, True, True, False, False, True, False])
GROUPS = torch.tensor([0, 0, 0, 0, 5, 5, 9, 9])


def test_accuracy_by_group_stands_in_the_order_of_the_groups():
    assert ProbeResult(RIGHT, 0.5).accuracy_by_group(GROUPS).tolist() == [1.0, 0.0, 0.5]


def test_the_interval_is_about_groups_not_about_examples():
    """Two hundred examples from two photographs are two samples: the interval is as wide as they differ."""
    right = torch.tensor([True] * 100 + [False] * 100)
    result = ProbeResult(right, 0.5)
    by_photograph = result.interval(torch.arange(200) // 100)
    assert (by_photograph.low, by_photograph.estimate, by_photograph.high) == (0, 0.5, 1)
    by_example = result.interval(torch.arange(200))
    assert by_example.high - by_example.low < 0.2


def test_one_group_is_too_few_for_an_interval():
    with pytest.raises(ValueError, match="at least two"):
        ProbeResult(RIGHT, 0.5).interval(torch.zeros(8, dtype=torch.long))
