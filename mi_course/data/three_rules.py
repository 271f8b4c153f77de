"""Texts of 64 words that follow three rules, each out of reach of a smaller network than the next.

A text is a block of words that is repeated until the text is full. Inside the block

    pairs      after "salt" comes "pepper", and seven more pairs like it
    weather    every text has a season that it names now and then, and after "brings" comes the weather of
               that season: "winter … brings snow"
    anything   every other word is drawn at random, and nothing tells which

and each rule is broken once in ten times. To foresee the second half of a pair it is enough to know the word before
it: a *bigram*. To foresee the weather one must look back for the season: a *skip-trigram*. And from the second copy
of the block on, every word could be foreseen by looking for what followed the same word before: *induction*. How
long the block is differs from text to text, so no fixed distance helps.

Every text is made by a process whose probabilities are known. `by_the_rules` says what a reader expects who knows the
first two rules, `by_everything` what one expects who also waits for the repetition: no reader can do better.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
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
ANYTHING = tuple(
    "apple basket boat bottle branch candle carpet chair clock coat corn door drum egg feather fence flag garden "
    "glass goat hammer harp hat house island jar lamp leaf mirror moon nest owl pencil pot river sail stone tree "
    "wheel".split()
)

END_OF_TEXT = "<|endoftext|>"
WORDS = (
    *ANYTHING,
    *(word for pair in PAIRS for word in pair),
    *(season for season, _ in WEATHER),
    *(weather for _, weather in WEATHER),
    "brings",
    END_OF_TEXT,
)
"""The vocabulary, in the order of the tokens' numbers: 64 words, and the mark that stands in front of a text."""

NUMBER = {word: number for number, word in enumerate(WORDS)}
BOS = NUMBER[END_OF_TEXT]
LENGTH = 64
"""Tokens in a text, the mark in front of it included."""
PERIODS = (10, 31)
"""The shortest and the longest block; all lengths between them are equally frequent."""

KEPT = 0.9
"""How often a rule is kept; otherwise a random word stands there, as everywhere else."""
SHARES = {"first half of a pair": 0.12, "the text's season": 0.08, "brings": 0.08}
"""Of the words about which no rule says anything. The others are from `ANYTHING`, all alike."""

_N = len(WORDS)
_TELLS = torch.tensor([[NUMBER[season], NUMBER[weather]] for season, weather in WEATHER])
"""For each season, the two words that give it away."""


def _tables() -> tuple[Tensor, Tensor, Tensor]:
    """By season: probabilities of a free word; the word that a rule asks for (−1: none); both together."""
    free = torch.zeros(len(WEATHER), _N)
    by_rule = torch.full((len(WEATHER), _N), -1)
    free[:, : len(ANYTHING)] = (1 - sum(SHARES.values())) / len(ANYTHING)
    free[:, NUMBER["brings"]] = SHARES["brings"]
    for first, second in PAIRS:
        free[:, NUMBER[first]] = SHARES["first half of a pair"] / len(PAIRS)
        by_rule[:, NUMBER[first]] = NUMBER[second]
    for row, (season, weather) in enumerate(WEATHER):
        free[row, NUMBER[season]] = SHARES["the text's season"]
        by_rule[row, NUMBER["brings"]] = NUMBER[weather]
    kept = KEPT * torch.nn.functional.one_hot(by_rule.clamp_min(0), _N) + (1 - KEPT) * free[:, None]
    return free, by_rule, torch.where((by_rule >= 0)[..., None], kept, free[:, None])


_FREE, _BY_RULE, _EXPECTED = _tables()
"""Their axes: season, d_vocab; season, previous word; season, previous word, d_vocab."""

KINDS = ("anything", "pair", "weather")
"""What decides about a word of the first copy: chance, the first half of a pair, or "brings" before it."""


