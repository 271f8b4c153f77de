"""Fetch a large file: visibly, from where the last attempt stopped, and checked before it gets its name."""

from __future__ import annotations

import hashlib
import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from mi_course.errors import CourseError

CHUNK = 1 << 20
SECONDS_OF_SILENCE = 30


def download(url: str, target: Path, sha256: str, report: Callable[[int, int | None], None]) -> None:
    """Fetch ``url`` into ``target``, whose sha256 must begin with ``sha256``.

    The bytes gather in ``target`` + ".part", which the next call takes up after an interruption; only a
    complete and right file gets the name ``target``. ``report(bytes here, bytes in all or None)`` is
    called as they arrive. Raises CourseError in words for a missing network, a server's refusal, a
    full disk or a wrong file.
    """
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch(url, part, report)
        found = _sha256(part)
        if not found.startswith(sha256):
            part.unlink()
            raise CourseError(
                f"What came from {url} is not the published file: its sha256 begins {found[:12]}…, expected "
                f"{sha256[:12]}…. It was deleted. Try again; a proxy or a login page may stand in between."
            )
        os.replace(part, target)
    except urllib.error.HTTPError as error:
        raise CourseError(f"{url} answered {error.code} ({error.reason}). Try again later.") from None
    except (urllib.error.URLError, TimeoutError, ConnectionError, ssl.SSLError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise CourseError(
            f"{url} could not be reached, or the connection broke ({reason}). "
            "Check the network and run the same command: it goes on where it stopped."
        ) from None
    except OSError as error:
        raise CourseError(
            f"{part} could not be written ({error.strerror or error}). Free some space, or move the folder "
            "with the environment variable MI_COURSE_HOME, and run the same command."
        ) from None


def _fetch(url: str, part: Path, report: Callable[[int, int | None], None]) -> None:
    here = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={here}-"} if here else {})
    try:
        answer = urllib.request.urlopen(request, timeout=SECONDS_OF_SILENCE)
    except urllib.error.HTTPError as error:
        if error.code == 416 and here:  # nothing is left to send: the hash decides whether it is right
            return
        raise
    with answer:
        if answer.status != 206:
            here = 0
        length = answer.headers.get("Content-Length")
        total = here + int(length) if length and length.isdigit() else None
        with open(part, "ab" if here else "wb") as file:
            report(here, total)
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                here += len(chunk)
                report(here, total)
    if total is not None and here < total:
        raise ConnectionError(f"{here} of {total} bytes came")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def progress_line() -> Callable[[int, int | None], None]:
    """A `report` for `download`: one line that counts in a terminal, one line every tenth in a log."""
    last = -1

    def report(here: int, total: int | None) -> None:
        nonlocal last
        megabytes, tenth = here / 1e6, here * 10 // total if total else here // 50_000_000
        text = f"{megabytes:.0f} MB" + (f" of {total / 1e6:.0f} MB" if total else "")
        if sys.stderr.isatty():
            print(f"\r{text}", end="\n" if here == total else "", file=sys.stderr, flush=True)
        elif tenth != last:
            print(text, file=sys.stderr, flush=True)
        last = tenth

    return report
