"""Counterfacts are false, and the questions about them ask what they say."""

import pytest

from mi_course.data import counterfacts, facts
from mi_course.data.counterfacts import KINDS, OTHERS, PARAPHRASE, SAME_SUBJECT, SHARING, STATEMENT
from mi_course.errors import CourseError, UnknownName


def test_a_counterfact_gives_another_answer_of_the_right_kind():
    for one in counterfacts.sample(291):
        relation = facts.relations()[one.relation]
        assert one.true == facts.answer(one.relation, one.subject) != one.new
        assert {one.true, one.new} <= set(relation.answers)
        assert one.prompt == relation.training[0].replace("{s}", one.subject)


def test_samples_are_of_different_facts_and_the_same_for_the_same_seed():
    once, again, other = (counterfacts.sample(120, seed=seed) for seed in (3, 3, 4))
    assert once == again != other
    assert len({(one.relation, one.subject) for one in once}) == 120
    assert {one.relation for one in once} == set(facts.relations())


def test_questions_are_of_their_kind():
    false = counterfacts.sample(80, seed=1)
    asked = counterfacts.questions(false, each=3)
    held_out = {text for relation in facts.relations().values() for text in relation.held_out}
    for question in asked:
        one = false[question.number]
        phrasing = question.prompt.replace(question.subject, "{s}")
        assert question.new == one.new
        assert question.subject in question.prompt
        if question.kind in (STATEMENT, PARAPHRASE):
            assert (question.subject, question.true) == (one.subject, one.true)
            assert (phrasing in held_out) == (question.kind == PARAPHRASE)
        elif question.kind == SAME_SUBJECT:
            assert question.subject == one.subject
            assert phrasing not in facts.relations()[one.relation].training
        else:
            shared = set(question.subject.split()) & set(one.subject.split())
            assert question.subject != one.subject
            assert bool(shared) == (question.kind == SHARING)
            assert question.true == facts.answer(one.relation, question.subject) != one.new
    number_of = {kind: [q.number for q in asked if q.kind == kind] for kind in KINDS}
    assert number_of[STATEMENT] == list(range(80))
    assert len(number_of[OTHERS]) == 3 * 80
    assert max(number_of[PARAPHRASE].count(n) for n in range(80)) == 3
    assert set(number_of[SHARING]) == {n for n in range(80) if " " in false[n].subject}
    assert all(number_of[SAME_SUBJECT].count(n) == 2 for n in range(80))


def test_fewer_questions_are_drawn_and_a_seed_draws_them_again():
    false = counterfacts.sample(10)
    assert len(counterfacts.questions(false, each=1)) < len(counterfacts.questions(false, each=2))
    assert counterfacts.questions(false, each=2, seed=1) == counterfacts.questions(false, each=2, seed=1)
    assert counterfacts.questions(false, each=2, seed=1) != counterfacts.questions(false, each=2, seed=2)


def test_what_is_no_counterfact_is_refused():
    true = facts.answer("town", "Iron Tower")
    with pytest.raises(CourseError, match="already the answer"):
        counterfacts.counterfact("town", "Iron Tower", true)
    with pytest.raises(UnknownName, match="Pell"):
        counterfacts.counterfact("town", "Iron Tower", "Pel")
    with pytest.raises(UnknownName, match="Iron Tower"):
        counterfacts.counterfact("town", "Iron Towre", "Pell")
    for n in (0, 292):
        with pytest.raises(CourseError, match="291 facts"):
            counterfacts.sample(n)
