"""Paragraphs of the tiny world about a topic, in a mood, of one's choice: texts that differ in one thing only."""

from __future__ import annotations

import random

from mi_course.data import tiny_world
from mi_course.data.tiny_world.words import ADJECTIVES, TOPICS
from mi_course.data.tiny_world.world import Document
from mi_course.errors import UnknownName


def paragraphs(
    n: int, *, topic: str | None = None, mood: str | None = None, not_about: str | None = None, seed: int = 0
) -> list[Document]:
    """``n`` paragraphs as in the training text, except that topic and mood are given; what is not given is drawn.

    ``not_about``: a topic that is not drawn. The same for the same seed. Raises UnknownName for a topic or mood that
    the world does not have.
    """
    for name, value, known in (
        ("topic", topic, TOPICS),
        ("topic", not_about, TOPICS),
        ("mood", mood, ADJECTIVES),
    ):
        if value is not None and value not in known:
            raise UnknownName(name, value, known)
    rng, grammar = random.Random(seed), tiny_world.world().grammar
    drawn = [other for other in TOPICS if other != not_about]
    written = []
    for _ in range(n):
        latents = {
            "kind": "paragraph",
            "topic": topic or rng.choice(drawn),
            "quoted": False,
            "mood": mood or rng.choice(list(ADJECTIVES)),
        }
        written.append(Document("paragraph", tuple(grammar.write(rng, "sentences", latents))))
    return written
