"""Byte-pair encoding, on an example that can be followed by hand and against the library of tokenizers."""

from collections import Counter

import pytest

from mi_course.data import tiny_world as tw
from mi_course.errors import CourseError
from mi_course.methods import byte_pair

WORDS = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}


def test_pairs_are_counted_as_often_as_their_word_occurs():
    pairs = byte_pair.count_pairs(WORDS)
    assert pairs["u", "g"] == 10 + 5 + 5
    assert pairs["h", "u"] == 10 + 5
    assert pairs["g", "p"] == 0, "neighbours in the list of words are no neighbours in the text"


def test_every_occurrence_of_a_pair_is_joined_from_the_left_without_overlap():
    assert byte_pair.merge("banana", ("a", "n")) == ("b", "an", "an", "a")
    assert byte_pair.merge("aaaaa", ("a", "a")) == ("aa", "aa", "a")
    assert byte_pair.merge(("h", "ug", "s"), ("h", "ug")) == ("hug", "s")
    assert byte_pair.merge("", ("a", "b")) == ()


def test_merges_come_in_order_of_frequency():
    assert byte_pair.learn(WORDS, 3) == [("u", "g"), ("u", "n"), ("h", "ug")]


def test_equally_frequent_pairs_come_in_alphabetical_order():
    assert byte_pair.learn({"cd": 3, "ab": 3}, 1) == byte_pair.learn({"ab": 3, "cd": 3}, 1) == [("a", "b")]


def test_learning_ends_when_every_word_is_one_piece():
    assert byte_pair.learn({"ab": 1}, 10) == [("a", "b")]
    assert byte_pair.learn({}, 10) == []


def test_an_unseen_word_comes_out_in_known_pieces():
    merges = byte_pair.learn(WORDS, 3)
    assert byte_pair.encode("bugs", merges) == ("b", "ug", "s")
    assert byte_pair.encode("hug", merges) == ("hug",)
    assert "".join(byte_pair.encode("shrugged", merges)) == "shrugged"


def test_a_negative_number_of_merges_is_refused():
    with pytest.raises(CourseError, match="negative"):
        byte_pair.learn(WORDS, -1)


def test_merges_and_pieces_are_those_of_the_tokenizers_library():
    tokenizers = pytest.importorskip("tokenizers")
    documents = tw.world().documents(60, seed=1)
    words = Counter(token for document in documents for token in document.tokens if token.isalpha())
    # Where pairs are equally frequent the library chooses by other rules: ask for the pieces it learned from ours.
    merges = byte_pair.learn(words, 150)
    alphabet = sorted({letter for word in words for letter in word})
    pieces = [*alphabet, *("".join(pair) for pair in merges)]
    theirs = tokenizers.models.BPE({piece: i for i, piece in enumerate(dict.fromkeys(pieces))}, merges)
    for word in (*words, "lighthousekeeper", "unseen", "trains"):
        if set(word) <= set(alphabet):
            assert byte_pair.encode(word, merges) == tuple(token.value for token in theirs.tokenize(word))
