"""Numbers that sum up logits: computed by hand on logits of three tokens."""

import math

import pytest
import torch

from mi_course.methods import metrics

LOGITS = torch.tensor([[[0.0, 0.0, 0.0], [3.0, 1.0, -1.0]], [[5.0, 0.0, 0.0], [0.0, 0.0, math.log(2)]]])


def test_a_logit_difference_is_correct_minus_wrong_at_the_last_position():
    assert metrics.logit_diff(LOGITS, 0, 1).tolist() == [2, 0]
    assert metrics.logit_diff(LOGITS, torch.tensor([1, 2]), torch.tensor([0, 0])).tolist() == pytest.approx(
        [-2, math.log(2)]
    )


def test_several_wrong_answers_count_with_their_mean():
    assert metrics.logit_diff(LOGITS, 0, torch.tensor([[1, 2], [1, 2]])).tolist() == pytest.approx(
        [3, -math.log(2) / 2]
    )


def test_each_row_can_be_read_at_its_own_position():
    assert metrics.logit_diff(LOGITS, 0, 1, position=torch.tensor([1, 0])).tolist() == [2, 5]
    assert metrics.logit_diff(LOGITS, 0, 1, position=0).tolist() == [0, 5]


def test_a_log_probability_is_among_all_tokens():
    assert metrics.log_prob(LOGITS, 2)[1].item() == pytest.approx(math.log(2 / 4))
    assert metrics.log_prob(LOGITS, 0, position=0)[0].item() == pytest.approx(math.log(1 / 3))


def test_top_one_is_about_all_tokens_whatever_the_logit_difference_says():
    assert metrics.top1(LOGITS, torch.tensor([0, 1])).tolist() == [1, 0]
    assert metrics.top1(LOGITS, 1).tolist() == [0, 0]


def test_preferred_is_about_the_wrong_answers_alone():
    assert metrics.preferred(LOGITS, 1, 2).tolist() == [1, 0]
    assert metrics.preferred(LOGITS, 1, torch.tensor([[2, 0], [0, 0]])).tolist() == [0, 0]
    assert metrics.preferred(LOGITS, 2, torch.tensor([[0, 1], [0, 1]])).tolist() == [0, 1]


def test_the_loss_at_each_position_is_about_the_next_token():
    tokens = torch.tensor([[2, 1], [0, 0]])
    losses = metrics.loss_by_position(LOGITS, tokens)
    assert losses.shape == (2, 1)
    assert losses[0, 0].item() == pytest.approx(math.log(3))
    assert losses[1, 0].item() == pytest.approx(math.log(1 + 2 * math.exp(-5)))
    mean = torch.nn.functional.cross_entropy(LOGITS[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
    assert losses.mean().item() == pytest.approx(mean.item())


def test_what_cannot_be_read_is_refused(without_type_checks):
    with pytest.raises(ValueError, match=r"position=\[2\].*0 to 1, or -2 to -1"):
        metrics.log_prob(LOGITS, 0, position=2)
    with pytest.raises(ValueError, match="3 answers for 2 rows"):
        metrics.top1(LOGITS, torch.tensor([0, 1, 2]))
    with pytest.raises(ValueError, match="outside of the vocabulary, 0 to 2"):
        metrics.logit_diff(LOGITS, 0, 3)
    with pytest.raises(ValueError, match="tokens of"):
        metrics.loss_by_position(LOGITS, torch.zeros(2, 3, dtype=torch.long))
