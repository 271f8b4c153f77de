"""Scores that can be counted by hand, and choices that are not made where they are judged."""

import pytest
import torch

import mi_course as mc
from mi_course.data import token_truths
from mi_course.data.token_truths import TokenTruths
from mi_course.errors import UnknownName
from mi_course.methods import latent_scores
from tests.type_checks import unchecked


def texts(holds, asked=None, words_a_text=5):
    """Labels for texts of five words each, which have no tokens worth mentioning."""
    holds = torch.as_tensor(holds, dtype=torch.bool)
    n = holds.shape[1] // words_a_text
    where = torch.ones(n, words_a_text + 1, dtype=torch.bool)
    where[:, 0] = False
    return TokenTruths(
        tuple(f"latent {i}" for i in range(len(holds))),
        torch.zeros(n, words_a_text + 1, dtype=torch.long),
        where,
        holds,
        torch.ones_like(holds) if asked is None else asked,
        where.nonzero()[:, 0],
    )


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def random_truths():
    return texts(noise(3, 400, seed=1) > 1)


def test_hits_false_alarms_and_misses_are_counted_on_the_other_half():
    truths = texts([[1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0]])
    value = torch.tensor([2.0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 2.0, 2, 0, 0, 0, 0, 0, 2, 0, 0])[:, None]
    found = latent_scores.best_features(value, truths)
    assert truths.choosing.tolist() == ([True] * 5 + [False] * 5) * 2
    assert found.hits.tolist() == [[1, 1]]
    assert found.false_alarms.tolist() == [[1, 0]]
    assert found.misses.tolist() == [[1, 1]]
    assert found.precision.item() == pytest.approx(2 / 3)
    assert found.recall.item() == pytest.approx(1 / 2)
    assert found.f1.item() == pytest.approx(2 * 2 / (2 * 2 + 1 + 2))


def test_the_feature_that_was_planted_is_found_with_its_threshold(random_truths):
    values = noise(400, 30, seed=2).relu()
    values[:, 7] = random_truths.holds[1] * 3.0 + 0.2
    found = latent_scores.best_features(values, random_truths)
    assert found.feature[1] == 7
    assert 0.19 < found.threshold[1] < 3.2
    assert found.f1[1] == 1
    assert found.f1[0] < 0.6
    assert found.interval("latent 1").low == 1


def test_a_low_value_says_yes_only_if_both_signs_may(random_truths):
    values = -2.0 * random_truths.holds[2].float()[:, None]
    both = latent_scores.best_features(values, random_truths, both_signs=True)
    assert both.f1[2] == 1
    assert both.sign[2] == -1
    assert latent_scores.best_features(values, random_truths).f1[2] < 0.5


def test_words_that_are_not_asked_about_do_not_count(random_truths):
    values = random_truths.holds[:1].float().T.clone()
    wrong = torch.zeros(400, dtype=torch.bool)
    wrong[5:10] = True
    values[wrong] = 1 - values[wrong]
    asked = (~wrong).expand(3, -1)
    with_them = latent_scores.best_features(values, random_truths)
    without = latent_scores.best_features(values, texts(random_truths.holds, asked))
    assert with_them.f1[0] < 1
    assert without.f1[0] == 1


def test_counting_the_active_words_alone_finds_the_same(random_truths, monkeypatch):
    values = (noise(400, 40, seed=7) - 1.5).relu()
    values[:, 9] *= random_truths.holds[0]
    values[:, 11] = 0.0
    quick = latent_scores.best_features(values, random_truths)
    monkeypatch.setattr(latent_scores, "SPARSE", 0.0)
    slow = latent_scores.best_features(values, random_truths)
    assert torch.equal(quick.feature, slow.feature)
    torch.testing.assert_close(quick.threshold, slow.threshold)
    torch.testing.assert_close(quick.f1, slow.f1)


def test_among_many_random_features_the_best_one_is_good_only_where_it_was_chosen():
    truths = texts(noise(1, 60, seed=5) > 0.5)
    values = noise(60, 2000, seed=6)
    found = latent_scores.best_features(values, truths)
    yes = values[:, int(found.feature[0])] > found.threshold[0]
    on, holds = truths.choosing, truths.holds[0]
    hits = (yes & holds)[on].sum()
    there = latent_scores.f1_score(
        hits.float(), (yes & ~holds)[on].sum().float(), (~yes & holds)[on].sum().float()
    )
    assert there > 0.75
    assert found.f1[0] < there - 0.15


def test_a_probe_finds_what_lies_along_a_line_and_no_coordinate_has(random_truths):
    direction = noise(20, seed=9)
    values = noise(400, 20, seed=3) + 1.5 * random_truths.holds[0].float()[:, None] * direction
    probe = latent_scores.linear_probes(values, random_truths)
    coordinate = latent_scores.best_features(values, random_truths, both_signs=True)
    assert probe.f1[0] > 0.9
    assert probe.f1[0] > coordinate.f1[0] + 0.1
    assert probe.f1[1] < 0.5
    assert (probe.feature == -1).all()


def test_always_yes_has_recall_1_and_the_base_rate_as_precision(random_truths):
    found = latent_scores.always_yes(random_truths)
    assert (found.recall == 1).all()
    base = random_truths.holds[:, ~random_truths.choosing].float().mean(1)
    torch.testing.assert_close(found.precision, base)


def test_one_feature_is_scored_for_every_latent(random_truths):
    values = noise(400, 5, seed=4)
    values[:, 3] = random_truths.holds[2].float()
    found = latent_scores.one_feature(values, 3, random_truths)
    assert (found.feature == 3).all()
    assert found.f1.argmax() == 2
    assert found.f1[2] == 1


def test_a_difference_is_resampled_in_pairs(random_truths):
    values = random_truths.holds.float().T.clone()
    perfect = latent_scores.best_features(values, random_truths)
    assert all(d.estimate == d.low == d.high == 0 for d in perfect.above(perfect))
    less = latent_scores.best_features(values + 0.8 * noise(400, 3, seed=8), random_truths)
    assert all(d.low > 0 for d in perfect.above(less))


@unchecked()
def test_activations_stand_in_the_order_of_the_words():
    model = mc.load("tiny-world").requires_grad_(False)
    truths = token_truths.held_out()
    few = TokenTruths(
        truths.latents,
        truths.tokens[:9],
        truths.where[:9],
        truths.holds,
        truths.asked,
        truths.document[truths.document < 9],
    )
    names = ["blocks.1.hook_resid_pre", "blocks.0.mlp.hook_post"]
    found = latent_scores.activations(model, few, names, rows=4)
    _, cache = model.run_with_cache(few.tokens, names)
    for name in names:
        torch.testing.assert_close(found[name], cache[name][few.where], atol=1e-4, rtol=1e-4)


def test_errors_say_what_was_expected(random_truths):
    with pytest.raises(ValueError, match=r"400 words.*activation\[truths\.where\]"):
        latent_scores.best_features(noise(3, 2), random_truths)
    with pytest.raises(ValueError, match="different texts"):
        latent_scores.always_yes(random_truths).above(latent_scores.always_yes(texts(torch.zeros(3, 50))))
    with pytest.raises(UnknownName, match="latent"):
        latent_scores.always_yes(random_truths).interval("no such")
