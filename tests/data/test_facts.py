"""Fact prompts end where the answer comes, in phrasings that training has or has not."""

import pytest

from mi_course.data import facts
from mi_course.errors import UnknownName


def test_every_fact_is_asked_in_every_phrasing():
    for name, relation in facts.relations().items():
        prompts = facts.prompts(name)
        assert len(prompts) == len(relation.subjects) * len(relation.held_out)
        assert set(prompts.answers) <= set(relation.answers)
        assert all(s in t for s, t in zip(prompts.subjects, prompts.texts))
        assert all(facts.answer(name, s) == a for s, a in zip(prompts.subjects, prompts.answers))


def test_no_phrasing_is_of_two_kinds():
    for relation in facts.relations().values():
        kinds = [set(relation.phrasings(which)) for which in ("training", "held_out", "fresh")]
        assert all(kinds)
        assert len(set.union(*kinds)) == sum(map(len, kinds))


def test_there_are_facts_enough_to_edit_a_hundred_and_many_with_two_token_subjects():
    assert sum(len(relation.subjects) for relation in facts.relations().values()) >= 250
    assert sum(len(s.split()) == 2 for r in facts.relations().values() for s in r.subjects) >= 100


def test_all_relations_together_are_their_sum():
    assert len(facts.prompts()) == sum(len(facts.prompts(name)) for name in facts.relations())


def test_unknown_names_are_answered_with_the_nearest(without_type_checks):
    with pytest.raises(UnknownName, match="'town'"):
        facts.prompts("towns")
    with pytest.raises(UnknownName, match="'Iron Tower'"):
        facts.answer("town", "Iron Towr")
    with pytest.raises(UnknownName, match="kind of phrasing"):
        facts.prompts(phrasing="new")
