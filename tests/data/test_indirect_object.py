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


THREE = "{a} , {b} and {c} went to the {place} . {again} was tired . then {giver} gave the {gift} to"


def differing(one, other):
    return [i for i, (x, y) in enumerate(zip(one.split(), other.split())) if x != y]


def test_with_the_other_giver_one_word_differs_and_the_answer_flips():
    clean = indirect_object.in_frame(12, order="mixed")
    twins = indirect_object.corrupted(clean, "other giver")
    for text, twin, correct, giver in zip(clean.texts, twins.texts, clean.correct, clean.giver):
        assert differing(text, twin) == [9]
        assert twin.split()[9] == correct
        assert twin.split().count(giver) == 1
    assert twins.correct == clean.giver
    assert twins.giver == clean.correct


@pytest.mark.parametrize("frame", [indirect_object.FRAME, THREE], ids=["two people", "three people"])
def test_with_others_every_mention_is_a_new_person_and_nothing_else_changes(frame):
    clean = indirect_object.in_frame(12, frame, order="mixed")
    twins = indirect_object.corrupted(clean, "others")
    for text, twin, correct, wrong in zip(clean.texts, twins.texts, clean.correct, clean.wrong):
        people = [i for i, word in enumerate(text.split()) if word in (correct, *wrong)]
        assert differing(text, twin) == people
        new = [twin.split()[i] for i in people]
        assert len(set(new)) == len(people)
        assert not set(new) & {correct, *wrong}
    for twin, correct, giver in zip(twins.texts, twins.correct, twins.giver):
        assert twin.split().count(correct) == twin.split().count(giver) == 1


def test_corrupted_prompts_repeat_under_a_seed():
    clean = indirect_object.in_frame(5)
    assert indirect_object.corrupted(clean, "others") == indirect_object.corrupted(clean, "others")
    assert indirect_object.corrupted(clean, "others") != indirect_object.corrupted(clean, "others", seed=1)


def test_an_unknown_corruption_is_named(without_type_checks):
    with pytest.raises(UnknownName, match="no kind of corruption named 'nobody'"):
        indirect_object.corrupted(indirect_object.in_frame(1), "nobody")


@pytest.mark.parametrize("people", [2, 3])
def test_roles_point_at_the_words_that_they_name(people):
    clean = indirect_object.prompts(20, people=people)
    roles = indirect_object.roles(clean)
    for row, text in enumerate(clean.texts):
        tokens = ["<|endoftext|>", *text.split()]
        word = {role: tokens[positions[row]] for role, positions in roles.items()}
        assert word["IO"] == clean.correct[row]
        assert word["S1"] == word["S2"] == clean.giver[row]
        assert roles["S1"][row] < roles["S2"][row]
        assert roles["S1+1"][row] == roles["S1"][row] + 1
        assert roles["END"][row] == len(tokens) - 1
        if people == 3:
            assert word["R1"] == word["R2"] == clean.wrong[row][1]
