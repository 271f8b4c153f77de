"""`mc.progress`: where the learner stands, worked out from the journal."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Literal

from mi_course.exercises import card, journal, registry
from mi_course.exercises.exercise import Exercise

Status = Literal["solved", "tried", "untouched"]
_MARKS: dict[str, str] = {"solved": "✅", "tried": "❌", "untouched": "⬜"}


@dataclass(frozen=True)
class ChapterProgress:
    """One chapter: its exercises, in order, and how far the learner is with each."""

    chapter: str
    exercises: tuple[Exercise, ...]
    status: tuple[Status, ...]

    @property
    def solved(self) -> int:
        """How many exercises are solved."""
        return self.status.count("solved")

    @property
    def minutes_left(self) -> int:
        """Minutes that the exercises not yet solved should take."""
        return sum(task.minutes for task, status in zip(self.exercises, self.status) if status != "solved")

    @property
    def summary(self) -> str:
        """The chapter in a few words."""
        left = f", about {self.minutes_left} min to go" if self.minutes_left else ""
        return f"{self.solved} of {len(self.exercises)} solved{left}"


@dataclass(frozen=True)
class Progress:
    """All chapters; shows itself as a table in Jupyter and as text elsewhere."""

    chapters: tuple[ChapterProgress, ...]

    @property
    def summary(self) -> str:
        """The whole course in one line."""
        total = sum(len(chapter.exercises) for chapter in self.chapters)
        solved = sum(chapter.solved for chapter in self.chapters)
        return f"{solved} of {total} exercises solved"

    def __repr__(self) -> str:
        lines = [f"Your progress: {self.summary}"]
        for chapter in self.chapters:
            lines += ["", f"Chapter {chapter.chapter}: {chapter.summary}"]
            width = max((len(task.id) for task in chapter.exercises), default=0)
            for task, status in zip(chapter.exercises, chapter.status):
                minutes = f"{task.minutes} min"
                lines.append(
                    f"  {_MARKS[status]} {task.id:<{width}}  {task.dots}  {minutes:>6}  {task.title}"
                )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        heads = "".join(f'<th scope="col" style="text-align: left;">{name}</th>' for name in _COLUMNS)
        groups = []
        for chapter in self.chapters:
            heading = f"Chapter {chapter.chapter}: {chapter.summary}"
            rows = [_row(task, status) for task, status in zip(chapter.exercises, chapter.status)]
            groups.append(
                f'<tbody><tr><th colspan="{len(_COLUMNS)}" scope="rowgroup" style="text-align: left;">{heading}</th>'
                f"</tr>{''.join(rows)}</tbody>"
            )
        return (
            f'<div class="mi-card"><strong>Your progress: {self.summary}</strong>'
            f'<table style="color: inherit;"><thead><tr>{heads}</tr></thead>{"".join(groups)}</table></div>'
        )


_COLUMNS = ("state", "exercise", "what it is about", "difficulty", "time")


def progress() -> Progress:
    """What is solved, tried and untouched in each chapter; what was solved once stays solved."""
    solved: set[str] = set()
    tried: set[str] = set()
    for entry in journal.events():
        if entry["event"] == "attempt" and isinstance(entry.get("id"), str):
            if entry.get("status") == "right":
                solved.add(entry["id"])
            elif entry.get("status") == "wrong":
                tried.add(entry["id"])

    def status(task: Exercise) -> Status:
        return "solved" if task.id in solved else "tried" if task.id in tried else "untouched"

    return Progress(
        tuple(
            ChapterProgress(chapter, tasks, tuple(status(task) for task in tasks))
            for chapter in registry.chapters()
            for tasks in [registry.exercises(chapter)]
        )
    )


def summary_text() -> str:
    """The progress as text, for the command line."""
    return repr(progress())


def _row(task: Exercise, status: Status) -> str:
    cells = (
        f'<span role="img" aria-label="{status}" title="{status}">{_MARKS[status]}</span>',
        f"<code>{task.id}</code>",
        card.as_html(task.title),
        f'<span role="img" aria-label="difficulty {task.difficulty} of 3">{task.dots}</span>',
        html.escape(f"{task.minutes} min"),
    )
    return "<tr>" + "".join(f'<td style="text-align: left;">{cell}</td>' for cell in cells) + "</tr>"
