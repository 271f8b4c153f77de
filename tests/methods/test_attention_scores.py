"""Where heads look: exact scores of heads whose attention is known, and scores that are what the pattern says."""

import pytest
import torch

from mi_course.data import repeated_tokens
from mi_course.methods import attention_scores
from mi_course.methods.attention_scores import duplicate_token, induction, mean_attention, previous_token
from tests.methods.planted import (
    BOS,
    N_TOKENS,
    attention_only,
    duplicate_model,
    induction_model,
    random_model,
    random_tokens,
)

PERIOD = 8
REPEATED = repeated_tokens.batch(N_TOKENS, 4, PERIOD, bos=BOS)


def uniform(back, first, end):
    """What a head that looks at itself and everything before it alike spends on one key."""
    return sum(1 / (query + 1) for query in range(first, end)) / (end - first)


def test_a_planted_previous_token_head_scores_one():
    scores = previous_token(induction_model(), REPEATED)
    assert scores["L0H0"] == 1
    assert scores.best()[0] == ("L0H0", 1.0)


def test_a_planted_induction_head_scores_one_and_only_as_such():
    model = induction_model()
    assert induction(model, REPEATED)["L1H0"] == 1
    assert previous_token(model, REPEATED[:, PERIOD + 1 :])["L1H0"] < 0.5
    assert duplicate_token(model, REPEATED)["L1H0"] == 0


def test_a_planted_duplicate_token_head_scores_one_and_only_as_such():
    model = duplicate_model()
    assert duplicate_token(model, REPEATED)["L0H0"] == 1
    assert induction(model, REPEATED)["L0H0"] == 0


@pytest.mark.parametrize("score", [induction, duplicate_token])
def test_a_head_that_looks_everywhere_alike_scores_chance(score):
    result = score(attention_only(1, 4, 2, 2), REPEATED)
    assert result["L0H0"] == pytest.approx(uniform(None, PERIOD + 1, 2 * PERIOD + 1))
    assert result.chance == pytest.approx(result["L0H0"])


def test_the_chance_of_a_previous_token_head_counts_every_query_but_the_first():
    result = previous_token(attention_only(1, 4, 1, 2), REPEATED)
    assert result.chance == pytest.approx(uniform(None, 1, 2 * PERIOD + 1))
    assert result["L0H0"] == pytest.approx(result.chance)


def test_where_nothing_comes_back_the_planted_heads_have_nothing_to_match():
    """The control: the same diagonals on rows of the same make without a repetition."""
    tokens = repeated_tokens.unrepeated(N_TOKENS, 4, 5, bos=BOS)
    assert induction(induction_model(), tokens, on="unrepeated")["L1H0"] < 0.2
    assert duplicate_token(duplicate_model(), tokens, on="unrepeated")["L0H0"] < 0.2
    assert previous_token(induction_model(), tokens, on="unrepeated")["L0H0"] == 1


def test_the_induction_score_is_the_diagonal_of_the_pattern_that_the_field_takes():
    """Offset 1 − period, over the second copy, computed from the cached pattern."""
    model = random_model()
    tokens = repeated_tokens.batch(50, 3, 8, bos=0, seed=3)
    _, cache = model.run_with_cache(tokens)
    expected = cache.stack("pattern").diagonal(offset=1 - 8, dim1=-2, dim2=-1)[..., 2:].mean(dim=(1, 3))
    assert torch.allclose(induction(model, tokens).values, expected, atol=1e-6)


def test_rows_without_a_bos_and_of_three_copies_are_scored_on_all_later_copies():
    model = random_model()
    tokens = repeated_tokens.batch(50, 3, 6, copies=3, seed=3)
    _, cache = model.run_with_cache(tokens)
    diagonal = cache.stack("pattern").diagonal(offset=-6, dim1=-2, dim2=-1)
    assert diagonal.shape[-1] == 12
    found = duplicate_token(model, tokens, period=6)
    assert torch.allclose(found.values, diagonal.mean(dim=(1, 3)), atol=1e-6)


