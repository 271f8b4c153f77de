"""The check-up asks what it says, and counts what the model answers."""

import pytest
import torch

import mi_course as mc
from mi_course.data import facts, indirect_object
from mi_course.methods.edit_scores import text_loss
from mi_course.methods.sealed import symptoms


@pytest.fixture(scope="module")
def model():
    return mc.load("tiny-world").requires_grad_(False)


def test_a_sound_model_passes_and_an_untrained_one_fails(model):
    sound = symptoms.check_up(model, n=12)
    assert list(sound) == ["gifts, two people", "gifts, three people", "facts", "said twice"]
    assert all(right.float().mean() > 0.9 for right in sound.values())
    assert all(len(right) == 12 for name, right in sound.items() if name != "said twice")
    untrained = symptoms.check_up(mc.load("tiny-world-untrained"), n=12)
    assert all(right.float().mean() < 0.2 for right in untrained.values())


def test_texts_of_different_lengths_are_read_at_their_own_ends(model):
    stories = indirect_object.prompts(5, seed=3)
    one_by_one = [model(model.to_tokens(text))[0, -1].argmax().item() for text in stories.texts]
    assert symptoms.first_guesses(model, stories.texts, chunk_size=2).tolist() == one_by_one


def test_says_compares_with_each_texts_own_answer(model):
    text = "the Iron Tower is in"
    truth = facts.answer("town", "Iron Tower")
    assert symptoms.says(model, [text, text], [truth, "Mary"]).tolist() == [True, False]


def test_losses_are_those_of_the_texts(model):
    losses = symptoms.text_losses(model, n=4)
    texts = [d.text for d in symptoms.world().documents(4, seed=symptoms.HELD_OUT_SEED)]
    assert torch.allclose(losses, text_loss(model, texts), atol=1e-5)
    word = texts[0].split()[0]
    kept = sum(word not in text.split() for text in texts)
    assert len(symptoms.text_losses(model, n=4, without=word)) == kept < 4
