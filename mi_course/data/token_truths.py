"""What is true at every word of a text, and what a reader can know there: what found features are held against.

A *latent* of the tiny world is a statement about one place in a text: "the paragraph is about the sea", "we are inside
a quotation", "the next word is the one who gets the gift". The grammar wrote the text, so it knows whether each holds.

A statement can hold without showing yet: nobody knows the topic after "the". So a word is only *asked about* where a
reader who knows the grammar and has read up to it is nearly sure and right, by Bayes' rule over everything that the
grammar can have meant (`SURE`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from mi_course.data import tiny_world
from mi_course.data.facts import RELATIONS
from mi_course.data.tiny_world.grammar import Word
from mi_course.data.tiny_world.words import TOPICS
from mi_course.data.tiny_world.world import Document
from mi_course.errors import CourseError, UnknownName
from mi_course.whole_file import write_whole

HELD_OUT = {"paragraph": 240, "gift": 80, "facts": 80, "repeat": 30}
"""How many documents of each kind are kept ready, labelled, to score features on: paragraphs above all, which have most
latents. They come from a seed of their own, from which no model here has seen a text."""

_FILE = Path(__file__).with_name("token_truths.safetensors")
_SEED = 13_001_300

SURE = 0.9
"""How probable a statement must be to a reader where it holds; where it does not, at most 1 − SURE."""

_NOUN = frozenset({"noun", "nouns", "thing", "things"})
_VERBS = {"were": "plural", "are": "plural", "was": "singular", "is": "singular"}


class Moment(NamedTuple):
    """A place in a text: what is bound there, the part that the word plays, and what comes next.

    ``word``: "giver", "named again", "recipient" or "subject" if the word is that one's name, else "".
    ``next_slot``: the slot that the next word fills; ``next_verb``: "singular" or "plural" before was, is, were, are.
    """

    kind: str | None
    topic: str | None
    mood: str | None
    quoted: bool
    relation: str | None
    people: int | None
    word: str
    next_slot: str
    next_verb: str


def _statements() -> dict[str, Callable[[Moment], bool]]:
    kinds = {"gift": "a gift story", "facts": "facts", "paragraph": "a paragraph", "repeat": "repeated words"}
    topics = {topic: f"about {topic}" for topic in TOPICS}
    moods = {mood: f"{mood} mood" for mood in ("good", "bad")}
    places = {
        "place": "a place",
        "gift_thing": "a gift",
        "adjective": "an adjective",
        "answer": "a fact's answer",
    }
    parts = {
        "giver": "the giver's name",
        "named again": "somebody named again",
        "recipient": "the recipient's name",
        "subject": "the subject of a fact",
    }
    return {
        **{words: _is("kind", kind) for kind, words in kinds.items()},
        "a story of three": _is("people", 3),
        **{words: _is("topic", topic) for topic, words in topics.items()},
        **{words: _is("mood", mood) for mood, words in moods.items()},
        "inside a quotation": _is("quoted", True),
        **{f"a fact: {relation}": _is("relation", relation) for relation in RELATIONS},
        **{words: _is("word", part) for part, words in parts.items()},
        "next: the recipient": _is("next_slot", "recipient"),
        "next: a copied word": _is("next_slot", "copy"),
        **{f"next: {words}": _is("next_slot", slot) for slot, words in places.items()},
        "next: a noun": lambda m: m.next_slot in _NOUN,
        "next: a plural verb": _is("next_verb", "plural"),
        "next: a singular verb": _is("next_verb", "singular"),
        **{f"next: a noun, {words}": _noun_about(topic) for topic, words in topics.items()},
        **{f"next: an adjective, {words}": _adjective_in(mood) for mood, words in moods.items()},
        **{f"next: the answer, {relation}": _answer_of(relation) for relation in RELATIONS},
    }


def _is(what: str, value) -> Callable[[Moment], bool]:
    return lambda moment: getattr(moment, what) == value


def _noun_about(topic: str) -> Callable[[Moment], bool]:
    return lambda moment: moment.next_slot in _NOUN and moment.topic == topic


def _adjective_in(mood: str) -> Callable[[Moment], bool]:
    return lambda moment: moment.next_slot == "adjective" and moment.mood == mood


def _answer_of(relation: str) -> Callable[[Moment], bool]:
    return lambda moment: moment.next_slot == "answer" and moment.relation == relation


STATEMENTS = _statements()
"""Every latent by name, as a function of a `Moment`. The list was written down before anything was scored."""

GROUPS = {
    "kind of text": ("a gift story", "facts", "a paragraph", "repeated words", "a story of three"),
    "topic": tuple(name for name in STATEMENTS if name.startswith("about ")),
    "mood, quotation": ("good mood", "bad mood", "inside a quotation"),
    "relation of a fact": tuple(name for name in STATEMENTS if name.startswith("a fact: ")),
    "this word": (
        "the giver's name",
        "somebody named again",
        "the recipient's name",
        "the subject of a fact",
    ),
    "next word": tuple(name for name in STATEMENTS if name.startswith("next: ")),
}
"""The latents by what they are about; every latent in one group."""


@dataclass(frozen=True)
class TokenTruths:
    """Documents as tokens, and for every word of them which latents hold.

    ``tokens``: rows begin with the end-of-text token and are filled up with it at the right. ``where``: the words;
    ``activation[where]`` gives one row a word, in the order of the other fields. ``holds``: whether each latent holds
    at each word; ``asked``: whether a reader could be sure of it there. ``document``: which document a word is in.

    Raises CourseError (from `label`) if there are no documents.
    """

    latents: tuple[str, ...]
    tokens: Int[Tensor, "document pos"]
    where: Bool[Tensor, "document pos"]
    holds: Bool[Tensor, "latent word"]
    asked: Bool[Tensor, "latent word"]
    document: Int[Tensor, " word"]

    @property
    def choosing(self) -> Bool[Tensor, " word"]:
        """The words of every second document. Features and thresholds are chosen here, and scored on the others."""
        return self.document % 2 == 0

    @property
    def positions(self) -> Int[Tensor, " word"]:
        """Where in its row of ``tokens`` each word stands."""
        return self.where.nonzero()[:, 1]

    def number(self, latent: str) -> int:
        """The row of a latent. Raises UnknownName."""
        if latent not in self.latents:
            raise UnknownName("latent", latent, self.latents)
        return self.latents.index(latent)

    def true(self, latent: str) -> Bool[Tensor, " word"]:
        """The words where the latent holds and a reader can know it."""
        row = self.number(latent)
        return self.holds[row] & self.asked[row]

    def shuffled(self, *, seed: int = 0) -> TokenTruths:
        """The same labels at other words: the control. Whoever finds these finds nothing but chance.

        Labels are moved along, all by one number of words, so that every latent holds as often and in stretches as
        long as before. The move is between a quarter and three quarters of the text.
        """
        n = self.holds.shape[1]
        generator = torch.Generator().manual_seed(seed)
        shift = n // 4 + int(torch.randint(max(n // 2, 1), (), generator=generator))
        return replace(self, holds=self.holds.roll(shift, dims=1), asked=self.asked.roll(shift, dims=1))


def held_out() -> TokenTruths:
    """The texts of `HELD_OUT`, in mixed order, with their labels.

    Read from a file, since labelling them takes a quarter of a minute; `label(held_out_documents())` gives the same.
    """
    from safetensors.numpy import load_file

    stored = load_file(_FILE)
    lengths, tokens = torch.from_numpy(stored["lengths"].astype(np.int64)), stored["tokens"].astype(np.int64)
    where = (torch.arange(tokens.shape[1]) >= 1) & (torch.arange(tokens.shape[1]) <= lengths[:, None])
    holds, asked = (
        torch.from_numpy(np.unpackbits(stored[name], axis=1, count=int(lengths.sum())).astype(bool))
        for name in ("holds", "asked")
    )
    return TokenTruths(
        tuple(STATEMENTS), torch.from_numpy(tokens), where, holds, asked, where.nonzero()[:, 0]
    )


def held_out_documents() -> list[Document]:
    """The documents of `held_out`, written anew by the grammar."""
    world = tiny_world.world()
    drawn = [d for kind, n in HELD_OUT.items() for d in world.documents(n, seed=_SEED, kind=kind)]
    random.Random(_SEED).shuffle(drawn)
    return drawn


def store(truths: TokenTruths, path: str | Path = _FILE) -> None:
    """Write labelled texts into the file that `held_out` reads."""
    from safetensors.numpy import save

    content = {
        "tokens": truths.tokens.numpy().astype(np.uint16),
        "lengths": truths.where.sum(dim=1).numpy().astype(np.uint8),
        "holds": np.packbits(truths.holds.numpy(), axis=1),
        "asked": np.packbits(truths.asked.numpy(), axis=1),
    }
    write_whole(Path(path), save(content))


def label(documents: Sequence[Document], *, sure: float = SURE) -> TokenTruths:
    """Every latent of `STATEMENTS` at every word of these documents; takes about 10 ms a document.

    ``sure``: see `SURE`; 0.5 or more. The documents must be of the training text (`World()`): a reader knows no other.
    """
    if not documents:
        raise CourseError("There are no documents to label.")
    if not 0.5 <= sure < 1:
        raise ValueError(f"sure={sure}; a reader is sure from some probability between 0.5 and 1 on.")
    tokens, where = as_rows(documents)
    holds, asked = [], []
    for document in documents:
        true = torch.tensor([_holding(moment) for moment in _moments(document)])
        believed = _believed(document)
        holds.append(true)
        asked.append(torch.where(true, believed > sure, believed < 1 - sure))
    return TokenTruths(
        latents=tuple(STATEMENTS),
        tokens=tokens,
        where=where,
        holds=torch.cat(holds).T.contiguous(),
        asked=torch.cat(asked).T.contiguous(),
        document=where.nonzero()[:, 0],
    )


def as_rows(
    documents: Sequence[Document],
) -> tuple[Int[Tensor, "document pos"], Bool[Tensor, "document pos"]]:
    """Documents as rows of tokens, and where their words stand: see `TokenTruths`."""
    ids = tiny_world.token_ids()
    longest = 1 + max(len(document.written) for document in documents)
    tokens = torch.full((len(documents), longest), ids[tiny_world.EOS])
    where = torch.zeros(tokens.shape, dtype=torch.bool)
    for row, document in enumerate(documents):
        words = torch.tensor([ids[token] for token in document.tokens])
        tokens[row, 1 : 1 + len(words)], where[row, 1 : 1 + len(words)] = words, True
    return tokens, where


@lru_cache(maxsize=50_000)
def _holding(moment: Moment) -> tuple[bool, ...]:
    return tuple(bool(statement(moment)) for statement in STATEMENTS.values())


def _moments(document: Document) -> list[Moment]:
    """The truth: each word's moment in the document as it was written."""
    written = document.written
    following = [(word.role, word.token) for word in written[1:]] + [("", "")]
    return [_moment(word.token, word.latents, *after) for word, after in zip(written, following)]


