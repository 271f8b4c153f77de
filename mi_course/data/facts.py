"""Questions about the facts of the tiny world: "the Iron Tower stands in" → Kelby."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mi_course.data.tiny_world.facts import ANSWERS, RELATIONS, Relation
from mi_course.errors import UnknownName


@dataclass(frozen=True)
class FactPrompts:
    """One prompt a (fact, phrasing): the text up to the answer, and what it asks for."""

    texts: tuple[str, ...]
    answers: tuple[str, ...]
    subjects: tuple[str, ...]
    relations: tuple[str, ...]
    phrasings: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)


def relations() -> dict[str, Relation]:
    """The relations by name: their subjects, possible answers and phrasings."""
    return dict(RELATIONS)


def answer(relation: str, subject: str) -> str:
    """The truth about ``subject``."""
    if relation not in RELATIONS:
        raise UnknownName("relation", relation, RELATIONS)
    if (relation, subject) not in ANSWERS:
        raise UnknownName(f"subject of {relation!r}", subject, RELATIONS[relation].subjects)
    return ANSWERS[relation, subject]


def prompts(
    relation: str | None = None, *, phrasing: Literal["training", "held_out", "fresh"] = "held_out"
) -> FactPrompts:
    """Every fact of a relation (of all relations if None) in every phrasing of that kind.

    ``phrasing``: "training" ones occur in the training text, "held_out" and "fresh" ones never do. The
    training text was mended with the held-out ones in view; the fresh ones were asked once, at the end.
    """
    if relation is not None and relation not in RELATIONS:
        raise UnknownName("relation", relation, RELATIONS)
    if phrasing not in ("training", "held_out", "fresh"):
        raise UnknownName("kind of phrasing", phrasing, ("training", "held_out", "fresh"))
    chosen = [RELATIONS[relation]] if relation else RELATIONS.values()
    rows = [
        (text.replace("{s}", subject), ANSWERS[one.name, subject], subject, one.name, text)
        for one in chosen
        for text in one.phrasings(phrasing)
        for subject in one.subjects
    ]
    return FactPrompts(*(tuple(column) for column in zip(*rows)))
