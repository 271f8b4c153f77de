"""One file a method. Each answers one question about a network and says what it does not show."""

import importlib


def __getattr__(name: str):
    try:
        return importlib.import_module(f"mi_course.methods.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"mi_course.methods.{name}":
            raise
        raise AttributeError(f"mi_course.methods has no {name!r}") from None
