"""Folders that only root can enter, opened for one command alone.

A learner's server runs as another user, and has to reach the Python that runs the tests. If root keeps it in a
closed home, the command sees another picture of that home: an empty, open folder that holds what is needed.
Nothing changes for the rest of the machine.
"""

from __future__ import annotations

import shlex
import stat
import subprocess
from pathlib import Path


def command(needed: list[Path], scratch: Path) -> list[str] | None:
    """What to put before a command so that everybody can reach the ``needed`` folders; None if nothing helps.

    scratch  an empty folder of ours, outside the closed ones
    """
    needed = sorted({path.resolve() for path in needed})
    needed = [path for path in needed if not any(other in path.parents for other in needed)]
    inside: dict[Path, list[Path]] = {}
    for path in needed:
        closed = next((each for each in reversed(path.parents) if not _is_open(each)), None)
        if closed is not None:
            inside.setdefault(closed, []).append(path)
    if not inside:
        return []
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        return None
    lines = ["set -e"]
    for number, (closed, paths) in enumerate(inside.items()):
        holds = [scratch / f"hold-{number}-{place}" for place in range(len(paths))]
        pairs = [(shlex.quote(str(path)), shlex.quote(str(hold))) for path, hold in zip(paths, holds)]
        lines += [f"mkdir {hold}; mount --bind {path} {hold}" for path, hold in pairs]
        lines += [f"mount -t tmpfs -o mode=755 tmpfs {shlex.quote(str(closed))}"]
        lines += [f"mkdir -p {path}; mount --move {hold} {path}" for path, hold in pairs]
    return [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        "\n".join([*lines, 'exec "$@"']),
        "sh",
    ]


def _is_open(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IXOTH)