@dataclass(frozen=True)
class Texts:
    """Texts, and for each of their tokens what could be known about it.

    ``tokens``: the mark, then words. ``period``: how long the block of each text is. ``kind``: for each token the
    number in `KINDS` of the rule that applies to it, whether or not it was kept; −1 at the mark.
    ``copied``: whether the token stands in the second copy of the block or a later one.
    """

    tokens: Int[Tensor, "batch pos"]
    period: Int[Tensor, " batch"]
    kind: Int[Tensor, "batch pos"]
    copied: Bool[Tensor, "batch pos"]

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
    period = torch.randint(PERIODS[0], PERIODS[1] + 1, (n,), generator=generator)
    season = torch.randint(len(WEATHER), (n,), generator=generator)

    free = torch.multinomial(_FREE[season], PERIODS[1], replacement=True, generator=generator)
    keeps = torch.rand(free.shape, generator=generator) < KEPT
    block = torch.full((n, PERIODS[1] + 1), BOS)  # column 0 is the mark
    for place in range(PERIODS[1]):
        by_rule = _BY_RULE[season, block[:, place]]
        block[:, place + 1] = torch.where((by_rule >= 0) & keeps[:, place], by_rule, free[:, place])

    position = torch.arange(1, LENGTH)
    tokens = torch.full((n, LENGTH), BOS)
    tokens[:, 1:] = block.gather(1, 1 + (position - 1) % period[:, None])
    return Texts(tokens, period, _kinds(tokens), torch.arange(LENGTH) > period[:, None])


def by_the_rules(tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_vocab"]:
    """Probabilities of the next token for a reader who knows pairs and weather, and takes no note of repetition.

    Position by position, as a model's logits: entry ``[b, i]`` is about token ``i + 1``. This is the optimum in the
    first copy of a block; in later copies it goes on as if every word were new. ``tokens``: whole texts or
    beginnings of texts, with the mark in front.
    """
    _check(tokens)
    tells = (tokens[..., None, None] == _TELLS).any(-1)  # batch pos season
    possible = tells | ~tells.any(-1, keepdim=True)
    # What was told first stays: an ideal reader has no doubt after it.
    told = tells.any(-1).cumsum(1).clamp_max(1).bool()
    first = tells.any(-1).int().argmax(1)
    known = tells[torch.arange(len(tokens)), first][:, None]
    possible = torch.where(told[..., None], known, torch.ones_like(possible))
    weight = possible / possible.sum(-1, keepdim=True)
    return torch.einsum("bps,bpsv->bpv", weight.float(), _EXPECTED.transpose(0, 1)[tokens])


def by_everything(tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_vocab"]:
    """Probabilities of the next token for the ideal reader, who knows how texts are made and forgets nothing.

    Bayes' rule over all lengths that the block may have: a length that has been contradicted is out, and the others
    say either "a new word, by the rules" or "the word that stood there before". Its mean loss is the entropy of
    the texts: no model can do better on average. Arguments and result as in `by_the_rules`.
    """
    rules = by_the_rules(tokens)
    n, length = tokens.shape
    chance_of_token = rules[:, :-1].gather(-1, tokens[:, 1:, None])[..., 0].log()
    result = torch.zeros_like(rules)
    log_weight = torch.zeros(n, PERIODS[1] - PERIODS[0] + 1)
    lengths = torch.arange(PERIODS[0], PERIODS[1] + 1)
    for pos in range(length):
        weight = log_weight.softmax(dim=-1)
        repeats = lengths <= pos  # for these lengths, token pos + 1 lies behind the first copy
        result[:, pos] = weight[:, ~repeats].sum(-1, keepdim=True) * rules[:, pos]
        if repeats.any():
            before = tokens[:, pos + 1 - lengths[repeats]]
            result[:, pos] = result[:, pos].scatter_add(1, before, weight[:, repeats])
        if pos + 1 < length:
            actual = tokens[:, pos + 1, None]
            update = chance_of_token[:, pos, None].expand(n, len(lengths)).clone()
            if repeats.any():
                update[:, repeats] = torch.where(before == actual, 0.0, -torch.inf)
            log_weight = log_weight + update
    return result


def _kinds(tokens: Int[Tensor, "batch pos"]) -> Int[Tensor, "batch pos"]:
    previous = tokens[:, :-1]
    first_halves = torch.tensor([NUMBER[first] for first, _ in PAIRS])
    kind = torch.zeros_like(tokens)
    kind[:, 1:][torch.isin(previous, first_halves)] = KINDS.index("pair")
    kind[:, 1:][previous == NUMBER["brings"]] = KINDS.index("weather")
    kind[:, 0] = -1
    return kind


def _check(tokens: Tensor) -> None:
    if not (tokens[:, 0] == BOS).all():
        raise ValueError(f"Every text begins with {END_OF_TEXT} (token {BOS}); these do not.")
