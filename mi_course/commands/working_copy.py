"""A working copy: the course's notebooks in a folder of the learner's, whose own work always wins.

A record in the folder (`.mi-course/laid.json`) keeps the sha256 of every version that was laid. A file
whose hash is among them is untouched, and takes the new version; any other file is the learner's.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mi_course.errors import CourseError
from mi_course.file_lock import one_at_a_time
from mi_course.whole_file import write_whole

OURS = ".mi-course"


@dataclass(frozen=True)
class Laid:
    """What `lay` did: names of files that are new, brought up to date, and left as the learner has them.

    ``left`` holds only files of which the course has another version than the learner was given.
    """

    new: tuple[str, ...]
    updated: tuple[str, ...]
    left: tuple[str, ...]


def lay(files: Mapping[str, bytes], folder: Path) -> Laid:
    """Lay ``files`` (content by name relative to ``folder``) into ``folder`` and say what was done.

    Files that the learner changed or made are never written. Each file appears whole or not at all,
    also after a full disk, a power cut, or two calls at once.
    Raises CourseError, with nothing changed, if the folder cannot take the files.
    """
    made = _missing_ancestors(folder)
    try:
        (folder / OURS).mkdir(parents=True, exist_ok=True)
        with one_at_a_time(folder / OURS / "lock"):
            return _lay(files, folder)
    except OSError as error:
        _remove_empty(folder, made)
        raise CourseError(_explain(error, folder)) from None


def _lay(files: Mapping[str, bytes], folder: Path) -> Laid:
    _remove_staging(folder)
    record = _read_record(folder)
    new, updated, left = [], [], []
    for name, content in files.items():
        known = record.setdefault(name, [])
        found = _sha256(folder / name)
        current = hashlib.sha256(content).hexdigest()
        if found == current:
            _remember(known, current)
        elif not os.path.lexists(folder / name):
            new.append(name)
        elif found in known:
            updated.append(name)
        elif known[-1:] != [current]:
            left.append(name)

    staging = Path(tempfile.mkdtemp(prefix="staging-", dir=folder / OURS))
    try:
        for name in (*new, *updated):
            write_whole(staging / _flat(name), files[name])
            _remember(record[name], hashlib.sha256(files[name]).hexdigest())
        # The record comes first: a file that is placed and not recorded would later pass for the learner's.
        content = json.dumps({"laid": record}, indent=1, sort_keys=True).encode()
        write_whole(folder / OURS / "laid.json", content)
        for name in (*new, *updated):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        for name in new:
            _place_beside_nothing(staging / _flat(name), folder / name)
        for name in updated:
            os.replace(staging / _flat(name), folder / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Laid(tuple(new), tuple(updated), tuple(left))


def _place_beside_nothing(staged: Path, target: Path) -> None:
    """Move ``staged`` to ``target``, unless something has come to be there in the meantime."""
    try:
        os.link(staged, target)
    except FileExistsError:
        return
    except OSError:  # a disk without hard links
        if not os.path.lexists(target):
            os.replace(staged, target)


def _remember(known: list[str], digest: str) -> None:
    """Put ``digest`` at the end of ``known``, where the version that was laid last stands."""
    if digest in known:
        known.remove(digest)
    known.append(digest)


def _read_record(folder: Path) -> dict[str, list[str]]:
    """The hashes laid so far, by name; none if the record is missing or damaged."""
    try:
        laid = json.loads((folder / OURS / "laid.json").read_text(encoding="utf-8"))["laid"]
        return {str(name): [str(digest) for digest in known] for name, known in laid.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _sha256(path: Path) -> str | None:
    """The hash of a file that can be read; None for anything else."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _flat(name: str) -> str:
    return name.replace("/", "--")


def _remove_staging(folder: Path) -> None:
    """Clear away what a call that was killed has left."""
    for stale in (folder / OURS).glob("staging-*"):
        shutil.rmtree(stale, ignore_errors=True)
    for stale in (folder / OURS).glob(".*.part"):
        stale.unlink(missing_ok=True)


def _missing_ancestors(folder: Path) -> list[Path]:
    """The folders that have to be made for ``folder`` to be there, innermost first."""
    return [path for path in (folder, *folder.parents) if not os.path.lexists(path)]


def _remove_empty(folder: Path, made: list[Path]) -> None:
    """Take back the folders that were made for nothing."""
    with contextlib.suppress(OSError):
        if os.listdir(folder / OURS) == ["lock"]:
            (folder / OURS / "lock").unlink()
            for path in (folder / OURS, *made):
                path.rmdir()


def _explain(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        return (
            f"There is no room for the notebooks in {folder} ({error.strerror}). Your files are as they "
            "were. Free some space, or choose a folder on another disk:  mi-course lab OTHER_FOLDER"
        )
    for path in (folder / OURS, folder, *folder.parents):
        if os.path.isfile(path):  # unlike Path.is_file, no error where we may not look
            return f"{path} is a file, not a folder. Choose another folder:  mi-course lab OTHER_FOLDER"
    return (
        f"The folder {folder} cannot be written ({error.strerror}). Your files are as they were. "
        "Choose a folder of your own:  mi-course lab OTHER_FOLDER"
    )
