"""A file that only grows: each line is written by a single call, so that two writers never mix theirs."""

import os
from contextlib import nullcontext
from pathlib import Path

from mi_course.file_lock import one_at_a_time


def append_line(path: Path, line: bytes, *, mode: int = 0o600, flags: int = 0) -> None:
    """Append ``line``, with a line break before and after it, so a torn line before it loses only itself.

    ``mode`` are the permissions of a file that is new, ``flags`` are further ones for `os.open`. The folder
    must be there. Raises ``OSError``, also where the disk took only a part.
    """
    flags |= os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    content = b"\n" + line + b"\n"
    # Windows finds the end and writes there in two steps, so there the processes must take turns.
    turn = one_at_a_time(path.with_suffix(".lock")) if os.name == "nt" else nullcontext()
    with turn:
        file = os.open(path, flags, mode)
        try:
            if os.write(file, content) < len(content):
                raise OSError("the disk is full")
        finally:
            os.close(file)
