"""Pairs of prompts: aligned token by token, or refused with the tokens shown."""

import pytest
import torch

from mi_course.data import prompt_pairs
from mi_course.errors import CourseError


class Words:
    """Reads texts of the words a to z, one token each, behind a 0."""

    def to_tokens(self, text):
        return torch.tensor([[0, *(ord(word) - 96 for word in text.split())]])

    def to_str_tokens(self, text):
        return ["^", *text.split()]


def test_a_pair_says_where_its_prompts_differ():
    pairs = prompt_pairs.pair(Words(), ["a b c", "d e f"], ["a x c", "d e z"])
    assert len(pairs) == 2
    assert pairs.clean.tolist() == [[0, 1, 2, 3], [0, 4, 5, 6]]
    assert pairs.differs.tolist() == [False, False, True, True]


def test_prompts_of_two_lengths_are_refused_with_their_tokens():
    with pytest.raises(CourseError, match=r"Pair 1 is not aligned.*3 tokens, the corrupted one 4") as refused:
        prompt_pairs.pair(Words(), ["a b", "a b"], ["a c", "a b c"])
    assert "['^', 'a', 'b', 'c']" in str(refused.value)


def test_pairs_of_two_lengths_are_refused():
    with pytest.raises(CourseError, match="Pair 1 has 4 tokens, pair 0 has 3"):
        prompt_pairs.pair(Words(), ["a b", "a b c"], ["a c", "a c c"])


def test_a_prompt_without_a_twin_is_refused():
    with pytest.raises(CourseError, match="2 clean and 1 corrupted"):
        prompt_pairs.pair(Words(), ["a", "b"], ["c"])


def test_pairs_that_do_not_differ_are_refused():
    with pytest.raises(CourseError, match="the same"):
        prompt_pairs.pair(Words(), ["a b"], ["a b"])
