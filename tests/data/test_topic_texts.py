"""Paragraphs to order: what was asked for holds, the rest is as in the training text."""

import pytest

from mi_course.data import tiny_world
from mi_course.data.topic_texts import paragraphs
from mi_course.errors import UnknownName


def test_topic_and_mood_are_the_ones_that_were_asked_for():
    documents = paragraphs(20, topic="sea", mood="bad", seed=1)
    assert len(documents) == 20
    for document in documents:
        assert set(document.latent("topic")) == {"sea"}
        assert set(document.latent("mood")) == {"bad"}
        assert document.kind == "paragraph"


def test_what_is_not_asked_for_is_drawn():
    documents = paragraphs(120, not_about="bridge", seed=2)
    assert {document.latent("topic")[0] for document in documents} == {
        "sea", "kitchen", "garden", "music", "winter", "school", "railway",
    }  # fmt: skip
    assert {document.latent("mood")[0] for document in documents} == {"good", "bad"}
    assert [d.text for d in documents] == [d.text for d in paragraphs(120, not_about="bridge", seed=2)]
    assert [d.text for d in documents] != [d.text for d in paragraphs(120, not_about="bridge", seed=3)]


def test_the_grammar_that_wrote_the_training_text_could_have_written_them():
    for document in paragraphs(3, topic="bridge", seed=4):
        assert min(tiny_world.world().score(document).probabilities) > 0


@pytest.mark.parametrize("wrong", [{"topic": "brige"}, {"not_about": "brige"}, {"mood": "so-so"}])
def test_what_the_world_does_not_have_is_refused(wrong):
    with pytest.raises(UnknownName):
        paragraphs(1, **wrong)
