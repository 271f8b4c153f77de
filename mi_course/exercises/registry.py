"""Find an exercise by its id. A chapter's file is imported when one of its exercises is first needed."""

from __future__ import annotations

import importlib
import pkgutil
import re

import mi_course.exercises
from mi_course.errors import UnknownName
from mi_course.exercises.exercise import Exercise


def chapters() -> tuple[str, ...]:
    """The two digits of every chapter that has a file of exercises, in order."""
    names = (module.name for module in pkgutil.iter_modules(mi_course.exercises.__path__))
    return tuple(sorted(name[-2:] for name in names if re.fullmatch(r"chapter_\d\d", name)))


def exercises(chapter: str) -> tuple[Exercise, ...]:
    """The exercises of one chapter, in the order in which the notebook poses them."""
    if chapter not in chapters():
        raise UnknownName("chapter with exercises", chapter, chapters())
    return importlib.import_module(f"mi_course.exercises.chapter_{chapter}").EXERCISES


def find(id: str) -> Exercise:
    """The exercise with this id; raises ``UnknownName`` with the nearest ids if there is none."""
    candidates = exercises(id[:2]) if isinstance(id, str) and id[:2] in chapters() else ()
    for candidate in candidates:
        if candidate.id == id:
            return candidate
    raise UnknownName("exercise", id, (known.id for chapter in chapters() for known in exercises(chapter)))
