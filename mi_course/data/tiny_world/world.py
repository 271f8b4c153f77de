"""The tiny world as one grammar: four kinds of documents in fixed shares."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from mi_course.data.tiny_world import facts, gifts, paragraphs, repeats
from mi_course.data.tiny_world.grammar import Belief, Grammar, Outcome, Rule, Written
from mi_course.data.tiny_world.vocabulary import EOS, ordinary_words
from mi_course.errors import UnknownName

SHARES = {"gift": 0.42, "facts": 0.33, "paragraph": 0.15, "repeat": 0.10}
"""Probability that a document is of a kind."""

LONGEST = 63
"""No document has more tokens, so that each fits behind the end-of-text token in a context of 64."""


@dataclass(frozen=True)
class Document:
    """A text with its truth.

    ``written``: one entry a token, with the slot it stands in and every latent that was bound. The
    end-of-text token that stands before and behind each document is not among them.
    """

    kind: str
    written: tuple[Written, ...]

    @property
    def tokens(self) -> tuple[str, ...]:
        return tuple(word.token for word in self.written)

    @property
    def text(self) -> str:
        return " ".join(self.tokens)

    def latent(self, name: str) -> tuple:
        """The value of a latent at each token; None where it was not bound."""
        return tuple(word.latents.get(name) for word in self.written)


@dataclass(frozen=True)
class Scored:
    """The exact probability of each token given those before it, the end of text as last entry."""

    document: Document
    probabilities: tuple[float, ...]

    @property
    def nats(self) -> tuple[float, ...]:
        """−ln p of each token: the loss of a reader who knows the grammar."""
        return tuple(-math.log(p) for p in self.probabilities)


class World:
    """The grammar with its held-out parts switched in or out.

    ``frames``, ``pairs``: wordings and people of gift stories; ``phrasing``: sentences that state facts.
    The training text is `World()`. A held-out part *replaces* the training part, it is not added to it.
    """

    def __init__(self, *, frames: str = "training", pairs: str = "training", phrasing: str = "training"):
        for name, value, known in (
            ("frames", frames, ("training", "held_out", "unseen")),
            ("pairs", pairs, ("training", "held_out")),
            ("phrasing", phrasing, ("training", "held_out", "fresh")),
        ):
            if value not in known:
                raise UnknownName(f"choice of {name}", value, known)
        kinds = [Outcome("{" + kind + "}", share, {"kind": kind}) for kind, share in SHARES.items()]
        self.grammar = Grammar(
            [
                Rule("document", kinds),
                *gifts.rules(frames, pairs),
                *facts.rules(phrasing),
                *paragraphs.rules(),
                *repeats.rules(ordinary_words()),
            ]
        )

    def document(
        self, rng: random.Random, kind: str | None = None, latents: Mapping | None = None
    ) -> Document:
        """One document, of a kind drawn by its share unless ``kind`` is given."""
        if kind is None:
            written = self.grammar.write(rng, "document", latents)
        elif kind in SHARES:
            written = self.grammar.write(rng, kind, {"kind": kind, **(latents or {})})
        else:
            raise UnknownName("kind of document", kind, SHARES)
        return Document(written[0].latents["kind"], tuple(written))

    def documents(self, n: int, *, seed: int = 0, kind: str | None = None) -> list[Document]:
        """``n`` documents; the same for the same seed."""
        rng = random.Random(seed)
        return [self.document(rng, kind) for _ in range(n)]

    def belief(self) -> Belief:
        """What a reader who knows the grammar expects at the start of a document."""
        return self.grammar.belief("document")

    def score(self, document: Document) -> Scored:
        """The exact probability of each token given those before it, and of the end after the last."""
        belief, probabilities = self.belief(), []
        for token in (*document.tokens, Belief.END):
            probability, belief = belief.after(token)
            probabilities.append(probability)
        return Scored(document, tuple(probabilities))


@lru_cache(maxsize=8)
def world(frames: str = "training", pairs: str = "training", phrasing: str = "training") -> World:
    """A `World`, made once for each choice of parts."""
    return World(frames=frames, pairs=pairs, phrasing=phrasing)


def as_ids(document: Document, ids: Mapping[str, int]) -> list[int]:
    """The document as token ids with the end-of-text token before and behind it."""
    end = ids[EOS]
    return [end, *(ids[word.token] for word in document.written), end]
