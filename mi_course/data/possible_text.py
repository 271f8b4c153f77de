"""Is this still a text? The grammar of the tiny world knows exactly which word can follow which."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from mi_course.data.tiny_world import Belief, Grammar
from mi_course.data.tiny_world.paragraphs import rules
from mi_course.data.tiny_world.vocabulary import EOS

_ANYTHING = {"topic": "bridge", "mood": "good", "quoted": False}
"""With these, a paragraph can hold every word that any paragraph can: each topic and mood sometimes borrows from the
others, and the name of the bridge stands in paragraphs about the bridge alone."""


def possible_words(words: Sequence[str]) -> int:
    """How many of these words, counted from the first, could be the beginning of a paragraph of the tiny world.

    ``len(words)`` if all of them could: the text may be cut off anywhere. From an end-of-text token on, which must
    stand where a paragraph can end, nothing more is read. A single wrong word ends the count: "the boat was boat ." has
    3 possible words.

    Only the form is judged: frames of sentences, a noun where a noun must stand, a verb in the right number, quotation
    marks that close. It does not matter what the paragraph is about, nor whether it keeps to it. Stories about gifts
    and facts are no paragraphs.
    """
    belief = _beginning()
    for number, word in enumerate(words):
        if word == EOS:
            return len(words) if belief.after(Belief.END)[0] else number
        probability, belief = belief.after(word)
        if not probability:
            return number
    return len(words)


def is_possible(words: Sequence[str]) -> bool:
    """Whether all of these words could be the beginning of a paragraph; see `possible_words`."""
    return possible_words(words) == len(words)


@lru_cache(maxsize=1)
def _beginning() -> Belief:
    return Grammar(rules()).belief("sentences", _ANYTHING)
