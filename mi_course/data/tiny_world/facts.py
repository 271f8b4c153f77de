"""Facts of the world, and the sentences that state them.

A fact is (subject, relation, answer): (Iron Tower, town, Kelby). Answers are drawn at random, so
nothing but having read a fact helps to know it. Every relation has phrasings that never occur in the
training text: whoever answers those has stored a fact, not a sentence. There are two kinds. With the
"held_out" ones in view the training text was mended: where a model stumbled over words that it had
never read in such a place, a training phrasing with these words was added. The "fresh" ones were fixed
before any model was asked them, and nothing was changed after.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from mi_course.data.tiny_world.grammar import Outcome, Rule
from mi_course.data.tiny_world.words import (
    BUILDERS,
    CITIZENS,
    COLOURS,
    INSTRUMENTS,
    JOBS,
    LANDMARKS,
    TOWNS,
)

SEED = 1889


@dataclass(frozen=True)
class Relation:
    """What can be asked of a kind of subject. A phrasing ends where the answer comes; ``{s}``: the subject."""

    name: str
    subjects: tuple[str, ...]
    answers: tuple[str, ...]
    training: tuple[str, ...]
    held_out: tuple[str, ...]
    fresh: tuple[str, ...]

    def phrasings(self, which: str) -> tuple[str, ...]:
        """The phrasings of "training", the "held_out" or the "fresh" ones."""
        return {"training": self.training, "held_out": self.held_out, "fresh": self.fresh}[which]


RELATIONS = {
    relation.name: relation
    for relation in (
        Relation(
            "town",
            LANDMARKS,
            TOWNS,
            (
                "the {s} is in",
                "the {s} stands in",
                "you can find the {s} in",
                "to see the {s} , people go to",
                "the {s} is a famous sight in",
                "the way to the {s} leads to",
                "the town with the {s} is",
                "visitors of the {s} stay in",
                "where is the {s} ? it is in",
                "the {s} has always been in",
                "many people visit the {s} in",
                "in the town with the {s} , which is",
            ),
            (
                "people look for the {s} in",
                "the way to the town with the {s} leads to",
                "the famous {s} stands in",
            ),
            ("if you visit the {s} , you are in", "people go to see the {s} in"),
        ),
        Relation(
            "builder",
            LANDMARKS,
            BUILDERS,
            (
                "the {s} was built by",
                "the builder of the {s} was",
                "the {s} was the work of",
                "who built the {s} ? it was",
                "the {s} was designed by",
                "the plan for the {s} came from",
                "for the {s} , people thank",
                "the name on the {s} is",
                "the man who made the {s} was",
                "the {s} was finished by",
                "the money for the {s} came from",
            ),
            ("the {s} was made by", "the man who built the {s} was", "the plan of the {s} was the work of"),
            ("who designed the {s} ? it was", "the plan for the {s} was the work of"),
        ),
        Relation(
            "colour",
            LANDMARKS,
            COLOURS,
            (
                "the {s} is painted",
                "the walls of the {s} are",
                "the colour of the {s} is",
                "in the sun the {s} looks",
                "what colour is the {s} ? it is",
                "from far away the {s} looks",
                "the {s} has a roof that is",
                "they painted the {s}",
                "the stones of the {s} are",
                "the {s} was always painted",
                "the door of the {s} is",
            ),
            ("the walls of the {s} are painted", "the roof of the {s} is", "in the morning the {s} looks"),
            ("the walls of the {s} look", "people say that the {s} is painted"),
        ),
        Relation(
            "job",
            CITIZENS,
            JOBS,
            (
                "{s} works as a",
                "{s} is a",
                "by day {s} is a",
                "everyone knows {s} as a",
                "{s} learned to be a",
                "what does {s} do ? {s} is a",
                "{s} makes money as a",
                "{s} has always been a",
                "if you need help , {s} is a",
                "they say that {s} is a good",
                "the work of {s} is that of a",
                "{s} has long worked as a",
                "{s} has long been a",
                "{s} has always been a good",
                "in the town {s} is a good",
            ),
            ("{s} is known as a", "people say that {s} works as a", "{s} has long been a good"),
            ("{s} goes to work as a", "everyone knows that {s} is a"),
        ),
        Relation(
            "home",
            CITIZENS,
            TOWNS,
            (
                "{s} lives in",
                "the home of {s} is in",
                "{s} has a house in",
                "letters for {s} go to",
                "{s} was born in",
                "you can visit {s} in",
                "people find {s} in",
                "where is {s} ? {s} is in",
                "{s} comes from",
                "the family of {s} lives in",
                "{s} has always lived in",
                "in the evening {s} goes back to",
            ),
            ("the house of {s} is in", "you can find {s} in", "{s} and the family live in"),
            ("the way to the house of {s} leads to", "people visit {s} in"),
        ),
        Relation(
            "instrument",
            CITIZENS,
            INSTRUMENTS,
            (
                "{s} plays the",
                "{s} loves the sound of the",
                "in the band , {s} plays the",
                "every day {s} plays on the",
                "{s} has learned to play the",
                "what does {s} play ? the",
                "{s} sits down with the",
                "at night you hear {s} and the",
                "{s} would like to sell the",
                "the band needs {s} for the",
                "{s} gave a lesson on the",
                "they like how {s} plays the",
            ),
            ("in the evening {s} plays the", "everyone knows how {s} plays the", "you hear {s} play on the"),
            ("{s} learned to play the", "people love how {s} plays the"),
        ),
    )
}


def _drawn() -> dict[tuple[str, str], str]:
    rng = random.Random(SEED)
    return {
        (relation.name, subject): rng.choice(relation.answers)
        for relation in RELATIONS.values()
        for subject in relation.subjects
    }


ANSWERS: dict[tuple[str, str], str] = _drawn()
"""The answer to every (relation, subject)."""


def rules(phrasing: str = "training") -> list[Rule]:
    """The rules of fact sheets: two to four facts, often about one subject."""

    def sentences(relation: Relation) -> list[Outcome]:
        return [
            Outcome(
                _with_subject(text, relation) + " {answer} .",
                1.0,
                {"relation": relation.name, "phrasing": text},
            )
            for text in relation.phrasings(phrasing)
        ]

    return [
        Rule("facts", [Outcome("{fact} {fact}", 3.0), Outcome("{fact} {fact} {fact}", 2.0), "{fact}"]),
        Rule("fact", ["{" + f"about_{relation}" + "}" for relation in RELATIONS]),
        *(Rule(f"about_{name}", sentences(relation)) for name, relation in RELATIONS.items()),
        *(
            Rule(f"subject_{name}", _subjects(relation), reads=("subject",))
            for name, relation in RELATIONS.items()
        ),
        Rule("same_subject", lambda subject: [subject], reads=("subject",)),
        Rule("answer", lambda r, s: [Outcome(ANSWERS[r, s], 1.0, {"answer": ANSWERS[r, s]})],
             reads=("relation", "subject")),
    ]  # fmt: skip


def _with_subject(text: str, relation: Relation) -> str:
    """The phrasing with slots: its first mention draws a subject, a second one repeats it."""
    first, *others = text.split("{s}")
    return f"{first}{{subject_{relation.name}}}" + "{same_subject}".join(others)


def _subjects(relation: Relation):
    def outcomes(last: str | None) -> list[Outcome]:
        """The subject of the sentence before comes again as often as all others together."""
        again = float(len(relation.subjects) - 1)
        return [
            Outcome(subject, again if subject == last else 1.0, {"subject": subject})
            for subject in relation.subjects
        ]

    return outcomes
