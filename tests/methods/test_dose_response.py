"""What is said about steered texts is counted from these texts, and what it costs from the losses."""

from functools import partial

import pytest
import torch

from mi_course.data import tiny_world
from mi_course.errors import CourseError, UnknownName
from mi_course.methods.dose_response import SteeredModel, dose_response
from mi_course.methods.metrics import loss_by_position
from mi_course.methods.steering import add
from mi_course.methods.uncertainty import wilson_interval
from mi_course.methods.writing import write_on
from tests.methods.planted_facts import random_with_words

FOXLESS = ["a cold owl .", "the old cat is in Rome .", "the dog lives in Bern ."]
TEXTS = ["the fox lives in Rome .", "a cold owl ."]


def steered(*texts, prompt="we saw the", losses=None):
    return SteeredModel(tuple(prompt.split()), tuple(tuple(text.split()) for text in texts), losses or {})


@pytest.fixture(scope="module")
def model():
    return random_with_words(seed=1).requires_grad_(False)


@pytest.fixture(scope="module")
def push(model):
    """Towards the word "fox", as the unembedding reads it."""
    return model.W_U[:, model.to_single_token("fox")], f"blocks.{model.config.n_layers - 1}.hook_resid_post"


def test_a_push_towards_a_word_makes_the_model_say_it_and_dose_0_changes_nothing(model, push):
    direction, at = push
    found = dose_response(
        model,
        partial(add, direction, at=at),
        (0, 20),
        "the old",
        read={"texts": FOXLESS},
        n_texts=8,
        n_tokens=6,
    )
    assert list(found) == [0, 20]
    assert found[20].share({"fox"}, {"fox", "owl", "cat", "dog", "Rome"}).estimate > 0.7
    assert found[0].share({"fox"}, {"fox", "owl", "cat", "dog", "Rome"}).estimate < 0.5
    assert found[20].damage("texts", found[0]).low > 0
    assert found[0].damage("texts", found[0]).estimate == 0
    plain = write_on(model, model.to_tokens("the old").repeat(8, 1), 6, seed=0)
    end = model.tokenizer.end
    for row, words in zip(plain, found[0].written):
        want = model.to_str_tokens(row)[3:]
        want = want[: want.index(end) + 1] if end in want else want
        assert list(words) == want


def test_the_loss_is_the_mean_over_the_tokens_of_each_text(model, push):
    direction, at = push
    found = dose_response(
        model, partial(add, direction, at=at), (1.5,), "the", read={"texts": TEXTS}, n_texts=2, n_tokens=1
    )
    for text, got in zip(TEXTS, found[1.5].losses["texts"]):
        tokens = model.to_tokens(text)
        logits = model.run_with_hooks(tokens, add(direction, 1.5, at=at))
        assert float(got) == pytest.approx(float(loss_by_position(logits, tokens).mean()), abs=1e-4)
    assert found[1.5].loss("texts").estimate == pytest.approx(float(found[1.5].losses["texts"].mean()))


def test_shares_count_words_of_all_texts_together():
    """1 of 1 and 1 of 3 are 2 of 4, not two thirds; words that are not among those that count are no words."""
    found = steered("cable of of the", "cable boat boat the")
    assert found.share({"cable", "the"}, {"cable", "boat"}).estimate == pytest.approx(0.5)
    assert found.texts == ("we saw the cable of of the", "we saw the cable boat boat the")


def test_possible_texts_are_judged_with_their_prompt():
    end, two = tiny_world.EOS, "boat and the waves . the boat was lovely ."
    found = steered(two, f"{two} the fish was bright . {end}", f"{two} {end}", f"boat {end}", "boat boat")
    assert found.possible() == wilson_interval(2, 5), "too short for an end are the third and the fourth"
    assert steered("boat .", "lovely boat", prompt="there was a").possible() == wilson_interval(1, 2)


def test_damage_compares_every_text_with_itself():
    """Texts differ in their loss by far more than the steering changes: drawn apart, the interval would show that."""
    base = torch.tensor([1.0, 3.0, 0.5, 6.0, 2.0, 4.0])
    before, after = steered("a", losses={"sea": base}), steered("a", losses={"sea": 1.1 * base})
    found = after.damage("sea", before)
    assert found.estimate == pytest.approx(0.1, abs=1e-5)
    assert found.high - found.low < 1e-3
    assert before.damage("sea", after).estimate == pytest.approx(1 / 1.1 - 1, abs=1e-5)


def test_what_was_not_read_has_no_loss():
    with pytest.raises(UnknownName, match="sea"):
        steered("a", losses={"sea": torch.ones(2)}).loss("see")


def test_one_text_is_an_anecdote(model, push):
    direction, at = push
    with pytest.raises(CourseError, match="two at least"):
        dose_response(model, partial(add, direction, at=at), (0,), "the", n_texts=1)
