"""Prompts that ask for the indirect object: "when Mary and John …, John gave a drink to" → Mary.

In the papers' words: the *subject* S gives and stands in the prompt twice, the *indirect object* IO
once, and the answer is IO. The *order* is that of the first mentions and of the giver: "ABBA" if the
one who gives was named second ("Mary and John …, John gave": IO, S, S), "BABA" if they were named first.

`corrupted` makes of every prompt one that differs in its people only, for experiments that compare the two.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import torch
from jaxtyping import Int
from torch import Tensor

from mi_course.data.tiny_world.gifts import are_strangers
from mi_course.data.tiny_world.words import GIFTS, NAMES, PLACES, STRANGERS
from mi_course.data.tiny_world.world import Document, world
from mi_course.errors import CourseError, UnknownName

Order = Literal["ABBA", "BABA", "mixed"]

FRAME = "when {a} and {b} went to the {place} , {giver} gave a {gift} to"
"""The frame of the first paper on this task, as it stands in the tiny world."""


@dataclass(frozen=True)
class IndirectObjectPrompts:
    """Prompts with the name that is right and the names that are there and wrong.

    ``correct``: the answer (IO), named once. ``giver``: S, named twice. ``wrong``: every other person of
    the prompt, the giver first. ``orders``: "ABBA" or "BABA"; for three people it says whether the
    answer is named before the giver. ``frames``: the text with its names, place and thing left out.
    """

    texts: tuple[str, ...]
    correct: tuple[str, ...]
    giver: tuple[str, ...]
    wrong: tuple[tuple[str, ...], ...]
    orders: tuple[str, ...]
    frames: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, chosen: slice) -> IndirectObjectPrompts:
        """The prompts of a slice."""
        if not isinstance(chosen, slice):
            raise TypeError(f"prompts[{chosen!r}]: choose with a slice, prompts[{chosen!r}:{chosen!r} + 1].")
        return IndirectObjectPrompts(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    def lengths(self) -> list[int]:
        """Words of each prompt: with the end-of-text token in front, also the position of its last token."""
        return [len(text.split()) for text in self.texts]


def prompts(
    n: int,
    *,
    order: Order = "mixed",
    people: Literal[2, 3] = 2,
    frames: Literal["training", "held_out", "unseen"] = "held_out",
    pairs: Literal["training", "held_out"] = "held_out",
    seed: int = 0,
) -> IndirectObjectPrompts:
    """``n`` prompts in the many wordings of the tiny world; they differ in length.

    ``people=3``: three are named, one of them a second time before the giving, so that the answer is
    neither the giver nor that one. ``frames``: wordings that training saw, held-out wordings of the same
    structures, or whole structures that are "unseen". ``pairs="held_out"``: the giver and the answer are
    never in one story of the training text. ``order="mixed"``: both orders, half and half.
    """
    _check_order(order)
    if people not in (2, 3):
        raise CourseError(f"people={people}; the prompts have 2 or 3.")
    story = {2: "two", 3: "three"}[people]
    source, rng = world(frames, pairs), random.Random(f"{seed}-{story}-{frames}-{pairs}")
    found: list[tuple] = []
    while len(found) < n:
        wanted = order if order != "mixed" else ("ABBA", "BABA")[len(found) % 2]
        document = source.document(rng, "gift")
        if document.latent("story")[-1] == story:
            row = _row(document)
            if row[4] == wanted and are_strangers(row[1], row[2]) == (pairs == "held_out"):
                found.append(row)
    return IndirectObjectPrompts(*(tuple(column) for column in zip(*found)))


def in_frame(
    n: int,
    frame: str = FRAME,
    *,
    order: Order = "ABBA",
    pairs: Literal["training", "held_out"] = "held_out",
    seed: int = 0,
) -> IndirectObjectPrompts:
    """``n`` prompts in one frame: all of one length, with every person at the same position.

    ``frame``: a text with ``{a}``, ``{b}`` and ``{giver}``, and where wanted ``{c}``, ``{again}`` (a person
    named a second time who does not give), ``{place}`` and ``{gift}``. ``order="mixed"`` alternates.
    """
    _check_order(order)
    for needed in ("{a}", "{b}", "{giver}"):
        if needed not in frame:
            raise CourseError(f"The frame has no {needed}: {frame!r}")
    three = "{c}" in frame
    if three != ("{again}" in frame):
        raise CourseError("A frame with three people needs both {c} and {again}; with two people neither.")
    rng = random.Random(f"{seed}-{frame}-{pairs}")
    found = []
    while len(found) < n:
        wanted = order if order != "mixed" else ("ABBA", "BABA")[len(found) % 2]
        correct, giver, *again = _people(rng, 3 if three else 2, strangers=pairs == "held_out")
        people = [correct, giver, *again]
        rng.shuffle(people)
        if (people.index(correct) < people.index(giver)) != (wanted == "ABBA"):
            continue
        values = {
            **dict(zip("abc", people)),
            "giver": giver,
            "again": again[0] if again else "",
            "place": rng.choice(PLACES),
            "gift": rng.choice(GIFTS),
        }
        found.append((frame.format(**values), correct, giver, (giver, *again), wanted, frame))
    return IndirectObjectPrompts(*(tuple(column) for column in zip(*found)))


def corrupted(
    prompts: IndirectObjectPrompts, people: Literal["other giver", "others"], *, seed: int = 0
) -> IndirectObjectPrompts:
    """The same prompts, word for word, with other people: what a clean run is compared with.

    "other giver": where the giver gives, the right answer gives instead. Only that word differs, and the answer
    flips. "others": every mention becomes a person of its own who is not in the prompt, so that nobody comes
    twice and no answer is right (Wang et al. 2022 call it the ABC distribution). ``correct`` and ``giver`` of
    these name who stands in the places of the old ones.
    """
    if people not in ("other giver", "others"):
        raise UnknownName("kind of corruption", people, ("other giver", "others"))
    rng = random.Random(f"{seed}-{people}")
    rows = []
    for text, correct, giver, wrong in zip(prompts.texts, prompts.correct, prompts.giver, prompts.wrong):
        words = text.split()
        if people == "other giver":
            words[_mentions(words, giver)[-1]] = correct
            rows.append((" ".join(words), giver, correct, (correct, *wrong[1:])))
            continue
        mentions = [i for i, word in enumerate(words) if word in (correct, *wrong)]
        free = [name for name in NAMES if name not in words]
        new = dict(zip(mentions, rng.sample(free, len(mentions))))
        words = [new.get(i, word) for i, word in enumerate(words)]
        places = [_mentions(text.split(), name)[-1] for name in (correct, *wrong)]
        named = tuple(words[place] for place in places)
        rows.append((" ".join(words), named[0], named[1], named[1:]))
    return IndirectObjectPrompts(*(tuple(column) for column in zip(*rows)), prompts.orders, prompts.frames)


def roles(prompts: IndirectObjectPrompts) -> dict[str, Int[Tensor, " batch"]]:
    """Where everybody stands: the position of each role in the tokens of each prompt, with the first token at 0
    being the end-of-text token in front.

    "IO": the answer. "S1" and "S2": the giver's first and second mention. "S1+1": the word behind S1.
    "END": the last word, where the answer is read. With three people also "R1", "R1+1" and "R2", of the one
    who is named again and does not give.
    """
    found: dict[str, list[int]] = {}
    for text, correct, wrong in zip(prompts.texts, prompts.correct, prompts.wrong):
        words = text.split()
        row = {"IO": _mentions(words, correct)[0], "END": len(words) - 1}
        for letter, name in zip("SR", wrong):
            first, *_, second = _mentions(words, name)
            row |= {f"{letter}1": first, f"{letter}1+1": first + 1, f"{letter}2": second}
        for role, position in row.items():
            found.setdefault(role, []).append(position + 1)
    return {role: torch.tensor(positions) for role, positions in found.items()}


def _mentions(words: list[str], name: str) -> list[int]:
    return [i for i, word in enumerate(words) if word == name]


def _people(rng: random.Random, n: int, *, strangers: bool) -> list[str]:
    """Who is right, who gives, and who is named again."""
    if strangers:
        pair = rng.sample(rng.choice(STRANGERS), 2)
        return pair + rng.sample([name for name in NAMES if name not in pair], n - 2)
    while True:
        people = rng.sample(NAMES, n)
        if not any(are_strangers(x, y) for x, y in combinations(people, 2)):
            return people


def _row(document: Document) -> tuple:
    end = next(i for i, word in enumerate(document.written) if word.role == "recipient")
    latents = document.written[end].latents
    people = [latents[key] for key in "abc" if latents.get(key)]
    correct, giver = latents["recipient"], latents["giver"]
    wrong = (giver, *(name for name in people if name not in (correct, giver)))
    order = "ABBA" if people.index(correct) < people.index(giver) else "BABA"
    before = document.written[:end]
    frame = " ".join("{" + w.role + "}" if w.role in _FILLED else w.token for w in before)
    return " ".join(w.token for w in before), correct, giver, wrong, order, frame


_FILLED = {"a", "b", "c", "place", "giver", "named_again", "gift_thing"}


def _check_order(order: str) -> None:
    if order not in ("ABBA", "BABA", "mixed"):
        raise UnknownName("order", order, ("ABBA", "BABA", "mixed"))
