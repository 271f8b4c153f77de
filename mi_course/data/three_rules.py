"""Texts of 64 words that follow three rules, each out of reach of a smaller network than the next.

Every text has a season and three phrases of its own, and says the phrases over and over in random order:

    pairs      after "salt" comes "pepper", and there are seven more pairs like it
    weather    after "brings" comes the weather of the text's season: "winter … brings snow"
    copies     a phrase that is said again is said word for word

The first two rules are broken once in ten times; a word to which no rule applies is drawn at random. To foresee the
second half of a pair it is enough to know the word before it: a *bigram*. To foresee the weather one must look back
for the season: a *skip-trigram*. To foresee a phrase that is said again one must look for what followed the same
word before: *induction*. Phrases differ from text to text, and nothing tells how far back the last time is.

What made each word is on record, so for each kind of word it is known how well anybody could foresee it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

PAIRS = (
    ("salt", "pepper"),
    ("knife", "fork"),
    ("bread", "butter"),
    ("needle", "thread"),
    ("lock", "key"),
    ("bow", "arrow"),
    ("cup", "saucer"),
    ("thunder", "lightning"),
)
WEATHER = (("spring", "rain"), ("summer", "sun"), ("autumn", "wind"), ("winter", "snow"))
BRINGS = "brings"
# fmt: off
ANYTHING = (
    "apple", "basket", "boat", "bottle", "branch", "candle", "carpet", "chair", "clock", "coat", "corn", "door",
    "drum", "egg", "feather", "fence", "flag", "garden", "glass", "goat", "hammer", "harp", "hat", "house", "island",
    "jar", "lamp", "leaf", "mirror", "moon", "nest", "owl", "pencil", "pot", "river", "sail", "stone", "tree", "wheel",
)
# fmt: on
END_OF_TEXT = "<|endoftext|>"
UNKNOWN = "<|unk|>"
WORDS = (
    *ANYTHING,
    *(word for pair in PAIRS for word in pair),
    *(season for season, _ in WEATHER),
    *(weather for _, weather in WEATHER),
    BRINGS,
    END_OF_TEXT,
    UNKNOWN,
)
"""The vocabulary in the order of the tokens' numbers: 64 words, the mark that stands in front of every text, and one
that stands for any other word and is in no text."""

NUMBER = {word: number for number, word in enumerate(WORDS)}
BOS = NUMBER[END_OF_TEXT]

LENGTH = 64
"""Tokens in a text, with the mark in front of it."""
PHRASES = 3
PHRASE_LENGTHS = (5, 10)
"""The shortest and the longest phrase; the lengths between them are equally frequent."""
KEPT = 0.9
"""How often the rules of pairs and of weather are kept."""
SHARES = {"first half of a pair": 0.12, "the text's season": 0.08, BRINGS: 0.12}
"""Of the words to which no rule applies. The others are from `ANYTHING`, none twice in the phrases of one text."""

KINDS = ("start", "anything", "pair", "weather", "copied")
"""What decides about a word. ``start``: it begins a phrase, said before or not. In a phrase that is said for the
first time: ``pair``, the first half of one stands before it; ``weather``, "brings" stands before it and the season
has been named; ``anything``, neither. ``copied``: the phrase was said before."""

_N = len(WORDS)


@dataclass(frozen=True)
class Texts:
    """Texts, and for each of their tokens what decided about it.

    ``tokens``: the mark, then words. ``kind``: of each token, its number in `KINDS`; −1 at the mark. ``chance``: how
    probable the token was for a reader who is told the season and which phrases begin where; 1 at the mark.
    No reader who has to find that out can do better on average.
    """

    tokens: Int[Tensor, "batch pos"]
    kind: Int[Tensor, "batch pos"]
    chance: Float[Tensor, "batch pos"]

    def __len__(self) -> int:
        return len(self.tokens)

    def words(self, row: int) -> str:
        """One text, to be read."""
        return " ".join(WORDS[token] for token in self.tokens[row].tolist())


def sample(n: int, *, seed: int = 0) -> Texts:
    """``n`` texts; the same seed gives the same texts."""
    if n < 1:
        raise ValueError(f"n={n}; ask for at least one text.")
    generator = torch.Generator().manual_seed(seed)
    season = torch.randint(len(WEATHER), (n,), generator=generator)
    lengths = torch.randint(PHRASE_LENGTHS[0], PHRASE_LENGTHS[1] + 1, (n, PHRASES), generator=generator)
    most = 1 + (LENGTH - 2) // PHRASE_LENGTHS[0]
    order = torch.randint(PHRASES, (n, most), generator=generator)

    words = _Words(n, season, generator)
    text = torch.arange(n)
    phrases = torch.full((n, PHRASES, PHRASE_LENGTHS[1]), BOS)
    said = torch.zeros(n, PHRASES, dtype=torch.bool)
    tokens = torch.full((n, LENGTH), BOS)
    kind = torch.full((n, LENGTH), -1)
    chance = torch.ones(n, LENGTH)
    turn, place = torch.zeros(n, dtype=torch.long), torch.zeros(n, dtype=torch.long)
    for pos in range(1, LENGTH):
        phrase = order[text, turn]
        starts, again = place == 0, said[text, phrase]
        before = torch.where(starts, BOS, tokens[:, pos - 1])
        new, new_kind, expected = words.next(before, ~again)
        token = torch.where(again, phrases[text, phrase, place], new)
        phrases[text, phrase, place] = token

        firsts = (phrases[:, :, 0] == token[:, None]) & said
        anew = (~said).float().mean(-1) * expected[text, token]
        at_start = firsts.float().mean(-1) + anew
        chance[:, pos] = torch.where(starts, at_start, torch.where(again, 1.0, expected[text, token]))
        kind[:, pos] = torch.where(starts, 0, torch.where(again, KINDS.index("copied"), new_kind))
        tokens[:, pos] = token

        ends = place + 1 == lengths[text, phrase]
        said[text[ends], phrase[ends]] = True
        place = torch.where(ends, 0, place + 1)
        turn = turn + ends.long()
    return Texts(tokens, kind, chance)


class _Words:
    """Draws the words of phrases that are said for the first time."""

    def __init__(self, n: int, season: Int[Tensor, " batch"], generator: torch.Generator):
        self.generator = generator
        self.season = season
        self.named = torch.zeros(n, dtype=torch.bool)
        self.unused = torch.ones(n, len(ANYTHING))

    def next(
        self, before: Int[Tensor, " batch"], wanted: Tensor
    ) -> tuple[Int[Tensor, " batch"], Int[Tensor, " batch"], Float[Tensor, "batch d_vocab"]]:
        """Where ``wanted``: a word behind ``before``, its kind, and how probable every word was there."""
        expected = self._free()
        by_rule = _BY_RULE[self.season, before]
        ruled = torch.nn.functional.one_hot(by_rule.clamp_min(0), _N)
        expected = torch.where((by_rule >= 0)[:, None], KEPT * ruled + (1 - KEPT) * expected, expected)
        # Much faster than torch.multinomial, which draws a random number for every entry.
        reached = expected.cumsum(-1)
        drawn = torch.rand(len(expected), 1, generator=self.generator) * reached[:, -1:]
        token = torch.searchsorted(reached, drawn, right=True)[:, 0]

        is_pair = (by_rule >= 0) & (before != NUMBER[BRINGS])
        is_weather = (before == NUMBER[BRINGS]) & self.named
        kind = torch.where(is_pair, KINDS.index("pair"), KINDS.index("anything"))
        kind = torch.where(is_weather, KINDS.index("weather"), kind)

        self.named = self.named | (wanted & (token[:, None] == _TELLS[self.season]).any(-1))
        used = wanted & (token < len(ANYTHING))
        self.unused[used.nonzero()[:, 0], token[used]] = 0
        return token, kind, expected

    def _free(self) -> Float[Tensor, "batch d_vocab"]:
        free = _FREE[self.season].clone()
        share = 1 - sum(SHARES.values())
        free[:, : len(ANYTHING)] = share * self.unused / self.unused.sum(-1, keepdim=True)
        return free


def _tables() -> tuple[Tensor, Tensor]:
    """By season: probabilities of a free word, without `ANYTHING`; and the word that a rule wants (−1: none)."""
    free, by_rule = torch.zeros(len(WEATHER), _N), torch.full((len(WEATHER), _N), -1)
    for first, second in PAIRS:
        free[:, NUMBER[first]] = SHARES["first half of a pair"] / len(PAIRS)
        by_rule[:, NUMBER[first]] = NUMBER[second]
    free[:, NUMBER[BRINGS]] = SHARES[BRINGS]
    for row, (season, weather) in enumerate(WEATHER):
        free[row, NUMBER[season]] = SHARES["the text's season"]
        by_rule[row, NUMBER[BRINGS]] = NUMBER[weather]
    return free, by_rule


_FREE, _BY_RULE = _tables()
_TELLS = torch.tensor([[NUMBER[season], NUMBER[weather]] for season, weather in WEATHER])
"""For each season, the two words that give it away."""
