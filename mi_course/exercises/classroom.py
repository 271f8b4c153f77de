"""The instructor's side of a classroom: per exercise, how many solved it, tried it, are stuck, and on what.

The folder holds one file for each learner who has joined (`mi_course.exercises.sharing`). Anybody who can write
to it can write anything: what is in it is read as data, within bounds, and shown only after it has been made
harmless. It is a help for the person who walks round the room, and no basis for a mark: nothing in it is proof.
"""

from __future__ import annotations

import hashlib
import html
import itertools
import json
import os
import re
import stat
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from mi_course.errors import CourseError
from mi_course.exercises import card, registry
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.plain_text import plain
from mi_course.exercises.sharing import SUFFIX

STUCK_WRONG = 3
"""Stuck is who has given this many wrong answers and no right one …"""
STUCK_MINUTES = 5
"""… and the first of them so many minutes ago."""
MOST_BYTES = 2_000_000
"""A learner's file is about 100 kB at the end of the course; one larger than this is none."""
MOST_LEARNERS = 1000
_MOST_IN_A_LINE = 4000
_MOST_NAMES = 8
_OLDEST, _NEWEST = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (2020, 2100))


@dataclass(frozen=True)
class Stuck:
    """One learner who does not get on with one exercise."""

    name: str
    wrong: int
    """How many wrong answers they gave."""
    hints: int
    minutes: int
    """Minutes since the first of them."""

    def __str__(self) -> str:
        hints = f"{self.hints} hint" + ("" if self.hints == 1 else "s")
        return f"{self.name} ({self.wrong} wrong, {hints}, {self.minutes} min)"


@dataclass(frozen=True)
class Standing:
    """One exercise: where the room stands with it. Each learner counts once, as solved or as tried."""

    exercise: Exercise
    solved: int
    """Learners with a right answer; what was solved once stays solved."""
    tried: int
    """Learners with wrong answers only; who is stuck is one of them."""
    stuck: tuple[Stuck, ...]
    """Longest first."""
    hints: float
    """The median number of hints seen, over those who solved or tried it."""
    diagnosis: str
    """What the check said to most learners, also to those who solved it since; empty if nobody was wrong.
    Diagnoses that differ only in numbers count as the same, and one of them is shown."""
    diagnosed: int
    """To how many learners it said so."""


