"""Which sealed models the exercises of chapter 15 are about: the three that ship, or a workshop's.

    models = sealed_cases.open_cases()                      the shipped ones, "a", "b" and "c"
    models = sealed_cases.open_cases("workshop/cases")      those that `mi-course capstone` has made

From then on `mc.exercise("15.trigger", …)` and the others check answers about these.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mi_course.errors import CourseError
from mi_course.methods.sealed.envelope import ENVELOPE, unseal
from mi_course.models import pretrained
from mi_course.models.transformer import Transformer

SHIPPED = "capstone-"


@dataclass(frozen=True)
class SealedCases:
    """``folders``: where the cases lie, by their letter."""

    folders: dict[str, Path]

    def kinds(self) -> dict[str, str]:
        """What is planted in each case."""
        return {letter: unseal(folder)["kind"] for letter, folder in self.folders.items()}

    def answer(self, kind: str) -> dict[str, str | int]:
        """What the envelope of the case of this kind says."""
        return unseal(self._folder(kind))

    def model(self, kind: str) -> Transformer:
        """The sealed model of this kind."""
        return _load(self._folder(kind))

    def _folder(self, kind: str) -> Path:
        for letter, its in self.kinds().items():
            if its == kind:
                return self.folders[letter]
        raise CourseError(
            f"Among these cases is no {kind}; there is: {', '.join(self.kinds().values()) or 'nothing'}."
        )


_opened: list[SealedCases] = []
"""The cases that were opened last in this session."""


def open_cases(folder: str | Path | None = None) -> dict[str, Transformer]:
    """The sealed models by their letter; the exercises of chapter 15 are about them from now on.

    ``folder``: where `mi-course capstone` has put its cases; None for those that ship.

    Raises CourseError if there is no sealed case in the folder.
    """
    cases = _shipped() if folder is None else _in(Path(folder).expanduser())
    models = {letter: _load(path) for letter, path in cases.folders.items()}
    _opened[:] = [cases]
    return models


def current() -> SealedCases:
    """The cases that the exercises are about: those opened last, at first the shipped ones."""
    return _opened[-1] if _opened else _shipped()


def _shipped() -> SealedCases:
    names = [name for name in pretrained.shipped() if name.startswith(SHIPPED)]
    return SealedCases({name.removeprefix(SHIPPED): pretrained.WEIGHTS / name for name in names})


def _in(folder: Path) -> SealedCases:
    found = {path.parent.name: path.parent for path in sorted(folder.glob(f"*/{ENVELOPE}"))}
    if not found:
        raise CourseError(
            f"{folder} holds no sealed cases. Give the folder in which `mi-course capstone --seed …` has put them; "
            f"each is a folder of its own with a file {ENVELOPE}."
        )
    return SealedCases(found)


def _load(folder: Path) -> Transformer:
    shipped = folder.parent == pretrained.WEIGHTS
    return pretrained.load(folder.name if shipped else folder).requires_grad_(False)