def test_scores_of_examples_average_to_the_scores():
    scores = induction(random_model(), repeated_tokens.batch(50, 5, 8, bos=0))
    assert scores.by_example.shape == (5, 3, 4)
    assert torch.allclose(scores.by_example.mean(0), scores.values)
    assert (scores.measure, scores.unit) == ("induction score", "share of attention")


def test_without_tokens_the_rows_fit_the_model_and_repeat_themselves():
    model = random_model()
    assert torch.equal(induction(model).values, induction(model).values)
    assert not torch.equal(induction(model).values, induction(model, seed=1).values)
    assert induction(model, n=3).by_example.shape == (3, 3, 4)
    assert induction(model, period=5).chance > induction(model, period=9).chance
    for score in (induction, duplicate_token, previous_token):
        control = score(model, on="unrepeated")
        assert control.chance == pytest.approx(score(model).chance)
        assert not torch.equal(control.values, score(model).values)


def test_marked_pairs_can_differ_from_row_to_row():
    """In row 0 the last position looks at position 2, in row 1 at positions 1 and 3 together."""
    model, pairs = random_model(), torch.zeros(2, 9, 9, dtype=torch.bool)
    pairs[0, 8, 2] = pairs[1, 8, 1] = pairs[1, 8, 3] = True
    tokens = random_tokens(model, 2)
    pattern = model.run_with_cache(tokens)[1].stack("pattern")
    scores = mean_attention(model, tokens, pairs, measure="END to names")
    assert torch.allclose(scores.by_example[0], pattern[:, 0, :, 8, 2])
    assert torch.allclose(scores.by_example[1], pattern[:, 1, :, 8, 1] + pattern[:, 1, :, 8, 3])
    assert scores.measure == "END to names"
    assert scores.chance == pytest.approx((1 / 9 + 2 / 9) / 2)


def test_all_that_a_query_can_look_at_adds_up_to_one():
    model = random_model()
    everything = torch.ones(9, 9, dtype=torch.bool).tril()
    assert torch.allclose(mean_attention(model, random_tokens(model), everything).values, torch.ones(3, 4))


@pytest.mark.parametrize("score", [induction, duplicate_token])
def test_rows_that_do_not_repeat_are_refused_unless_they_are_the_control(score):
    model, tokens = random_model(), repeated_tokens.unrepeated(50, 2, 8, bos=0)
    with pytest.raises(ValueError, match=r'not a block of 8 tokens that comes twice.*on="unrepeated"'):
        score(model, tokens)
    assert score(model, tokens, on="unrepeated").values.shape == (3, 4)


@pytest.mark.parametrize("period", [7, 9, 1, 100])
def test_a_period_that_does_not_fit_the_rows_is_refused(period):
    tokens = repeated_tokens.batch(50, 2, 8, bos=0)
    with pytest.raises(ValueError, match=f"Rows of 17 tokens are not blocks of {period}"):
        induction(random_model(), tokens, period=period, on="unrepeated")


def test_pairs_that_no_head_can_follow_are_refused(without_type_checks):
    model = random_model()
    tokens, pairs = random_tokens(model), torch.zeros(9, 9, dtype=torch.bool)
    with pytest.raises(ValueError, match="marks nothing"):
        mean_attention(model, tokens, pairs)
    pairs[2, 3] = True
    with pytest.raises(ValueError, match="after their query"):
        mean_attention(model, tokens, pairs)
    with pytest.raises(ValueError, match=r"8, 8\).*have 9 positions"):
        mean_attention(model, tokens, torch.ones(8, 8, dtype=torch.bool).tril())
    with pytest.raises(ValueError, match="no previous token"):
        previous_token(model, tokens[:, :1])


def test_no_hook_stays_in_the_model():
    model = random_model()
    attention_scores.induction(model)
    assert not any(module._forward_hooks for module in model.modules())
