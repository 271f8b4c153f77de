"""Words by what they are about: no word twice, and none forgotten."""

from itertools import combinations

import pytest

from mi_course.data import tiny_world
from mi_course.data.tiny_world.words import ADJECTIVES, LANDMARKS, NAMES, TOPICS
from mi_course.data.topic_texts import paragraphs
from mi_course.data.topic_words import FUNCTION_WORDS, about, content_words, in_mood
from mi_course.errors import UnknownName


def test_topics_and_moods_share_no_word():
    kinds = [about(topic) for topic in TOPICS] + [in_mood(mood) for mood in ADJECTIVES]
    for one, other in combinations(kinds, 2):
        assert not one & other
    assert all(kind < content_words() for kind in kinds)


def test_the_bridge_has_its_name_its_nouns_and_its_verbs():
    assert {"Amber", "Bridge", "cable", "cables", "crossed"} < about("bridge")
    assert len(about("bridge")) == 2 * 10 + 4 + 2
    assert {"lovely", "happy", "love"} < in_mood("good")


def test_every_word_is_a_content_word_or_a_function_word():
    words = set(tiny_world.vocabulary()) - {tiny_world.EOS, tiny_world.UNKNOWN}
    assert content_words() | FUNCTION_WORDS == words, "also: no function word that the world does not have"
    assert not content_words() & FUNCTION_WORDS
    assert {*NAMES, *(word for landmark in LANDMARKS for word in landmark.split())} < content_words()


def test_what_changes_with_the_topic_are_content_words_only():
    """The words that two topics do not share, in many texts of the same mood, are never function words."""
    seen = [
        {word for document in paragraphs(150, topic=topic, mood="good", seed=1) for word in document.tokens}
        for topic in ("bridge", "sea")
    ]
    assert not (seen[0] ^ seen[1]) & FUNCTION_WORDS
    assert len(FUNCTION_WORDS & seen[0]) > 20


@pytest.mark.parametrize(("kind", "wrong"), [(about, "brige"), (in_mood, "so-so")])
def test_an_unknown_topic_or_mood_is_refused(kind, wrong):
    with pytest.raises(UnknownName):
        kind(wrong)
