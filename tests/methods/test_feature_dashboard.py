"""What a dashboard says is in the texts, and its logit effects are those of the unembedding."""

import pytest
import torch

from mi_course.methods.feature_dashboard import dashboard, logit_effects
from tests.widgets.small_language_model import small_language_model

TOKENS = torch.tensor([[0, 5, 6, 7, 8, 0], [0, 9, 4, 3, 0, 0], [0, 2, 3, 0, 0, 0]])
WHERE = torch.tensor([[0, 1, 1, 1, 1, 0], [0, 1, 1, 1, 0, 0], [0, 1, 1, 0, 0, 0]], dtype=torch.bool)
ACTIVITY = torch.tensor([0.0, 2.0, 0.5, 0.0, 0.0, 8.0, 1.0, 0.0, 0.0])


@pytest.fixture(scope="module")
def model():
    return small_language_model()


@pytest.fixture(scope="module")
def seen(model):
    return dashboard(model, ACTIVITY, model.W_U[:, 4], TOKENS, WHERE, feature=3, bins=4)


def test_the_strongest_texts_come_first_and_each_once(model, seen):
    assert [example.text for example in seen.top] == [1, 0]
    strongest = seen.top[0]
    assert strongest.words[strongest.at] == model.to_str_tokens([4])[0]
    assert strongest.activity.tolist() == [0, 8, 1]
    assert str(strongest).endswith("]")


def test_weaker_examples_are_active_but_less_than_half_as_much(seen):
    values = sorted(float(example.activity[example.at]) for example in seen.weaker)
    assert values == [0.5, 1.0, 2.0]


def test_the_histogram_counts_every_active_word(seen):
    assert seen.counts.tolist() == [2, 1, 0, 1]
    assert seen.edges.tolist() == [0, 2, 4, 6, 8]
    assert seen.density == pytest.approx(4 / 9)
    assert seen.largest == 8


def test_a_feature_that_is_never_active_has_no_examples(model):
    seen = dashboard(model, torch.zeros(9), model.W_U[:, 4], TOKENS, WHERE)
    assert seen.top == seen.weaker == ()
    assert seen.counts.sum() == 0


def test_logit_effects_are_what_a_small_step_does_to_the_logits_but_for_the_scale(model):
    """Behind the last layer norm, a step along a direction moves all logits by its effects, in one common ratio."""
    generator = torch.Generator().manual_seed(0)
    resid, direction = torch.randn(2, model.config.d_model, generator=generator)
    direction = direction - (direction @ resid) / (resid @ resid) * resid
    resid, direction = resid - resid.mean(), direction - direction.mean()
    direction = direction - (direction @ resid) / (resid @ resid) * resid  # changes no length, to first order
    with torch.no_grad():
        steps = [model.unembed((resid + s * direction)[None, None])[0, 0].double() for s in (-0.01, 0.01)]
    moved = (steps[1] - steps[0]) / 0.02
    moved, effects = moved - moved.mean(), logit_effects(model, direction).double()
    assert torch.corrcoef(torch.stack([moved, effects]))[0, 1] > 0.999
    assert effects.mean().abs() < 1e-5


def test_texts_and_activity_must_fit(model):
    with pytest.raises(ValueError, match=r"5 values.*9 words"):
        dashboard(model, torch.zeros(5), model.W_U[:, 4], TOKENS, WHERE)
