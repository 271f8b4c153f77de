"""Filters find their partners, wherever they were moved to; noise does not."""

import pytest
import torch

from mi_course.methods import filter_matching


@pytest.fixture
def weight():
    smooth = torch.randn(6, 3, 13, 13, generator=torch.Generator().manual_seed(0))
    inner = torch.zeros(6, 3, 13, 13)
    inner[:, :, 4:9, 4:9] = smooth[:, :, 4:9, 4:9]
    return inner


def test_a_filter_matches_itself(weight):
    found = filter_matching.match(weight, weight, most_shift=0)
    assert found.partner.tolist() == list(range(6))
    assert found.similarity.tolist() == pytest.approx([1] * 6, abs=1e-5)
    assert (found.shift == 0).all()


def test_numbers_strength_place_and_sign_do_not_matter(weight):
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    other = -2.5 * torch.roll(weight, (2, -1), dims=(2, 3))[order]
    found = filter_matching.match(weight, other, ignore_sign=True)
    assert order[found.partner].tolist() == list(range(6))
    assert found.similarity.tolist() == pytest.approx([1] * 6, abs=1e-5)
    assert found.sign.tolist() == [-1] * 6
    assert found.shift.tolist() == [[-2, 1]] * 6, "back to where the filter is"


def test_moving_the_partner_by_its_shift_lays_it_over_the_filter(weight):
    other = torch.roll(weight, (1, 2), dims=(2, 3))
    found = filter_matching.match(weight, other)
    moved = torch.roll(other[found.partner[0]], found.shift[0].tolist(), dims=(1, 2))
    assert torch.allclose(moved, weight[0])


def test_the_negative_is_no_match_unless_signs_are_ignored(weight):
    assert filter_matching.match(weight, -weight).similarity.max() < 0.6
    assert filter_matching.match(weight, -weight, ignore_sign=True).similarity.min() > 0.99


def test_more_choice_never_makes_a_match_worse(weight):
    other = torch.randn(9, 3, 13, 13, generator=torch.Generator().manual_seed(1))
    few = filter_matching.match(weight, other, most_shift=0).similarity
    more = filter_matching.match(weight, other, most_shift=2).similarity
    both = filter_matching.match(weight, other, most_shift=2, ignore_sign=True).similarity
    assert (more >= few - 1e-6).all()
    assert (both >= more - 1e-6).all()


def test_shuffled_pixels_keep_their_colours(weight):
    mixed = filter_matching.shuffle_pixels(weight, seed=0)
    assert torch.equal(mixed.flatten(2).sum(2), weight.flatten(2).sum(2)) or torch.allclose(
        mixed.sum((2, 3)), weight.sum((2, 3)), atol=1e-4
    )
    colours = sorted(map(tuple, weight[0].flatten(1).T.tolist()))
    assert sorted(map(tuple, mixed[0].flatten(1).T.tolist())) == colours
    assert filter_matching.match(weight, mixed).similarity.max() < 0.9


@pytest.mark.parametrize(
    ("side", "shift", "words"), [(9, 2, "laid over each other"), (13, -1, "0 or more")], ids=["side", "shift"]
)
def test_what_cannot_be_compared_is_refused(weight, side, shift, words, without_type_checks):
    with pytest.raises(ValueError, match=words):
        filter_matching.match(weight, torch.zeros(2, 3, side, side), most_shift=shift)
