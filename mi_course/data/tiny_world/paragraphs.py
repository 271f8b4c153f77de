"""Paragraphs about one topic in one mood: what a word leaves behind for the words after it.

Four latents run through a paragraph. The *topic* decides most nouns and verbs, the *mood* most
adjectives; both show themselves only bit by bit. Inside a *quotation* the tense is the present and
"we" speak; it ends with the quotation mark. And a verb agrees in *number* with the head of its
subject, also where a noun of the other number stands between them.
"""

from __future__ import annotations

from mi_course.data.tiny_world.grammar import Outcome, Rule
from mi_course.data.tiny_world.words import (
    ADJECTIVES,
    FAMOUS_BRIDGE,
    FEELINGS,
    LIKING,
    NAMES,
    TOPICS,
    nouns,
    verbs,
)

ON_TOPIC = 0.94
"""Share of the nouns and verbs that come from the paragraph's topic; the others come from all topics."""

IN_MOOD = 0.92
"""Share of the adjectives that fit the mood."""

FAMOUS_SHARE = 0.4
"""Share of the nouns in a paragraph about the bridge that are its name."""

_NARRATIVE = (
    "the {thing} was {adjective} .",
    "the {things} were {adjective} .",
    "the {noun} near the {nouns} was {adjective} .",
    "the {nouns} near the {thing} were {adjective} .",
    "the {noun} behind the {nouns} was {adjective} and {adjective} .",
    "the {nouns} by the {thing} were {adjective} and {adjective} .",
    "we saw the {thing} and the {nouns} .",
    "{someone} {verb} the {thing} .",
    "{someone} {verb} the {adjective} {noun} by the {thing} .",
    "{someone} and {someone} {verb} the {nouns} .",
    "there was a {adjective} {noun} near the {thing} .",
    "there were {adjective} {nouns} near the {thing} .",
    "they {verb} the {adjective} {nouns} and the {thing} .",
    "the {noun} and the {noun} were {adjective} .",
    "nobody {verb} the {thing} .",
    "every {noun} had a {adjective} {noun} .",
)
_SPOKEN = (
    "the {thing} is {adjective} .",
    "the {nouns} are {adjective} .",
    "the {noun} near the {nouns} is {adjective} .",
    "the {nouns} near the {thing} are {adjective} .",
    "we {liking} the {thing} .",
    "we {liking} the {nouns} and the {noun} .",
    "there is a {adjective} {noun} here .",
    "there are {adjective} {nouns} here .",
)
_CLOSING = (
    "it was a {adjective} day .",
    "we were {feeling} .",
    "everyone went home {feeling} .",
    "{someone} was {feeling} about the {thing} .",
)


def _one_of_topics(mine: str, pick) -> list[Outcome]:
    outcomes = []
    for topic in TOPICS:
        share = (1 - ON_TOPIC) / len(TOPICS) + (ON_TOPIC if topic == mine else 0)
        words = pick(topic)
        outcomes += [Outcome(word, share / len(words)) for word in words]
    return outcomes


def _thing(topic: str) -> list[Outcome]:
    """A noun, or, in a paragraph about the bridge, its name."""
    plain = _one_of_topics(topic, lambda t: [singular for singular, _ in nouns(t)])
    if topic != "bridge":
        return plain
    return [Outcome(FAMOUS_BRIDGE, FAMOUS_SHARE), Outcome("{noun}", 1 - FAMOUS_SHARE)]


def _moody(words: dict[str, tuple[str, ...]]):
    def outcomes(mood: str) -> list[Outcome]:
        return [
            Outcome(word, (IN_MOOD if kind == mood else 1 - IN_MOOD) / len(words[kind]))
            for kind in words
            for word in words[kind]
        ]

    return outcomes


def rules() -> list[Rule]:
    """The rules of paragraphs."""
    return [
        Rule("paragraph", [Outcome("{mood}", 1.0, {"topic": topic, "quoted": False}) for topic in TOPICS]),
        Rule("mood", [Outcome("{sentences}", 1.0, {"mood": mood}) for mood in ("good", "bad")]),
        Rule(
            "sentences",
            [
                Outcome("{narrative} {narrative} {narrative} {closing}", 2.0),
                Outcome("{narrative} {narrative} {quotation} {closing}", 2.0),
                Outcome("{narrative} {quotation} {narrative}", 1.0),
                Outcome("{narrative} {narrative} {narrative} {narrative}", 1.0),
            ],
        ),
        Rule("narrative", _NARRATIVE),
        Rule("quotation", ["{someone} {says} : {open} {speech} {close}"]),
        Rule("says", ["said", "wrote", "called"]),
        Rule("open", [Outcome('"', 1.0, {"quoted": True})]),
        Rule("speech", [Outcome("{spoken}", 1.0), Outcome("{spoken} {spoken}", 1.0)]),
        Rule("spoken", _SPOKEN),
        Rule("close", [Outcome('"', 1.0, {"quoted": False})]),
        Rule("closing", [Outcome("", 1.5), *_CLOSING]),
        Rule("someone", NAMES),
        Rule("thing", _thing, reads=("topic",)),
        Rule("things", ["{nouns}"]),
        Rule("noun", lambda t: _one_of_topics(t, lambda x: [one for one, _ in nouns(x)]), reads=("topic",)),
        Rule(
            "nouns", lambda t: _one_of_topics(t, lambda x: [many for _, many in nouns(x)]), reads=("topic",)
        ),
        Rule("verb", lambda t: _one_of_topics(t, verbs), reads=("topic",)),
        Rule("adjective", _moody(ADJECTIVES), reads=("mood",)),
        Rule("feeling", _moody(FEELINGS), reads=("mood",)),
        Rule("liking", _moody(LIKING), reads=("mood",)),
    ]
