"""Which texts can stand in a paragraph: everything that the grammar writes, and nothing with a slip in it."""

import random

import pytest

from mi_course.data import tiny_world
from mi_course.data.possible_text import is_possible, possible_words
from mi_course.data.topic_texts import paragraphs
from mi_course.data.topic_words import content_words

END = tiny_world.EOS


def test_whatever_the_grammar_writes_is_possible_also_when_cut_off_anywhere():
    documents = paragraphs(25, seed=3)
    assert all(is_possible([*document.tokens, END]) for document in documents)
    words = documents[0].tokens
    assert all(is_possible(words[:n]) for n in range(len(words)))


@pytest.mark.parametrize(
    ("text", "possible"),
    [
        ("the boat was boat .", 3),
        ("the boats was lovely .", 2),
        ("the boat near the waves were lovely .", 5),
        ('the boat was lovely . Mary said : " the boat was', 11),
        ("when Mary and John went", 0),
        ("Amber", 0),
        ('Mary said : " the boat', 1),
    ],
)
def test_a_slip_ends_the_count(text, possible):
    assert possible_words(text.split()) == possible
    assert not is_possible(text.split())


def test_every_topic_and_mood_may_follow_every_other():
    text = "the boat was lovely . we saw the Amber Bridge and the spoons . there was a dreadful icicle near the stage ."
    assert is_possible(text.split())


def test_a_paragraph_may_not_end_anywhere():
    four = "the boat was lovely . " * 4
    assert is_possible([*four.split(), END, "anything", "at", "all"])
    assert possible_words(["the", "boat", END]) == 2
    assert possible_words([END]) == 0
    assert is_possible([])


def test_a_word_at_the_wrong_place_is_found_in_most_texts():
    """Two content words of different sentences change places: it must not pass as a rule, or the check is empty."""
    rng, found = random.Random(0), []
    for document in paragraphs(60, seed=5):
        words = list(document.tokens)
        places = [place for place, word in enumerate(words) if word in content_words()]
        one, other = rng.sample(places, 2)
        words[one], words[other] = words[other], words[one]
        found.append(is_possible(words))
    assert sum(found) / len(found) < 0.5
