"""What one exercise is made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mi_course.exercises.snapshot import copy_of


@dataclass(frozen=True)
class Computed:
    """A reference value that is worked out when it is first needed, not when the chapter is imported."""

    compute: Callable[[], Any]


@dataclass(frozen=True)
class Exercise:
    """A task, its check, its hints and a reference solution.

    ``check`` is given an :class:`~mi_course.exercises.attempt.Attempt` when the reference is callable,
    and the learner's value itself otherwise. It raises ``Wrong`` with a diagnosis, or returns None or
    one sentence for the success card.
    """

    id: str
    """Chapter and name, such as ``"01.normalize_filter"``."""
    title: str
    difficulty: int
    """1, 2 or 3; shown as ●○○, ●●○, ●●●."""
    minutes: int
    hints: tuple[str, ...]
    """Two or three, from a nudge to nearly the solution."""
    reference: Any
    """A function, a value, or ``Computed(function)`` for a value that takes work."""
    check: Callable[[Any], str | None]
    seconds: float | int = 5.0
    """How long the learner's code may run during one check."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d\d\.[a-z0-9_]+", self.id):
            raise ValueError(f'Exercise id {self.id!r} should look like "01.normalize_filter".')
        if self.difficulty not in (1, 2, 3):
            raise ValueError(f"{self.id}: difficulty is {self.difficulty!r}; choose 1, 2 or 3.")
        if not 2 <= len(self.hints) <= 3:
            raise ValueError(f"{self.id}: {len(self.hints)} hints; write two or three.")
        if self.minutes <= 0 or self.seconds <= 0:
            raise ValueError(f"{self.id}: minutes and seconds must be above zero.")

    @property
    def chapter(self) -> str:
        """The chapter's two digits."""
        return self.id[:2]

    @property
    def dots(self) -> str:
        """The difficulty as it is shown to the learner."""
        return "●" * self.difficulty + "○" * (3 - self.difficulty)

    @property
    def asks_for_function(self) -> bool:
        """Whether the answer is something to call, rather than a value."""
        return callable(self.reference)

    def solution(self) -> Any:
        """The reference: the function itself, or a fresh copy of the value."""
        if self.asks_for_function:
            return self.reference
        if isinstance(self.reference, Computed):
            return self.reference.compute()
        return copy_of(self.reference)
