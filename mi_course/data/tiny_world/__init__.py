"""A small world whose texts come with their truth.

    world()               the grammar: writes documents, and scores them exactly
    World.documents       texts with, for every token, the slot it stands in and the latents behind it
    World.score           the exact probability of every token: the loss that no model can beat
    token_ids, EOS        the vocabulary, one token a word

Gift stories (`gifts`), facts (`facts`), paragraphs with topic, mood, quotations and agreement
(`paragraphs`), and strings said twice (`repeats`). Parts of the first two never occur in training.
"""

from mi_course.data.tiny_world.grammar import Belief, Grammar, Written
from mi_course.data.tiny_world.vocabulary import EOS, UNKNOWN, token_ids, vocabulary
from mi_course.data.tiny_world.world import SHARES, Document, Scored, World, as_ids, world

__all__ = [
    "EOS",
    "SHARES",
    "UNKNOWN",
    "Belief",
    "Document",
    "Grammar",
    "Scored",
    "World",
    "Written",
    "as_ids",
    "token_ids",
    "vocabulary",
    "world",
]
