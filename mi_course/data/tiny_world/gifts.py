"""Stories in which somebody gives something to somebody: the indirect-object task, in many frames.

"when Mary and John went to the store , John gave a drink to" → Mary. The rule of the world is:
**the thing goes to somebody who was named once.** With two people that is the one who does not give.
With three, one of them is named a second time before the giving ("Tom was hungry ."), so leaving out
the giver is not enough. And sometimes the second sentence brings in somebody new, so leaving out
whoever it names would be wrong: a reader has to notice *repetition*.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from mi_course.data.tiny_world.grammar import Outcome, Rule
from mi_course.data.tiny_world.words import GIFTS, NAMES, PLACES, STRANGERS

_DID = (
    "went to",
    "arrived at",
    "walked to",
    "ran to",
    "were at",
    "sat down at",
    "had lunch at",
    "spent the day at",
    "worked at",
    "came back from",
    "stopped at",
    "stayed at",
    "got lost near",
    "looked around",
)
_MET = (
    "met",
    "saw",
    "found",
    "visited",
    "waited for",
    "looked for",
    "sat next to",
    "talked to",
    "played with",
)
_WHEN = ("when", "after", "while", "once", "as soon as")
_THEN = ("then", "later ,", "after a while ,", "in the end ,", "soon ,")
_TIME = ("one day", "last night", "in the morning", "on sunday", "this week")

# {people} is a list of two or three names; {a}, {b}, {rest} are names for themselves, {rest} one or two.
_OPENINGS = {
    "when we went": [f"{w} {{people}} {d} the {{place}} ," for w, d in product(_WHEN, _DID)],
    "we went. then": [f"{{people}} {d} the {{place}} . {t}" for d, t in product(_DID, _THEN)],
    "one day we went": [
        f"{t} , {{people}} {d} the {{place}} . {n}" for t, d, n in product(_TIME, _DID, _THEN)
    ],
    "A went with B": [
        f"{{a}} {d} the {{place}} with {{rest}} . {t}" for d, t in product(_DID, _THEN) if d != "were at"
    ],
    "A met B": [f"{{a}} {m} {{rest}} at the {{place}} . {t}" for m, t in product(_MET, _THEN)],
    "when A met B": [f"{w} {{a}} {m} {{rest}} at the {{place}} ," for w, m in product(_WHEN, _MET)],
    "one day A met B": [
        f"{t} , {{a}} {m} {{rest}} at the {{place}} . {n}" for t, m, n in product(_TIME, _MET, _THEN)
    ],
    "at the place, A met B": [
        f"at the {{place}} , {{a}} {m} {{rest}} . {t}" for m, t in product(_MET, _THEN)
    ],
    "at the place, we": [
        f"at the {{place}} , {{people}} {d} . {t}"
        for d, t in product(("had lunch", "sat down", "talked", "played", "looked around"), _THEN)
    ],
    "A was there, B too": [
        f"{{a}} was at the {{place}} . {{rest}} {d} too . {t}"
        for d, t in product(("came there", "stopped there", "worked there", "went there"), _THEN)
    ],
    "there were": [
        f"there {w} {{people}} at the {{place}} {x}. {t}"
        for w, x, t in product(("were", "sat", "stood"), ("", "in the morning ", "on sunday "), _THEN)
    ],
    "everyone knew": [
        f"everyone {k} {{people}} at the {{place}} . {t}"
        for k, t in product(("knew", "saw", "met", "looked for"), _THEN)
    ],
    "the day was long for": [
        f"the {d} at the {{place}} was {x} for {{people}} . {t}"
        for d, x, t in product(("day", "morning", "week"), ("long", "good", "hard"), _THEN)
    ],
    "A wanted to see B": [
        f"{{a}} wanted to see {{rest}} , so they {d} the {{place}} . {t}"
        for d, t in product(("met at", "went to", "walked to", "stopped at"), _THEN)
    ],
    "A called B": [
        f"{{a}} {c} {{rest}} from the {{place}} . {t}"
        for c, t in product(("called", "came with", "went home with", "walked back with"), _THEN)
    ],
    "the place was closed, so": [
        f"the {{place}} was {x} , so {{people}} {d} . {t}"
        for x, d, t in product(("closed", "full", "cold"), ("waited", "walked around", "sat outside"), _THEN)
    ],
}

_GAVE = ("gave", "handed", "passed", "sent", "sold", "offered", "brought", "showed", "lent", "threw")
_GIVE = ("give", "hand", "pass", "send", "sell", "offer", "bring", "show", "lend", "throw")

_GIVINGS = {
    "gave": [f"{{giver}} {g} {x} {{gift}} to" for g, x in product(_GAVE, ("a", "the"))],
    "wanted to give": [
        f"{{giver}} {w} to {g} {x} {{gift}} to"
        for w, g, x in product(("wanted", "decided", "had", "tried"), _GIVE, ("a", "the"))
    ],
    "took and gave": [
        f"{{giver}} {t} {x} {{gift}} and {g} it to"
        for t, g, x in product(("took", "bought", "found", "made"), _GAVE, ("a", "the"))
    ],
    "smiled and gave": [
        f"{{giver}} {s} and {g} {x} {{gift}} to"
        for s, g, x in product(("smiled", "stood up", "came back", "said hello"), _GAVE, ("a", "the"))
    ],
    "had a gift for": [
        f"{{giver}} {h} {x} {{gift}} for"
        for h, x in product(("had", "bought", "made", "found", "brought"), ("a", "the"))
    ],
    "it was": [f"it was {{giver}} who {g} {x} {{gift}} to" for g, x in product(_GAVE, ("a", "the"))],
    "the gift went from": [
        f"the {{gift}} {w} {{giver}} {t}"
        for w, t in (
            ("was a present from", "to"),
            ("was sent by", "to"),
            ("was given by", "to"),
            ("went from", "to"),
        )
    ],
}

_UNSEEN_OPENINGS = ("at the place, we", "A wanted to see B")
_UNSEEN_GIVINGS = ("smiled and gave",)
_EVERY = 7  # one wording in so many of the other structures is held out as well

_STATES = (
    "was tired",
    "was hungry",
    "was late",
    "looked happy",
    "looked around",
    "sat down",
    "stood up",
    "said hello",
    "wanted to play",
    "had a cold",
)
_WEATHER = (
    "it was cold .",
    "it was raining .",
    "the sun was out .",
    "it was late .",
    "the music was loud .",
    "nobody was in a hurry .",
)


def _split(structures: dict[str, list[str]], unseen: tuple[str, ...], which: str) -> list[Outcome]:
    """Each structure weighs the same, whatever the number of its wordings."""
    outcomes = []
    for number, (name, wordings) in enumerate(structures.items()):
        if which == "unseen":
            chosen = wordings if name in unseen else []
        elif name in unseen:
            continue
        else:
            held_out = {wording for i, wording in enumerate(wordings) if (i + number) % _EVERY == 3}
            chosen = [w for w in wordings if (w in held_out) == (which == "held_out")]
        outcomes += [Outcome(wording, 1 / len(chosen)) for wording in chosen]
    return outcomes


_STRANGER = dict([*STRANGERS, *((other, one) for one, other in STRANGERS)])


def are_strangers(one: str, other: str) -> bool:
    """Whether these two are never in one story of the training text."""
    return _STRANGER.get(one) == other


def _known_to(*so_far: str) -> list[str]:
    """Everybody else who may be in a story with these people."""
    return [n for n in NAMES if n not in so_far and _STRANGER.get(n) not in so_far]


def _partner(people: int, a: str) -> list[tuple[str, float]]:
    """In a story about strangers: the second person. With a third to come, half of the time somebody else."""
    others = [(name, 1.0) for name in NAMES if name not in (a, _STRANGER[a])] if people == 3 else []
    return [(_STRANGER[a], max(1.0, float(len(others)))), *others]


def _third(a: str, b: str) -> list[str]:
    """In a story about strangers: the third person, a stranger to one of the two unless they are strangers."""
    if are_strangers(a, b):
        return [name for name in NAMES if name not in (a, b)]
    return [_STRANGER[one] for one in (a, b) if one in _STRANGER]


def rules(frames: str = "training", pairs: str = "training") -> list[Rule]:
    """The rules of gift stories.

    ``frames``: wordings of "training", "held_out" wordings of the same structures, or structures that
    are "unseen". ``pairs``: in stories of "training" no two people are strangers; in "held_out" ones two are.
    """
    strangers = pairs == "held_out"

    def second(people: int, a: str) -> list[Outcome]:
        drawn = _partner(people, a) if strangers else [(name, 1.0) for name in _known_to(a)]
        return [Outcome(name, weight, {"b": name}) for name, weight in drawn]

    def third(a: str, b: str) -> list[Outcome]:
        return _bound("c", _third(a, b) if strangers else _known_to(a, b))

    return [
        Rule(
            "gift",
            [
                Outcome("{opening2} {giving}", 0.38, {"people": 2, "story": "two"}),
                Outcome("{opening3} {again} {giving}", 0.36, {"people": 3, "story": "three"}),
                Outcome("{opening2} {newcomer} {giving}", 0.16, {"people": 3, "story": "newcomer"}),
                Outcome("{opening2} {busy} {giving}", 0.10, {"people": 2, "story": "busy"}),
            ],
        ),
        Rule("opening2", [_with_people(o, 2) for o in _split(_OPENINGS, _UNSEEN_OPENINGS, frames)]),
        Rule("opening3", [_with_people(o, 3) for o in _split(_OPENINGS, _UNSEEN_OPENINGS, frames)]),
        Rule("people2", ["{a} and {b}"]),
        Rule("people3", ["{a} , {b} and {c}"]),
        Rule("rest2", ["{b}"]),
        Rule("rest3", ["{b} and {c}"]),
        Rule("a", _bound("a", tuple(_STRANGER) if strangers else NAMES)),
        Rule("b", second, reads=("people", "a")),
        Rule("c", third, reads=("a", "b")),
        Rule("place", _bound("place", PLACES)),
        Rule("again", ["{named_again} {state} . {weather}"]),
        Rule("newcomer", ["{new} {state} . {weather}"]),
        Rule("busy", ["{busy_giver} {state} . {weather}"]),
        Rule("named_again", lambda a, b, c: _bound("again", (a, b, c)), reads=("a", "b", "c")),
        Rule("new", third, reads=("a", "b")),
        Rule("busy_giver", lambda a, b: _bound("busy", (a, b)), reads=("a", "b")),
        Rule("state", _STATES),
        Rule("weather", [Outcome("", 5.0), *_WEATHER]),
        Rule("giving", [Outcome(f"{o.text} {{recipient}} {{ending}}", o.weight) for o in _giving(frames)]),
        Rule("giver", _givers, reads=("a", "b", "c", "again", "busy")),
        Rule("gift_thing", _bound("gift", GIFTS)),
        Rule("recipient", _recipients, reads=("a", "b", "c", "again", "giver")),
        Rule(
            "ending",
            [
                Outcome(".", 4.0),
                Outcome("and went home .", 1.0),
                Outcome(". {thankful} said thank you .", 1.5),
                Outcome(". {generous} smiled .", 1.0),
            ],
        ),
        Rule("thankful", lambda recipient: [recipient], reads=("recipient",)),
        Rule("generous", lambda giver: [giver], reads=("giver",)),
    ]


def _bound(latent: str, words: Sequence[str]) -> list[Outcome]:
    """One outcome a word, all equally probable, each bound to ``latent``."""
    return [Outcome(word, 1.0, {latent: word}) for word in words]


def _with_people(outcome: Outcome, number: int) -> Outcome:
    text = outcome.text.replace("{people}", f"{{people{number}}}").replace("{rest}", f"{{rest{number}}}")
    return Outcome(text, outcome.weight)


def _giving(frames: str) -> list[Outcome]:
    return [
        Outcome(o.text.replace("{gift}", "{gift_thing}"), o.weight)
        for o in _split(_GIVINGS, _UNSEEN_GIVINGS, frames)
    ]


def _givers(a, b, c, again, busy) -> list[Outcome]:
    people = [busy] if busy else [name for name in (a, b, c) if name and name != again]
    return _bound("giver", people)


def _recipients(a, b, c, again, giver) -> list[Outcome]:
    people = [name for name in (a, b, c) if name and name not in (again, giver)]
    return _bound("recipient", people)
