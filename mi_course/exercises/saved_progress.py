"""Progress in a file to carry: saved where a server will forget it, loaded where you go on."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mi_course import folders
from mi_course.errors import CourseError
from mi_course.exercises import journal
from mi_course.whole_file import write_whole


@dataclass(frozen=True)
class Loaded:
    """How many events of a saved file were new here, and how many were here already."""

    new: int
    known: int


def save(path: Path) -> int:
    """Write all that this machine knows of the learner's progress to ``path``; return the number of events.

    A file that is there already is replaced if everything in it is known here, and by a whole file or not at
    all. Raises CourseError if there is nothing to save, if something would be lost, or if the disk refuses.
    """
    events = journal.events()
    if not events:
        raise CourseError(
            "There is no progress to save yet: nothing has been opened or tried on this machine."
        )
    if path.exists() and (not path.is_file() or not _saved(path) or _missing(_saved(path), events)):
        raise CourseError(
            f"{path} holds something else, which would be lost. Choose another name; if it is progress that you "
            f"saved elsewhere, load it first:  mi-course progress --load {path}"
        )
    lines = "".join(json.dumps(event) + "\n" for event in events)
    try:
        write_whole(path, lines.encode("ascii"))
    except OSError as error:
        raise CourseError(f"{path} cannot be written ({error.strerror}). Choose another place.") from None
    return len(events)


def load(path: Path) -> Loaded:
    """Add what was saved in ``path`` to this machine's progress; what is here already is not doubled.

    Raises CourseError if the file cannot be read or holds no progress, or if the disk refuses: what was added
    until then stays, and a second call adds the rest.
    """
    saved = _saved(path)
    if not saved:
        raise CourseError(
            f"{path} holds no progress. Expected a file made by:  mi-course progress --save FILE"
        )
    missing = _missing(saved, journal.events())
    for number, event in enumerate(missing):
        try:
            journal.keep(event)
        except OSError as error:
            raise CourseError(
                f"{folders.progress_file()} cannot be written ({error.strerror or error}); {number} of "
                f"{len(missing)} new events were added. Free some space and run the same command: nothing is doubled."
            ) from None
    return Loaded(len(missing), len(saved) - len(missing))


def _saved(path: Path) -> list[dict[str, Any]]:
    try:
        return journal.parse(path.read_bytes())
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}). Which file did you save?") from None


def _missing(events: list[dict[str, Any]], known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of ``events`` that are not among ``known``; of equal ones as many as are missing."""
    here = Counter(map(_as_line, known))
    missing = []
    for event in events:
        line = _as_line(event)
        if here[line]:
            here[line] -= 1
        else:
            missing.append(event)
    return missing


def _as_line(event: dict[str, Any]) -> str:
    return json.dumps(event, sort_keys=True)
