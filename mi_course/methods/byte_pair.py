"""Byte-pair encoding: a vocabulary that grows out of letters, one merge at a time.

Begin with words cut into single characters. Join the most frequent pair of neighbours into one symbol,
and do it again. The list of merges *is* the tokenizer: a new word is cut into characters, and the merges
are made in the order in which they were learned, so a word that nobody saw comes out in known pieces.

Source: Sennrich, Haddow and Birch 2016, section 3.2 (https://arxiv.org/abs/1508.07909). GPT-2 does the
same with bytes in place of characters, and cuts a text into words, each with the space before it, with a
pattern of its own (Radford et al. 2019, section 2.2); we take words as they are given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from mi_course.errors import CourseError

Pair = tuple[str, str]


def count_pairs(words: Mapping[Sequence[str], int]) -> Counter[Pair]:
    """How often each pair of neighbours stands in a text.

    ``words``: each different word as a sequence of symbols (a string counts as its characters), with
    the number of times it occurs. Symbols of two words are never neighbours.
    """
    found: Counter[Pair] = Counter()
    for symbols, times in words.items():
        for pair in pairwise(symbols):
            found[pair] += times
    return found


def merge(symbols: Sequence[str], pair: Pair) -> tuple[str, ...]:
    """The symbols with each occurrence of ``pair`` joined, from left to right: "aaa" gives "aa", "a"."""
    joined: list[str] = []
    place = 0
    while place < len(symbols):
        if tuple(symbols[place : place + 2]) == tuple(pair):
            joined.append("".join(pair))
            place += 2
        else:
            joined.append(symbols[place])
            place += 1
    return tuple(joined)


def learn(words: Mapping[str, int], merges: int) -> list[Pair]:
    """The first ``merges`` merges for these words and their counts, in order; fewer if all is merged.

    Of pairs that are equally frequent the first in the alphabet is taken, so that the result does not
    hang on the order of the words.
    """
    if merges < 0:
        raise CourseError(f"merges={merges}; it cannot be negative.")
    current = {tuple(word): times for word, times in words.items()}
    learned: list[Pair] = []
    while len(learned) < merges:
        pairs = count_pairs(current)
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        learned.append(best)
        current = {merge(symbols, best): times for symbols, times in current.items()}
    return learned


def encode(word: str, merges: Sequence[Pair]) -> tuple[str, ...]:
    """The pieces of ``word``: its characters, with the merges made in the order in which they were learned."""
    symbols: tuple[str, ...] = tuple(word)
    for pair in merges:
        symbols = merge(symbols, pair)
    return symbols
