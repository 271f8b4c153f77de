"""Loss early and late: a planted copier is sure of the second copy, a model that knows nothing never gets better."""

import math

import pytest
import torch

from mi_course.data import repeated_tokens
from mi_course.methods.in_context_learning import copy_losses, in_context_learning
from mi_course.methods.metrics import loss_by_position
from tests.methods.planted import BOS, N_TOKENS, attention_only, induction_model, random_model, random_tokens

REPEATED = repeated_tokens.batch(N_TOKENS, 6, 8, bos=BOS)


def test_a_planted_induction_head_is_sure_of_the_second_copy():
    result = copy_losses(induction_model(), REPEATED)
    assert result.late.max() < 1e-4
    assert result.early.min() > 1
    assert result.score == pytest.approx(-result.early.mean().item(), abs=1e-3)


def test_without_a_repetition_the_same_model_is_sure_of_nothing():
    """The control: what stands for the second copy is new."""
    tokens = repeated_tokens.unrepeated(N_TOKENS, 6, 5, bos=BOS)
    assert copy_losses(induction_model(), tokens).late.min() > 1


def test_a_model_that_finds_all_tokens_alike_has_the_same_loss_everywhere():
    result = copy_losses(attention_only(1, 4, 1, 4), REPEATED)
    assert torch.allclose(result.early, torch.full((6,), math.log(N_TOKENS)))
    assert result.by_example.abs().max() < 1e-6


def test_the_first_token_of_either_copy_is_left_out():
    model = random_model()
    for bos in (None, 0):
        tokens = repeated_tokens.batch(50, 3, 6, bos=bos)
        losses, start = loss_by_position(model(tokens), tokens), int(bos is not None)
        result = copy_losses(model, tokens)
        assert torch.allclose(result.early, losses[:, start : start + 5].mean(1))
        assert torch.allclose(result.late, losses[:, start + 6 : start + 11].mean(1))


def test_positions_name_the_predicted_token():
    model = random_model()
    tokens = random_tokens(model, 3)
    losses = loss_by_position(model(tokens), tokens)
    result = in_context_learning(model, tokens, early=1, late=-1)
    assert torch.equal(result.early, losses[:, 0])
    assert torch.equal(result.by_example, losses[:, -1] - losses[:, 0])
    slices = in_context_learning(model, tokens, early=slice(1, 3), late=slice(-2, None))
    assert torch.allclose(slices.late, losses[:, -2:].mean(1))
    assert torch.allclose(slices.early, losses[:, :2].mean(1))
    assert result.interval().estimate == pytest.approx(result.score)


def test_positions_that_nothing_predicts_are_refused():
    model = random_model()
    for early in (0, slice(0, 3), slice(5, 5)):
        with pytest.raises(ValueError, match=r"early=.*predicted tokens are 1 to 8"):
            in_context_learning(model, random_tokens(model), early=early, late=8)


def test_rows_that_are_not_two_copies_are_refused():
    with pytest.raises(ValueError, match="Rows of 17 tokens are not a block of 7 twice"):
        copy_losses(random_model(), repeated_tokens.batch(50, 2, 8, bos=0), period=7)
