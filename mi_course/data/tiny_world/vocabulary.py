"""The vocabulary: every word that the grammar can write, one token each."""

from __future__ import annotations

from functools import lru_cache

from mi_course.data.tiny_world import facts, gifts, paragraphs, repeats
from mi_course.data.tiny_world.grammar import Memory, Rule, Word
from mi_course.data.tiny_world.words import ADJECTIVES, LANDMARKS, NAMES, PLACES, TOPICS

EOS = "<|endoftext|>"
"""Stands before and behind every document, as in GPT-2: it begins, separates and ends texts."""

UNKNOWN = "<|unk|>"
"""Stands for a word that the world does not know; never in a text of ours."""


@lru_cache(maxsize=1)
def ordinary_words() -> tuple[str, ...]:
    """All words and punctuation marks, without the two special tokens; in a fixed order."""
    rules = [*paragraphs.rules(), *repeats.rules(("the",))]
    for which in ("training", "held_out", "unseen"):
        rules += gifts.rules(which)
    for which in ("training", "held_out", "fresh"):
        rules += facts.rules(which)
    found = {word for rule in rules for word in _words_of(rule)}
    found |= {*NAMES, *PLACES, *_words_of_facts()}
    return tuple(sorted(found))


def _words_of_facts() -> set[str]:
    words = {word for landmark in LANDMARKS for word in landmark.split()}
    for relation in facts.RELATIONS.values():
        words |= {word for text in (*relation.subjects, *relation.answers) for word in text.split()}
    return words


_MEMORIES = {
    (): [Memory()],
    ("topic",): [Memory(topic=topic) for topic in TOPICS],
    ("mood",): [Memory(mood=mood) for mood in ADJECTIVES],
}
"""By what a rule reads: every state of memory that it can meet. Other rules only repeat what was written."""


def _words_of(rule: Rule) -> set[str]:
    branches = [branch for memory in _MEMORIES.get(rule.reads, ()) for branch in rule.table(memory).branches]
    return {symbol.text for branch in branches for symbol in branch.symbols if isinstance(symbol, Word)}


def vocabulary() -> tuple[str, ...]:
    """All tokens in the order of their ids: end of text, unknown, then the ordinary words."""
    return (EOS, UNKNOWN, *ordinary_words())


def token_ids() -> dict[str, int]:
    """Each token's id."""
    return {token: number for number, token in enumerate(vocabulary())}
