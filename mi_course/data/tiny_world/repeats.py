"""Texts that say something twice. Nothing but copying from the context can foretell the second time.

Half of them are strings of random words, twice or three times, and nothing else: the diet on which
induction heads grow. The others are a parrot's: a few random words in quotation marks, and again.
"""

from __future__ import annotations

from mi_course.data.tiny_world.grammar import Outcome, Rule

SHORTEST, LONGEST = 4, 24
"""Tokens in a string of random words."""

PARROT_SHORTEST, PARROT_LONGEST = 3, 12


def rules(words: tuple[str, ...]) -> list[Rule]:
    """The rules of repeated strings over ``words``."""
    strings = [
        Outcome("{any} " * length + "{copy} " * copies)
        for length in range(SHORTEST, LONGEST + 1)
        for copies in ([1, 2] if length <= 12 else [1])
    ]
    parrots = [
        Outcome('the parrot {says} : " ' + "{any} " * length + '" . {then_again} : " {copy} " .')
        for length in range(PARROT_SHORTEST, PARROT_LONGEST + 1)
    ]
    return [
        Rule("repeat", [Outcome("{strings}", 0.6), Outcome("{parrots}", 0.4)]),
        Rule("strings", strings),
        Rule("parrots", parrots),
        Rule("any", words, appends="string"),
        Rule("copy", lambda string: [" ".join(string)], reads=("string",)),
        Rule("then_again", ["then it {says} again", "later it {says} again", "soon it {says} again"]),
    ]
