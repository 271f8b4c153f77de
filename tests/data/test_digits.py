import pytest
import torch

from mi_course.data import digits


def test_the_file_is_read_as_scikit_learn_reads_it():
    from sklearn.datasets import load_digits

    theirs, ours = load_digits(), digits.all_digits()
    assert torch.equal(ours.images * 16, torch.tensor(theirs.images, dtype=torch.float32))
    assert torch.equal(ours.labels, torch.tensor(theirs.target))


def test_ink_runs_from_zero_to_one():
    images = digits.all_digits().images
    assert images.min() == 0
    assert images.max() == 1


def test_the_three_parts_are_all_the_digits_and_share_none():
    parts = digits.parts()
    together = torch.cat([parts.learn.images, parts.choose.images, parts.test.images])
    assert torch.equal(together, digits.all_digits().images)
    assert (len(parts.learn), len(parts.choose), len(parts.test)) == (900, 300, 597)


def test_every_part_shows_every_digit():
    for part in vars(digits.parts()).values():
        assert torch.bincount(part.labels, minlength=10).min() >= 20


def test_the_nearest_look_alike_stands_near_in_the_file():
    images = digits.all_digits().images.flatten(1)
    distances = torch.cdist(images, images).fill_diagonal_(torch.inf)
    apart = (distances.argmin(dim=1) - torch.arange(len(images))).abs()
    assert apart.median() < len(images) / 10


def test_shuffling_keeps_pictures_and_counts_but_not_the_pairs():
    learn = digits.parts().learn
    shuffled = learn.with_shuffled_labels(seed=3)
    assert torch.equal(shuffled.images, learn.images)
    assert torch.equal(shuffled.labels.bincount(), learn.labels.bincount())
    assert (shuffled.labels == learn.labels).double().mean() < 0.2


def test_the_same_seed_shuffles_the_same_way():
    learn = digits.parts().learn
    assert torch.equal(learn.with_shuffled_labels(1).labels, learn.with_shuffled_labels(1).labels)
    assert not torch.equal(learn.with_shuffled_labels(1).labels, learn.with_shuffled_labels(2).labels)


def test_a_single_number_is_no_part():
    with pytest.raises(TypeError, match=r"digits\.images\[5\]"):
        digits.parts().test[5]
