"""Catch what code prints, without letting an endless loop of prints fill the memory."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

LIMIT = 1000
"""Characters that are kept; what is printed after them is dropped."""
LINES = 12
"""Lines of them that are shown."""


class Printed(io.StringIO):
    """A text stream that keeps its first ``LIMIT`` characters."""

    def __init__(self) -> None:
        super().__init__()
        self._length = 0
        self._cut = False

    def write(self, text: str) -> int:
        room = LIMIT - self._length
        kept = text[:room] if room > 0 else ""
        if kept:
            super().write(kept)
        self._length += len(kept)
        self._cut = self._cut or len(kept) < len(text)
        return len(text)

    def close(self) -> None:
        """Stay open: the stream belongs to the check, whatever the learner's code does to it."""

    @property
    def text(self) -> str:
        """What was printed, with a mark where it was cut."""
        lines = self.getvalue().splitlines()
        more = ["… (and more)"] if self._cut or len(lines) > LINES else []
        return "\n".join(lines[:LINES] + more)


@contextmanager
def captured_output() -> Iterator[Printed]:
    """While the context is open, everything printed to stdout or stderr lands in the yielded stream."""
    printed = Printed()
    stdout, stderr = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = printed
    try:
        yield printed
    finally:
        sys.stdout, sys.stderr = stdout, stderr
