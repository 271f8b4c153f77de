"""Every exercise of every chapter: its check accepts the reference and refuses what learners get wrong."""

import importlib
from collections import Counter

import numpy as np
import pytest
import torch

from mi_course.exercises import registry
from mi_course.exercises.check import examine
from tests.type_checks import values_only

CHAPTERS = registry.chapters()
TASKS = [task for chapter in CHAPTERS for task in registry.exercises(chapter)]
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS)
every_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)


def wrong_answers(chapter):
    return importlib.import_module(f"tests.exercises.wrong_answers.chapter_{chapter}").WRONG


def sound(task, answer):
    """The verdict; a check that itself fails shows its own error."""
    verdict = examine(task, answer)
    if verdict.status == "broken":
        raise AssertionError(f"{task.id}: the check itself failed: {verdict.words}") from verdict.error
    return verdict


@every_chapter
def test_a_chapter_has_four_to_seven_exercises(chapter):
    assert 4 <= len(registry.exercises(chapter)) <= 7


@every_chapter
def test_ids_begin_with_their_chapter(chapter):
    assert {task.chapter for task in registry.exercises(chapter)} == {chapter}


def test_no_id_is_used_twice():
    assert [id for id, times in Counter(task.id for task in TASKS).items() if times > 1] == []


@every_chapter
def test_wrong_answers_belong_to_exercises_that_exist(chapter):
    assert wrong_answers(chapter).keys() == {task.id for task in registry.exercises(chapter)}


@every_task
def test_an_exercise_says_what_it_asks_of_the_learner(task):
    assert task.title
    assert task.difficulty in (1, 2, 3)
    assert task.minutes > 0
    assert 2 <= len(task.hints) <= 3
    assert all(len(hint) > 15 for hint in task.hints)
    assert len(set(task.hints)) == len(task.hints)


@every_task
def test_the_reference_is_accepted(task):
    verdict = sound(task, task.solution())
    assert verdict.status == "right", verdict.words


@every_task
def test_the_untouched_exercise_is_recognised(task):
    def stub(*args, **kwargs):
        raise NotImplementedError("Your turn.")

    assert sound(task, ...).status == "untouched"
    if task.asks_for_function:
        assert sound(task, stub).status == "untouched"


@values_only
@every_task
def test_typical_wrong_answers_are_refused_with_the_right_diagnosis(task):
    answers = wrong_answers(task.chapter)[task.id]
    assert len(answers) >= 2
    diagnoses = set()
    for answer, words in answers:
        verdict = sound(task, answer)
        assert verdict.status == "wrong", f"{answer!r} was taken for {verdict.status}"
        assert words.lower() in verdict.words.lower()
        diagnoses.add(verdict.words)
    assert len(diagnoses) >= 2, "one diagnosis for everything"


ODD_VALUES = (
    "wrong",
    "",
    3,
    -1,
    2.5,
    True,
    float("nan"),
    1 + 2j,
    [],
    {},
    (),
    [[1], [2, 3]],
    {"a": None},
    object(),
)
ODD_VALUES += (
    torch.tensor(float("nan")),
    torch.zeros(0),
    torch.zeros(2, 3),
    torch.ones(3, 8, 8),
    np.zeros((4, 4)),
)
ODD_VALUES += (
    np.array(["a"]),
    {"wrong"},
    range(3),
    torch.nn.Linear(2, 2),
    b"wrong",
    10**30,
    ["wrong"],
    [None],
)


@values_only
@every_task
def test_no_answer_however_odd_breaks_the_check(task):
    for value in ODD_VALUES:
        sound(task, value)
        sound(task, lambda *args, _value=value, **kwargs: _value)
    sound(task, lambda *args, **kwargs: args[0] if args else kwargs)
    sound(task, lambda *args, **kwargs: [].pop())
    sound(task, lambda: 0)


@every_task
def test_wrong_everywhere_is_refused(task):
    assert sound(task, "wrong").status == "wrong"
    if task.asks_for_function:
        assert sound(task, lambda *args, **kwargs: "wrong").status == "wrong"
