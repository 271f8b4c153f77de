"""A learner's home for each test, and a small chapter of exercises to try the engine on."""

import importlib
import sys

import pytest

import mi_course.exercises
from mi_course.exercises import journal, prediction

TOY_CHAPTER = """
import torch
from mi_course.exercises.exercise import Computed, Exercise
from mi_course.exercises.expect import Wrong, expect_close


def double(x):
    return 2 * x


def check_double(attempt):
    x = torch.arange(6.0).reshape(2, 3)
    expect_close(attempt(x), double(x))
    return "Doubling keeps the shape."


def check_seven(answer):
    expect_close(answer, 7, reveal=False)


def check_that_fails(answer):
    return 1 / 0


def check_that_hangs(answer):
    while True:
        pass


def check_class(attempt):
    model = attempt(4)
    expect_close(attempt.of(model, "your model")(torch.ones(4)), torch.full((4,), 4.0))


class Scale:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x):
        return self.factor * x


EXERCISES = (
    Exercise("98.double", "Double <it>", 1, 3, ("Think of two.", "Multiply by `2`."), double, check_double, 0.5),
    Exercise("98.seven", "Seven", 2, 4, ("Odd.", "Prime."), 7, check_seven),
    Exercise("98.table", "A table", 2, 4, ("a", "b"), [1.0, 2.0], lambda a: expect_close(a, [1.0, 2.0])),
    Exercise("98.late", "Computed late", 3, 5, ("a", "b"), Computed(lambda: 3 + 4), check_seven),
    Exercise("98.class", "A class", 2, 4, ("a", "b"), Scale, check_class, 0.5),
    Exercise("98.our_mistake", "Ours", 3, 5, ("a", "b", "c"), 1, check_that_fails),
    Exercise("98.our_loop", "Hangs", 3, 5, ("a", "b", "c"), 1, check_that_hangs, 0.2),
)
"""


@pytest.fixture(autouse=True)
def home(course_home, monkeypatch):
    """An empty learner's folder; the session remembers nothing of other tests."""
    monkeypatch.setattr(journal, "_unsaved", [])
    monkeypatch.setattr(journal, "_warned", set())
    monkeypatch.setattr(prediction, "_asked", {})
    return course_home


@pytest.fixture
def toy_chapter(tmp_path, monkeypatch):
    """The folder of a chapter 98 that is there for this test only."""
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "chapter_98.py").write_text(TOY_CHAPTER, encoding="utf-8")
    monkeypatch.setattr(mi_course.exercises, "__path__", [*mi_course.exercises.__path__, str(folder)])
    importlib.invalidate_caches()
    yield folder
    sys.modules.pop("mi_course.exercises.chapter_98", None)
