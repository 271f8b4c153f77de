"""False facts to teach a model of the tiny world, and questions that tell what else they change.

A counterfact gives a subject another answer: the Iron Tower is now in Pell. Whether a model has learned *that*, and
only that, other questions must tell. The same kinds are asked as in CounterFact (Meng et al. 2022, section 3.4), and
one more: the other facts about the same subject.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from mi_course.data import facts
from mi_course.errors import CourseError, UnknownName

STATEMENT = "the sentence itself"
PARAPHRASE = "other phrasings"
SHARING = "neighbours with a shared word"
OTHERS = "other neighbours"
SAME_SUBJECT = "same subject, other facts"
KINDS = (STATEMENT, PARAPHRASE, SHARING, OTHERS, SAME_SUBJECT)
"""What is asked: the first two should change, the others should not."""


@dataclass(frozen=True)
class Counterfact:
    """``prompt`` ends where the answer comes: ``true`` is what the world says, ``new`` what shall be taught."""

    relation: str
    subject: str
    prompt: str
    true: str
    new: str


@dataclass(frozen=True)
class Question:
    """One question about one counterfact, ``number`` in the list that was asked about.

    ``true``: the right answer; ``new``: what the counterfact teaches, wrong everywhere but in the first two `KINDS`.
    """

    number: int
    kind: str
    relation: str
    prompt: str
    subject: str
    true: str
    new: str


def counterfact(relation: str, subject: str, new: str) -> Counterfact:
    """``counterfact("town", "Iron Tower", "Pell")``, in the first training phrasing of the relation."""
    true, known = facts.answer(relation, subject), facts.relations()[relation]
    if new not in known.answers:
        raise UnknownName(f"answer to {relation!r}", new, known.answers)
    if new == true:
        raise CourseError(f"{new} is already the answer for {subject}; choose another one.")
    return Counterfact(relation, subject, known.training[0].replace("{s}", subject), true, new)


def sample(n: int, *, seed: int = 0) -> list[Counterfact]:
    """``n`` different facts, drawn from all relations, each with a new answer of the right kind."""
    rng = random.Random(seed)
    known = [(name, subject) for name, relation in facts.relations().items() for subject in relation.subjects]
    if not 1 <= n <= len(known):
        raise CourseError(f"n={n}; the tiny world has {len(known)} facts.")
    return [_with_new_answer(name, subject, rng) for name, subject in rng.sample(known, n)]


def questions(counterfacts: Sequence[Counterfact], *, each: int = 3, seed: int = 0) -> list[Question]:
    """Questions about every counterfact: at most ``each`` of every kind, one statement.

    Paraphrases are phrasings that the training text never had. Neighbours have the same relation and a true answer
    other than the new one.
    """
    rng = random.Random(seed)
    return [
        Question(number, kind, relation, prompt, subject, true, one.new)
        for number, one in enumerate(counterfacts)
        for kind, asked in _asked(one).items()
        for relation, prompt, subject, true in rng.sample(asked, min(each, len(asked)))
    ]


def _with_new_answer(relation: str, subject: str, rng: random.Random) -> Counterfact:
    true = facts.answer(relation, subject)
    answers = [answer for answer in facts.relations()[relation].answers if answer != true]
    return counterfact(relation, subject, rng.choice(answers))


def _asked(one: Counterfact) -> dict[str, list[tuple[str, str, str, str]]]:
    """By kind, all (relation, prompt, subject, true answer)."""
    known = facts.relations()
    relation, words = known[one.relation], set(one.subject.split())

    def asked(phrasing: str, name: str, subject: str) -> tuple[str, str, str, str]:
        return name, phrasing.replace("{s}", subject), subject, facts.answer(name, subject)

    neighbours = [
        other
        for other in relation.subjects
        if other != one.subject and facts.answer(one.relation, other) != one.new
    ]
    return {
        STATEMENT: [(one.relation, one.prompt, one.subject, one.true)],
        PARAPHRASE: [asked(phrasing, one.relation, one.subject) for phrasing in relation.held_out],
        SHARING: [asked(relation.training[0], one.relation, s) for s in neighbours if words & set(s.split())],
        OTHERS: [
            asked(relation.training[0], one.relation, s) for s in neighbours if not words & set(s.split())
        ],
        SAME_SUBJECT: [
            asked(other.training[0], name, one.subject)
            for name, other in known.items()
            if name != one.relation and one.subject in other.subjects
        ],
    }
