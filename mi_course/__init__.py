"""Learn mechanistic interpretability: the code that the notebooks stand on.

    data        photographs, digits, faces; and a tiny world of texts that come with their truth
    models      AlexNet and a transformer, readable from top to bottom; hooks; `load`, the one door to every model
    methods     one file a method: filters, probing, attribution, patching, circuits and their discovery, editing …
    plots       figures with alt text in one style
    widgets     explorers to click, each with a static twin
    exercises   checks that say what is wrong, hints, predictions, progress
    recipes     how each shipped weight file was made: `python -m mi_course.recipes.NAME`

Each layer imports only those above it in this list. Importing the package imports none of them:
every name below is loaded when it is first used.
"""

import importlib

__version__ = "0.1.0"

_SUBPACKAGES = ("data", "models", "methods", "plots", "widgets", "exercises", "recipes")
_NAMES = {
    "load": "mi_course.models.pretrained",
    "begin": "mi_course.exercises.chapter",
    "exercise": "mi_course.exercises.check",
    "hint": "mi_course.exercises.hint",
    "predict": "mi_course.exercises.prediction",
    "reveal": "mi_course.exercises.prediction",
    "prediction": "mi_course.exercises.prediction",
    "progress": "mi_course.exercises.progress",
}
__all__ = [*_SUBPACKAGES, *_NAMES]


def __getattr__(name: str):
    if name in _SUBPACKAGES:
        return importlib.import_module(f"mi_course.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    raise AttributeError(f"mi_course has no {name!r}; it has: {', '.join(__all__)}")


def __dir__() -> list:
    return sorted(__all__)