@dataclass(frozen=True)
class Classroom:
    """The room at one moment; shows itself as a table in Jupyter and as text elsewhere."""

    learners: int
    standings: tuple[Standing, ...]
    """Every exercise that anybody has answered, in the order of the course."""
    troubles: tuple[str, ...]
    """Files that were not read, or not wholly, and why."""
    latest: datetime | None
    """When the last result came in, by the clock of the learner's machine."""

    @property
    def summary(self) -> str:
        """The room in one line."""
        people = f"{self.learners} learner" + ("" if self.learners == 1 else "s")
        last = f"last result {self.latest.astimezone():%H:%M}" if self.latest else "no results yet"
        return f"{people}, {last}"

    def __repr__(self) -> str:
        return self.text(width=110)

    def text(self, width: int) -> str:
        """The table for a terminal of ``width`` columns; diagnoses are cut to fit."""
        lines = [f"Classroom: {self.summary}"]
        if self.standings:
            names = max(len("exercise"), *(len(standing.exercise.id) for standing in self.standings))
            head = f"{'exercise':<{names}}  solved  tried  stuck  hints  "
            lines += ["", f"{head}most often wrong (learners)"]
            for row in self.standings:
                numbers = f"{row.solved:>6}  {row.tried:>5}  {len(row.stuck) or '–':>5}  {row.hints:>5g}"
                said = _cut(row.diagnosis, max(20, width - len(head) - 6))
                said = f"{said} ({row.diagnosed})" if said else ""
                lines.append(f"{row.exercise.id:<{names}}  {numbers}  {said}".rstrip())
        if any(row.stuck for row in self.standings):
            lines += ["", f"{_STUCK}:"]
            lines += [f"  {row.exercise.id}  {_names(row.stuck)}" for row in self.standings if row.stuck]
        if self.troubles:
            lines += ["", *(f"⚠️ {trouble}" for trouble in self.troubles)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The table for Jupyter; every word out of the folder is escaped."""
        style = 'style="text-align: left;"'
        heads = (
            "exercise",
            "solved",
            "tried",
            "stuck",
            "hints",
            "most often wrong (learners)",
            "who is stuck",
        )
        head = "".join(f'<th scope="col" {style}>{head}</th>' for head in heads)
        rows = []
        for row in self.standings:
            said = f"{card.as_html(row.diagnosis)} ({row.diagnosed})" if row.diagnosis else ""
            name = f"{row.exercise.id} {card.as_html(row.exercise.title)}"
            cells = (
                f"{row.solved}",
                f"{row.tried}",
                f"{len(row.stuck) or '–'}",
                f"{row.hints:g}",
                said,
                html.escape(_names(row.stuck)),
            )
            told = "".join(f"<td {style}>{cell}</td>" for cell in cells)
            rows.append(
                f'<tr><th scope="row" style="text-align: left; font-weight: normal;">{name}</th>{told}</tr>'
            )
        troubles = "".join(f"<div>⚠️ {html.escape(trouble)}</div>" for trouble in self.troubles)
        return (
            f'<div class="mi-card tex2jax_ignore mathjax_ignore"><strong>Classroom: {html.escape(self.summary)}'
            f'</strong><table style="color: inherit;"><caption {style}>{_STUCK}.</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{troubles}</div>"
        )


_STUCK = f"Stuck: {STUCK_WRONG} wrong answers or more and none right, for {STUCK_MINUTES} minutes or longer"


def read(folder: str | Path, *, pseudonyms: bool = False, now: datetime | None = None) -> Classroom:
    """The room as its folder has it at this moment; see `Room.read`."""
    return Room(folder).read(pseudonyms=pseudonyms, now=now)


class Room:
    """A classroom's folder, read again and again: each time only what has been added."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).expanduser()
        self._files: dict[str, _LearnersFile] = {}
        self._exercises = {
            task.id: task for chapter in registry.chapters() for task in registry.exercises(chapter)
        }

    def read(self, *, pseudonyms: bool = False, now: datetime | None = None) -> Classroom:
        """The room at this moment.

        pseudonyms  show "learner 3f9a1c" instead of names; the same learner keeps the same one
        now         the time from which minutes are counted, with its time zone; the clock's if not given

        What cannot be read is in ``troubles``, by the name of its file. Raises ``CourseError`` if the folder
        itself cannot be read.
        """
        names, troubles = self._listing()
        self._files = {name: self._files.get(name) or _LearnersFile(self.folder / name) for name in names}
        learners = []
        for name, file in self._files.items():
            trouble = file.refresh(self._exercises)
            if trouble:
                troubles.append(f"{plain(name, 60)}: {trouble}")
            if file.name is not None:
                learners.append((_pseudonym(name) if pseudonyms else file.name, file))
        time = (now or datetime.now(UTC)).timestamp()
        latest = max((min(file.latest, time) for _, file in learners), default=0.0)
        standings = (_standing(task, learners, time) for task in self._exercises.values())
        return Classroom(
            learners=len(learners),
            standings=tuple(standing for standing in standings if standing is not None),
            troubles=tuple(troubles),
            latest=datetime.fromtimestamp(latest, UTC) if latest else None,
        )

    def _listing(self) -> tuple[list[str], list[str]]:
        most = 10 * MOST_LEARNERS
        try:
            with os.scandir(self.folder) as entries:
                found = [entry.name for entry in itertools.islice(entries, most)]
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise CourseError(
                f"The classroom {self.folder} cannot be read ({reason}). Give the folder that the learners "
                "share, for instance: mi-course classroom /shared/room"
            ) from None
        names = sorted(name for name in found if name.endswith(SUFFIX) and not name.startswith("."))
        troubles = []
        if len(found) == most or len(names) > MOST_LEARNERS:
            troubles.append(f"The folder holds more files than a classroom: {MOST_LEARNERS} are read.")
        return names[:MOST_LEARNERS], troubles


@dataclass
class _Work:
    """What one learner did on one exercise."""

    solved: bool = False
    wrong: int = 0
    first_wrong: float = 0.0
    hints: int = 0
    diagnoses: dict[str, str] = field(default_factory=dict)
    """By what they are without their numbers, so that each counts once."""


class _LearnersFile:
    """One learner's file: what it has said so far, and up to where it has been read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity: tuple[int, int] | None = None
        self._forget()

    def _forget(self) -> None:
        self.name: str | None = None
        self.work: dict[str, _Work] = {}
        self.latest = 0.0
        self._read_up_to = 0
        self._damaged = 0
        self._unknown = 0

    def refresh(self, known: Iterable[str]) -> str:
        """Read what has been added; returns what is wrong with the file, in words, or nothing."""
        try:
            added = self._added()
        except _NotRead as why:
            self._forget()
            return f"not read: {why}."
        except (OSError, ValueError) as error:
            self._forget()
            return f"not read: {getattr(error, 'strerror', None) or 'its name is none'}."
        for line in added.decode("utf-8", "replace").split("\n"):
            if line and not line.isspace():
                self._take(line, known)
        return self._complaint()

    def _added(self) -> bytes:
        # Looked at before it is opened, and again after: in between, it may have become something else.
        status = os.lstat(self.path)
        _expect_ordinary(status)
        if self._is_as_it_was(status):
            return b""
        careful = (getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
        file = os.open(self.path, os.O_RDONLY | sum(careful))
        with os.fdopen(file, "rb") as content:
            status = os.fstat(file)
            _expect_ordinary(status)
            if self._identity != (status.st_dev, status.st_ino) or status.st_size < self._read_up_to:
                self._forget()
                self._identity = (status.st_dev, status.st_ino)
            content.seek(self._read_up_to)
            added = content.read(MOST_BYTES)
        # The last line may still be on its way.
        whole = added[: added.rfind(b"\n") + 1]
        self._read_up_to += len(whole)
        return whole

    def _is_as_it_was(self, status: os.stat_result) -> bool:
        return self._identity == (status.st_dev, status.st_ino) and status.st_size == self._read_up_to

    def _take(self, line: str, known: Iterable[str]) -> None:
        try:
            entry = json.loads(line) if len(line) <= _MOST_IN_A_LINE else None
            name, event = entry["who"], entry["event"]
            time = datetime.fromisoformat(entry["time"]).timestamp()
        except (ValueError, RecursionError, TypeError, KeyError, OverflowError):
            self._damaged += 1
            return
        if not isinstance(name, str) or not isinstance(event, str) or not _OLDEST < time < _NEWEST:
            self._damaged += 1
            return
        self.name = plain(name, 40) or "(no name)"
        if event != "attempt":
            return  # has joined; or something that a later version will say
        id, status, hints = entry.get("id"), entry.get("status"), entry.get("hints", 0)
        said = entry.get("diagnosis", "")
        sound = (
            isinstance(id, str)
            and status in ("right", "wrong")
            and type(hints) is int
            and isinstance(said, str)
        )
        if not sound:
            self._damaged += 1
        elif id not in known:
            self._unknown += 1
        else:
            self.latest = max(self.latest, time)
            self._count(self.work.setdefault(id, _Work()), status == "right", time, hints, said)

    def _count(self, work: _Work, right: bool, time: float, hints: int, said: str) -> None:
        work.hints = max(work.hints, min(hints, 9))
        if right:
            work.solved = True
            return
        work.wrong += 1
        work.first_wrong = min(work.first_wrong or time, time)
        said, kind = _as_shown(said)
        if said:
            work.diagnoses[kind] = said

    def _complaint(self) -> str:
        parts = []
        if self._damaged:
            parts.append(f"{_lines(self._damaged)} not what the course writes")
        if self._unknown:
            parts.append(f"{_lines(self._unknown)} about exercises that this version does not have")
        return "; ".join(parts) + ". The others count." if parts else ""


class _NotRead(Exception):
    """Why a file is left alone."""


def _expect_ordinary(status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise _NotRead("it is a link to somewhere else")
    if not stat.S_ISREG(status.st_mode):
        raise _NotRead("it is not an ordinary file")
    if status.st_size > MOST_BYTES:
        raise _NotRead(f"it is larger than {MOST_BYTES / 1e6:g} MB")


def _standing(task: Exercise, learners: list[tuple[str, _LearnersFile]], time: float) -> Standing | None:
    works = [(name, file.work[task.id]) for name, file in learners if task.id in file.work]
    if not works:
        return None
    stuck = [
        Stuck(name, work.wrong, work.hints, int((time - work.first_wrong) / 60))
        for name, work in works
        if not work.solved and work.wrong >= STUCK_WRONG and time - work.first_wrong >= 60 * STUCK_MINUTES
    ]
    kinds = Counter(kind for _, work in works for kind in work.diagnoses)
    kind, diagnosed = kinds.most_common(1)[0] if kinds else ("", 0)
    wordings = Counter(work.diagnoses[kind] for _, work in works if kind in work.diagnoses)
    solved = sum(work.solved for _, work in works)
    return Standing(
        exercise=task,
        solved=solved,
        tried=len(works) - solved,
        stuck=tuple(sorted(stuck, key=lambda one: (-one.minutes, one.name))),
        hints=float(statistics.median(work.hints for _, work in works)),
        diagnosis=wordings.most_common(1)[0][0] if wordings else "",
        diagnosed=diagnosed,
    )


@lru_cache(maxsize=10_000)
def _as_shown(diagnosis: str) -> tuple[str, str]:
    """The diagnosis made harmless, and the same without its numbers."""
    said = plain(diagnosis, 200)
    return said, re.sub(r"[-−]?\d[\d.,e×+-]*", "#", said)


def _pseudonym(file: str) -> str:
    digest = hashlib.blake2b(file.encode("utf-8", "surrogateescape"), digest_size=3)
    return f"learner {digest.hexdigest()}"


def _names(stuck: tuple[Stuck, ...]) -> str:
    more = f", and {len(stuck) - _MOST_NAMES} more" if len(stuck) > _MOST_NAMES else ""
    return ", ".join(map(str, stuck[:_MOST_NAMES])) + more


def _lines(number: int) -> str:
    return f"{number} line" + (" is" if number == 1 else "s are")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"
