"""The learner's side of a classroom: who has joined one appends each result to a file of their own in it.

Nothing is shared until the learner joins. What is shared is a name that they choose, the exercise, right or
wrong, the first sentence of the diagnosis, how many hints were seen, and the time. Their code stays with them.
"""

from __future__ import annotations

import builtins
import json
import os
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mi_course import folders
from mi_course.appended_file import append_line
from mi_course.errors import CourseError
from mi_course.exercises import card, hint
from mi_course.exercises.describe import shorten
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.plain_text import plain
from mi_course.whole_file import write_whole

SUFFIX = ".jsonl"
PATIENCE = 0.3
"""Seconds that a result may keep the notebook waiting; a folder that is slower gets it in the background."""
_MOST_WAITING = 1000
_TROUBLE = (OSError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Membership:
    """The classroom that a learner has joined, and under which name."""

    folder: Path
    name: str
    id: str
    """Made up at random, so that the name of the file says nothing about the learner."""

    @property
    def file(self) -> Path:
        """The one file that this learner's results go to."""
        return self.folder / f"learner-{self.id}{SUFFIX}"


def join(folder: str | Path, name: str | None = None) -> Membership:
    """From now on, append each result to a file in ``folder``; without a ``name``, under a made-up one.

    Raises ``CourseError`` if nothing can be written there. It lasts until `leave`, also after a restart.
    """
    place = Path(folder).expanduser().absolute()
    if not place.is_dir():
        raise CourseError(f"{folder} is not a folder on this machine. Ask your instructor for its name.")
    known = membership()
    id = known.id if known else os.urandom(8).hex()
    called = plain(name or "", 40) or f"learner {id[:6]}"
    member = Membership(place, called, id)
    try:
        _append(member.file, _line(member, "joined"))
        home = folders.home()
        home.mkdir(parents=True, exist_ok=True)
        entry = {"folder": str(place), "name": member.name, "id": member.id}
        write_whole(folders.membership_file(), json.dumps(entry).encode("ascii"))
    except OSError as error:
        raise CourseError(
            f"You have not joined: {error.filename or member.file} cannot be written ({error.strerror or error})."
        ) from None
    return member


def leave() -> Membership | None:
    """Share nothing from now on; returns the classroom that was left. What was shared stays in its file."""
    member = membership()
    folders.membership_file().unlink(missing_ok=True)
    return member


def membership() -> Membership | None:
    """The classroom that the learner has joined, or None."""
    try:
        entry = json.loads(folders.membership_file().read_text(encoding="ascii"))
        folder, name, id = Path(entry["folder"]), entry["name"], entry["id"]
    except (*_TROUBLE, KeyError, TypeError):
        return None
    if not isinstance(name, str) or not isinstance(id, str) or not re.fullmatch(r"[0-9a-f]{16}", id):
        return None
    return Membership(folder, name, id)


def share(task: Exercise, status: str, words: str) -> None:
    """Append one result, if the learner has joined a classroom and the answer was right or wrong.

    A folder that is full, gone or slow is spoken of once, and what it misses is tried again with the next
    result. The notebook goes on in any case, after `PATIENCE` seconds at most.
    """
    member = membership() if status in ("right", "wrong") else None
    if member is None:
        return
    said = {"diagnosis": first_sentence(words)} if status == "wrong" else {}
    line = _line(member, "attempt", id=task.id, status=status, hints=hint.revealed(task), **said)
    try:
        trouble = _post.send(member.file, line)
    except _TROUBLE as error:
        trouble = error
    if trouble is not None:
        _warn(member, trouble)


_ABOUT_THE_FUNCTION = r"^`.*?` (?=(?:tried|calls|asked|returned|changed|does not fit|is an `async`) )"
"""How a diagnosis begins that names the learner's function, or quotes its first line."""

_TEXT = r"""(?<!\w)'.*?'(?!\w)|"[^"]*'[^"]*\""""
"""A text as Python writes it: in single quotes, in double ones only where it has a single one in it."""


def first_sentence(diagnosis: str) -> str:
    """What a diagnosis says first, without what it quotes of the learner's: code, messages, texts."""
    # A line of the learner's may hold anything, so what follows it is cut off with it.
    text = re.sub(r", in line \d+.*", ".", diagnosis, flags=re.DOTALL)
    raised = re.match(r"`[^`]*` raised (\w+)", text)
    if raised:
        known = isinstance(getattr(builtins, raised[1], None), type)
        return f"The code raised {raised[1] if known else 'an error of its own'}."
    text = re.sub(_ABOUT_THE_FUNCTION, "The code ", text, count=1, flags=re.DOTALL)
    text = re.sub(r"^(The code (?:changed its input|does not fit [\w ]+)):.*", r"\1.", text, flags=re.DOTALL)
    text = re.sub(r"\bthe (text|bytes) b?['\"].*", r"the \1 ….", text, flags=re.DOTALL)
    text = re.sub(_TEXT, "'…'", text, flags=re.DOTALL)
    return shorten(plain(re.split(r"(?<=[.?!])\s", text, maxsplit=1)[0], 400), 200)


def _line(member: Membership, event: str, **fields: str | int) -> bytes:
    time = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps({"event": event, "who": member.name, **fields, "time": time}).encode("ascii")


def _append(path: Path, line: bytes) -> None:
    # Whoever else can write to the folder might have put a link or a pipe in the way.
    careful = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    append_line(path, line, mode=0o644, flags=careful)


class _Post:
    """What is on its way to the folder; a folder that does not answer keeps a thread waiting, not the learner."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Path, bytes]] = []
        self._trouble: Exception | None = None
        self._messenger: threading.Thread | None = None

    def send(self, path: Path, line: bytes) -> Exception | None:
        """Write what is waiting and then ``line``; returns what went wrong, if that shows soon enough."""
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append((path, line))
        if self._messenger is not None and self._messenger.is_alive():
            return None  # it has been spoken of, and goes on when the folder answers
        self._trouble = None
        self._messenger = threading.Thread(target=self._deliver, daemon=True)
        self._messenger.start()
        self._messenger.join(PATIENCE)
        return TimeoutError("it does not answer") if self._messenger.is_alive() else self._trouble

    def _deliver(self) -> None:
        while self._waiting:
            try:
                _append(*self._waiting[0])
            except _TROUBLE as error:
                self._trouble = error
                return
            del self._waiting[0]


_post = _Post()
_warned: set[Path] = set()


def _warn(member: Membership, error: Exception) -> None:
    if member.folder in _warned:
        return
    _warned.add(member.folder)
    reason = (getattr(error, "strerror", None) or str(error)).rstrip(".")
    words = (
        "Your progress is saved as always, and the course goes on. What the classroom misses is sent again with "
        "your next result.",
        f"The folder is `{member.folder}`. To share nothing any more: `mi-course classroom --leave`",
    )
    card.show(card.Card("⚠️", f"Your results do not reach the classroom: {reason}.", words, tone="warning"))
