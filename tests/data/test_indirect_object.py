"""Indirect-object prompts: the answer is named once, the orders are what they say, frames align."""

import pytest

from mi_course.data import indirect_object
from mi_course.data.tiny_world.gifts import are_strangers
from mi_course.errors import CourseError, UnknownName


@pytest.mark.parametrize("frames", ["training", "held_out", "unseen"])
@pytest.mark.parametrize("order", ["ABBA", "BABA"])
def test_the_answer_is_named_once_and_the_giver_twice(order, frames):
    prompts = indirect_object.prompts(30, order=order, frames=frames)
    assert len(prompts) == 30
    for text, correct, giver in zip(prompts.texts, prompts.correct, prompts.giver):
        words = text.split()
        assert words.count(correct) == 1
        assert words.count(giver) == 2
        assert (words.index(correct) < words.index(giver)) == (order == "ABBA")
        assert are_strangers(correct, giver)


def test_with_three_people_two_are_named_twice():
    prompts = indirect_object.prompts(30, people=3)
    for text, correct, wrong in zip(prompts.texts, prompts.correct, prompts.wrong):
        words = text.split()
        assert words.count(correct) == 1
        assert [words.count(name) for name in wrong] == [2, 2]


def test_mixed_orders_are_half_and_half():
    orders = indirect_object.prompts(20, order="mixed").orders
    assert orders.count("ABBA") == 10


def test_the_same_seed_gives_the_same_prompts():
    assert indirect_object.prompts(5, seed=2) == indirect_object.prompts(5, seed=2)
    assert indirect_object.prompts(5, seed=2) != indirect_object.prompts(5, seed=3)


def test_in_one_frame_everyone_stands_at_the_same_position():
    prompts = indirect_object.in_frame(12, order="mixed")
    assert len(set(prompts.lengths())) == 1
    for text, correct, giver, order in zip(prompts.texts, prompts.correct, prompts.giver, prompts.orders):
        words = text.split()
        assert words[1 if order == "ABBA" else 3] == correct
        assert words[3 if order == "ABBA" else 1] == giver == words[9]


def test_a_frame_of_ones_own_can_have_three_people():
    frame = "{a} , {b} and {c} went to the {place} . {again} was tired . then {giver} gave the {gift} to"
    prompts = indirect_object.in_frame(10, frame, order="BABA")
    for text, correct, wrong in zip(prompts.texts, prompts.correct, prompts.wrong):
        assert text.split().count(correct) == 1
        assert [text.split().count(name) for name in wrong] == [2, 2]


def test_a_frame_without_a_giver_is_refused():
    with pytest.raises(CourseError, match=r"no \{giver\}"):
        indirect_object.in_frame(3, "{a} and {b} went home")
    with pytest.raises(CourseError, match="needs both"):
        indirect_object.in_frame(3, "{a} , {b} and {c} met . {giver} gave a {gift} to")


def test_an_unknown_order_is_named(without_type_checks):
    with pytest.raises(UnknownName, match="no order named 'abba'"):
        indirect_object.prompts(3, order="abba")


def test_prompts_can_be_cut_but_not_picked():
    prompts = indirect_object.prompts(6)
    assert prompts[:2].texts == prompts.texts[:2]
    with pytest.raises(TypeError, match="slice"):
        prompts[0]
