"""The one file that remembers what a learner did: a line of JSON for each event, only ever appended to.

Each record is written by a single call, with a line break before and after it. So two notebooks may write
at once, and a record that was torn by a crash, or damaged later, loses only itself.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from mi_course import folders
from mi_course.appended_file import append_line
from mi_course.exercises import card

_unsaved: list[dict[str, Any]] = []
"""Events of this session that could not be written; they count until Python ends."""
_warned: set[str] = set()


def record(event: str, **fields: Any) -> None:
    """Append one event. A full or read-only disk is reported once and is never fatal."""
    entry = {"event": event, **fields, "time": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        keep(entry)
    except _TROUBLE as error:
        _unsaved.append(entry)
        _warn("What you do is not being saved", error, "The course goes on without it.")


def events() -> list[dict[str, Any]]:
    """Every readable event, oldest first. Damaged lines are passed over and stay in the file."""
    try:
        content = folders.progress_file().read_bytes()
    except FileNotFoundError:
        content = b""
    except _TROUBLE as error:
        content = b""
        _warn("Your earlier progress cannot be read", error, "The file is left as it is.")
    # What was loaded from another machine stands behind what is newer.
    return sorted(parse(content) + _unsaved, key=lambda entry: str(entry.get("time", "")))


def parse(content: bytes) -> list[dict[str, Any]]:
    """The readable events of a file, in its order."""
    entries = map(_parse, content.split(b"\n"))
    return [entry for entry in entries if entry is not None]


def keep(entry: dict[str, Any]) -> None:
    """Append one event as it is. Raises ``OSError`` where the disk refuses."""
    path = folders.progress_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    append_line(path, json.dumps(entry).encode("ascii"))


_TROUBLE = (OSError, RuntimeError, ValueError)
"""What a bad folder can raise: the system's errors, no home to be found, a name that is no path."""


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("event"), str) else None


def _warn(problem: str, error: Exception, consequence: str) -> None:
    if problem in _warned:
        return
    _warned.add(problem)
    try:
        place = f"The file is `{folders.progress_file()}`; "
    except _TROUBLE:
        place = ""
    remedy = f"{place}set the environment variable `MI_COURSE_HOME` to a folder that you can write to."
    reason = (getattr(error, "strerror", None) or str(error)).rstrip(".")
    card.show(card.Card("⚠️", f"{problem}: {reason}.", (consequence, remedy), tone="warning"))
