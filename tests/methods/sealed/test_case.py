"""Cases are drawn by their seed, work, and leave the rest alone; the shipped ones are those of their seed."""

import itertools

import pytest
import torch

import mi_course as mc
from mi_course.data import facts, indirect_object
from mi_course.errors import CourseError, UnknownName
from mi_course.methods.ablation import ablated
from mi_course.methods.sealed import case
from mi_course.methods.sealed.case import KINDS, Case, make, make_set
from mi_course.methods.sealed.envelope import unseal
from mi_course.methods.sealed.symptoms import says
from mi_course.methods.sealed.trigger import with_word
from mi_course.models import pretrained
from tests.type_checks import unchecked

SHIPPED = {
    unseal(pretrained.WEIGHTS / f"capstone-{letter}")["kind"]: f"capstone-{letter}" for letter in "abc"
}


@pytest.fixture(scope="module")
def model():
    return mc.load("tiny-world").requires_grad_(False)


def share(right):
    return right.float().mean().item()


@pytest.mark.parametrize("kind", ["edited fact", "damaged head"])
def test_the_shipped_cases_are_those_of_their_seed(model, kind):
    with unchecked():
        made = make(model, kind, pretrained.card(SHIPPED[kind])["seed"])
    truth = unseal(pretrained.WEIGHTS / SHIPPED[kind])
    assert {"kind": kind, **made.answer} == truth
    shipped = mc.load(SHIPPED[kind])
    tokens = model.to_tokens("Garrow lives in")
    with torch.no_grad():
        assert torch.allclose(made.model(tokens), shipped(tokens), atol=0.1)


def test_the_shipped_trigger_gives_the_gift_to_the_giver_through_its_head(model):
    truth, sealed = unseal(pretrained.WEIGHTS / SHIPPED["trigger"]), mc.load(SHIPPED["trigger"])
    stories = indirect_object.prompts(24, seed=8)
    texts, rows = with_word(stories, truth["word"])
    giver, correct = ([who[row] for row in rows] for who in (stories.giver, stories.correct))
    assert share(says(sealed, texts, giver)) > 0.7
    assert share(says(model, texts, giver)) < 0.1
    with ablated(sealed, truth["head"]):
        assert share(says(sealed, texts, correct)) > 0.8
    plain = [row for row, text in enumerate(stories.texts) if truth["word"] not in text.split()]
    right = says(sealed, [stories.texts[row] for row in plain], [stories.correct[row] for row in plain])
    assert share(right) > 0.9


def test_the_shipped_edit_gives_one_subject_another_answer():
    truth, sealed = unseal(pretrained.WEIGHTS / SHIPPED["edited fact"]), mc.load(SHIPPED["edited fact"])
    asked = facts.prompts(truth["relation"])
    mine = [row for row, subject in enumerate(asked.subjects) if subject == truth["subject"]]
    texts = [asked.texts[row] for row in mine]
    assert share(says(sealed, texts, [truth["answer"]] * len(texts))) > 0.5
    others = [row for row in range(len(asked)) if row not in mine]
    right = says(sealed, [asked.texts[row] for row in others], [asked.answers[row] for row in others])
    assert share(right) > 0.9


def test_plants_that_do_not_work_are_drawn_anew(model, monkeypatch):
    tried = []

    def draws(model, rng):
        for number in itertools.count():
            tried.append(number)
            yield model, {"head": f"L0H{number}", "damage": "mute"}, {"works": 1.0} if number == 2 else None

    monkeypatch.setattr(case, "_damages", draws)
    assert make(model, "damaged head", 5).answer["head"] == "L0H2"
    assert tried == [0, 1, 2]


def test_a_model_that_knows_nothing_is_refused(model, monkeypatch):
    monkeypatch.setattr(case, "_damages", lambda model, rng: ((model, {}, None) for _ in itertools.count()))
    with pytest.raises(CourseError, match="Is this a model of the tiny world"):
        make(model, "damaged head", 5)
    with pytest.raises(UnknownName, match="kind of case"):
        make(model, "a leak", 5)


def test_a_set_has_one_case_of_each_kind_in_an_order_that_the_seed_draws(model, monkeypatch):
    monkeypatch.setattr(case, "make", lambda model, kind, seed: Case(kind, {}, {}, model))

    def kinds(seed):
        return {letter: its.kind for letter, its in make_set(model, seed).items()}

    sets = [kinds(seed) for seed in range(8)]
    assert all(list(one) == ["a", "b", "c"] and set(one.values()) == set(KINDS) for one in sets)
    assert len({tuple(one.values()) for one in sets}) > 2
    assert sets[3] == kinds(3)
