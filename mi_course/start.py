"""One command from a fresh clone to the course, and one to all its tests.

    python3 -m mi_course.start              open JupyterLab on the course, in the folder my-course
    python3 -m mi_course.start test         run every test
    python3 -m mi_course.start doctor       or any other command of `mi-course`

The first call makes the environment `.venv` inside the clone and installs the course into it, which
takes minutes; later calls take seconds, until pyproject.toml changes. Nothing outside the clone is
touched. This file needs the standard library only, and keeps to syntax that an old Python can read,
so that a Python that is too old is told so in words.
"""

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)
CLONE = Path(__file__).resolve().parent.parent
LEARNERS_FOLDER = "my-course"


class CannotStart(Exception):
    """Something that only the user can put right; the text says what and how."""


def main(arguments):
    """Bring the environment up to date, then run what was asked for in it; return the exit code."""
    try:
        check_python(sys.version_info)
        check_clone(CLONE)
        extras = ["test"] if arguments[:1] == ["test"] else []
        python = environment(CLONE, extras)
    except CannotStart as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command takes up the work where it is now.", file=sys.stderr)
        return 130
    return hand_over([str(python), "-m", *module_and_arguments(arguments)], CLONE)


def check_python(version):
    """Raise CannotStart if this Python is older than the course needs."""
    if tuple(version[:2]) < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        found = ".".join(map(str, version[:3]))
        raise CannotStart(
            f"This is Python {found}; the course needs Python {wanted} or newer.\n"
            f"If a newer one is installed, call it by its name:  python{wanted} -m mi_course.start\n"
            "If not, install one: https://www.python.org/downloads/"
        )


def check_clone(folder):
    """Raise CannotStart if this is an installed package, which has its environment already."""
    if not (folder / "pyproject.toml").is_file():
        raise CannotStart(
            "`mi_course.start` sets up a clone of the course's repository, and this is an installed "
            "package.\nIt is ready to use:  mi-course lab"
        )


def module_and_arguments(arguments):
    """What to run in the environment for the words behind ``python3 -m mi_course.start``."""
    if arguments[:1] == ["test"]:
        return ["tests.programme", *arguments[1:]]
    if not arguments or arguments[0].startswith("-"):
        return ["mi_course", "lab", LEARNERS_FOLDER, *arguments]
    return ["mi_course", *arguments]


def environment(clone, extras):
    """The Python of the clone's environment, which is made, mended or brought up to date first."""
    from mi_course.file_lock import one_at_a_time

    folder = clone / ".venv"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if is_current(clone, folder, python, extras):
        return python

    def waiting():
        print("Another start is installing in this clone; waiting for it to end.", flush=True)

    try:
        with one_at_a_time(clone / ".venv.lock", waiting):
            if not is_current(clone, folder, python, extras):
                if not works(python):
                    make(folder, python)
                install(clone, folder, python, extras)
    except OSError as error:
        raise CannotStart(
            f"The environment {folder} cannot be written: {error}.\n"
            "Put the clone into a folder of your own, on a disk with 3 GB free, and start again."
        ) from None
    return python


def is_current(clone, folder, python, extras):
    """Whether the last installation ended well, in this place, from today's pyproject.toml."""
    try:
        stamp = json.loads(_stamp(folder).read_text(encoding="utf-8"))
        installed = stamp.pop("extras")
    except (OSError, ValueError, KeyError, AttributeError):
        return False
    return stamp == _origin(clone) and set(extras) <= set(installed) and works(python)


def works(python):
    """Whether this Python runs, is new enough and has pip: false for an environment half made."""
    check = f"import sys, pip; sys.exit(sys.version_info < {OLDEST_PYTHON})"
    try:
        return subprocess.run([str(python), "-c", check], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def make(folder, python):
    """Make an environment, or mend the one that is there; only what cannot be mended is emptied first."""
    is_environment = (folder / "pyvenv.cfg").is_file()
    if folder.exists() and not is_environment and (folder.is_file() or any(_files(folder))):
        raise CannotStart(
            f"{folder} is in the way: it is not an environment, so it is left alone.\n"
            "Move it elsewhere and start again."
        )
    print(f"Making the environment {folder} …", flush=True)
    command = [sys.executable, "-m", "venv", str(folder)]
    if is_environment:
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if works(python):
            return
    if subprocess.run([*command, "--clear"]).returncode != 0:
        raise CannotStart(
            "Python could not make an environment; its message is above.\n"
            "On Debian and Ubuntu the missing part comes with:  sudo apt install python3-venv"
        )


def install(clone, folder, python, extras):
    """Install the course and what it needs into the environment, then leave a stamp that says so."""
    _stamp(folder).unlink(missing_ok=True)
    forget_damaged_packages(folder)
    print("Installing the course. The first time this takes a few minutes …", flush=True)
    what = "." + (f"[{','.join(extras)}]" if extras else "")
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "-e", what]
    if subprocess.run(command, cwd=str(clone)).returncode != 0:
        raise CannotStart(
            "pip could not install the course; its message is above.\n"
            "It needs a network connection the first time, and 3 GB of free disk. "
            "What it has fetched is kept: start again."
        )
    from mi_course.whole_file import write_whole

    stamp = {**_origin(clone), "extras": extras}
    write_whole(_stamp(folder), json.dumps(stamp).encode("utf-8"))


def forget_damaged_packages(folder):
    """Delete the records of packages that lack files, so that pip installs those packages again.

    An installation that was killed half-way leaves packages that pip takes for complete.
    """
    for site_packages in [*folder.glob("lib/python3*/site-packages"), folder / "Lib" / "site-packages"]:
        for record_folder in site_packages.glob("*.dist-info"):
            if not _is_whole(record_folder):
                print(f"Damaged, to be installed again: {record_folder.name}", flush=True)
                shutil.rmtree(record_folder)


def hand_over(command, folder):
    """Run ``command`` in ``folder`` in place of this process, or, on Windows, wait for its end."""
    os.chdir(folder)
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # Ctrl-C reaches the command too, and it is the command that decides


def _stamp(folder):
    return folder / "mi-course.json"


def _origin(clone):
    """What an installation depends on: the place of the clone and what its pyproject.toml asks for."""
    content = (clone / "pyproject.toml").read_bytes()
    return {"clone": str(clone), "pyproject": hashlib.sha256(content).hexdigest()}


def _files(folder):
    return (path for path in folder.rglob("*") if not path.is_dir())


def _is_whole(record_folder):
    try:
        rows = list(csv.reader((record_folder / "RECORD").read_text(encoding="utf-8").splitlines()))
        for path, _, size in rows:
            if not path.endswith(".pyc"):
                found = os.path.getsize(record_folder.parent / path)
                if size and int(size) != found:
                    return False
        return bool(rows) and (record_folder / "METADATA").is_file()
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