def _believed(document: Document) -> Tensor:
    """How probable each statement is to a reader after each word: "word latent"."""
    belief, rows = tiny_world.world().belief(), []
    for token in document.tokens:
        belief = belief.after(token)[1]
        probability: dict[Moment, float] = {}
        for (stack, memory), p in belief.hypotheses.items():
            first = stack[0] if stack else ""
            after = (first.role, first.text) if isinstance(first, Word) else (str(first), "")
            moment = _moment(token, memory, *after)
            probability[moment] = probability.get(moment, 0.0) + p
        found = torch.tensor([_holding(moment) for moment in probability], dtype=torch.float64)
        rows.append(torch.tensor(list(probability.values()), dtype=torch.float64) @ found)
    return torch.stack(rows)


def _moment(token: str, latents, next_slot: str, next_word: str) -> Moment:
    return Moment(
        latents.get("kind"),
        latents.get("topic"),
        latents.get("mood"),
        latents.get("quoted") is True,
        latents.get("relation"),
        latents.get("people"),
        _part(token, latents),
        next_slot,
        _VERBS.get(next_word, "") if next_slot in ("narrative", "spoken") else "",
    )


def _part(token: str, latents) -> str:
    for part, latent in (("recipient", "recipient"), ("giver", "giver"), ("named again", "again")):
        if token == latents.get(latent):
            return part
    return "subject" if token in latents.get("subject", "").split() else ""
