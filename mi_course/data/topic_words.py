"""Which words are about what: the bridge, the sea, good and bad, or nothing at all.

A *content word* is a word that has a meaning of its own: a noun, a verb, an adjective, an adverb, a name. The others
("the", "of", "was", "they") hold a sentence together and occur in every text; they are listed here by hand.
"""

from __future__ import annotations

from functools import cache

from mi_course.data.tiny_world.vocabulary import ordinary_words
from mi_course.data.tiny_world.words import ADJECTIVES, FAMOUS_BRIDGE, FEELINGS, LIKING, TOPICS, nouns, verbs
from mi_course.errors import UnknownName

_FUNCTION_WORDS = """
    . , : ? " a the this that every and so if then when while after where what which who how too
    of to in on at by as for from with about near behind around up out down away back
    it we they you one nobody everyone there here
    is are was were be been do does had has can would
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Words that occur whatever a text is about, and punctuation."""


@cache
def content_words() -> frozenset[str]:
    """Every word of the tiny world that is not a function word."""
    return frozenset(ordinary_words()) - FUNCTION_WORDS


@cache
def about(topic: str) -> frozenset[str]:
    """The nouns and verbs of a topic; of the bridge also the two words of its name.

    Topics: "bridge", "sea", "kitchen", "garden", "music", "winter", "school", "railway". No word is of two topics.
    """
    if topic not in TOPICS:
        raise UnknownName("topic", topic, TOPICS)
    words = {word for pair in nouns(topic) for word in pair} | set(verbs(topic))
    return frozenset(words | set(FAMOUS_BRIDGE.split()) if topic == "bridge" else words)


@cache
def in_mood(mood: str) -> frozenset[str]:
    """The adjectives, feelings and verbs of liking that belong to a mood, "good" or "bad"."""
    if mood not in ADJECTIVES:
        raise UnknownName("mood", mood, ADJECTIVES)
    return frozenset(ADJECTIVES[mood] + FEELINGS[mood] + LIKING[mood])
