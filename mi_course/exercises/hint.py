"""`mc.hint`: one hint at a time, from a nudge to nearly the solution."""

from __future__ import annotations

from pathlib import Path

import mi_course
from mi_course.exercises import card, journal, registry
from mi_course.exercises.exercise import Exercise


def hint(id: str, *, again: bool = False) -> None:
    """Reveal the next hint of an exercise, below those seen before (also before a restart).

    ``again=True`` shows what has been revealed and nothing new. With the last hint comes the way to
    the solved notebook. Raises ``UnknownName`` with the nearest ids if there is no such exercise.
    """
    task = registry.find(id)
    seen = revealed(task)
    if not again and seen < len(task.hints):
        seen += 1
        journal.record("hint", id=task.id, number=seen)
    card.show(_card(task, seen))


def revealed(task: Exercise) -> int:
    """How many hints of this exercise the learner has seen."""
    events = [entry for entry in journal.events() if entry["event"] == "hint" and entry.get("id") == task.id]
    numbers = [entry["number"] for entry in events if isinstance(entry.get("number"), int)]
    return min(max(numbers, default=0), len(task.hints))


def _card(task: Exercise, seen: int) -> card.Card:
    shown = [f"Hint {i + 1} of {len(task.hints)}: {words}" for i, words in enumerate(task.hints[:seen])]
    if seen == 0:
        shown = ["No hint revealed yet."]
    if seen < len(task.hints):
        shown.append(f'For the next hint, run `mc.hint("{task.id}")` again.')
    else:
        shown.append(
            f"That was the last hint. A solution, with what leads to it, is in {_solved(task.chapter)}."
        )
    return card.Card("💡", f"{task.id} · {task.title}", tuple(shown), tone="info")


def _solved(chapter: str) -> str:
    package = Path(mi_course.__file__).parent
    for folder in (package.parent / "solutions", package / "notebooks" / "solutions"):
        for notebook in sorted(folder.glob(f"{chapter}_*.ipynb")):
            return f"the solved notebook, `{notebook}`"
    return "the solved notebook of this chapter, in the folder `solutions`"
