"""Check Python, packages, memory, disk, folders, models and device, with the remedy for what is wrong."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GOOD, DOUBTFUL, BAD = "✅", "⚠️", "❌"
OLDEST_PYTHON = (3, 11)
GIGABYTE = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One line of the report: `mark` is GOOD, DOUBTFUL or BAD; `remedy` is empty when all is well."""

    mark: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.mark} {self.what}" + (f" → {self.remedy}" if self.remedy else "")


def add_arguments(parser) -> None:
    pass


def run(options) -> int:
    worst = 0
    for check in (python, packages, memory, disk, folders, models, device):
        for finding in _survive(check):
            print(finding, flush=True)
            worst |= finding.mark == BAD
    print("\nSomething needs your hand: see ❌ above." if worst else "\nReady.")
    return int(worst)


def python() -> Iterator[Finding]:
    version = f"Python {platform.python_version()} at {sys.executable}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield Finding(BAD, version, "the course needs 3.11 or newer: https://www.python.org/downloads/")
    else:
        yield Finding(GOOD, version)


def packages() -> Iterator[Finding]:
    """One finding a package that the course declares it needs."""
    try:
        requirements = importlib.metadata.requires("mi-course") or []
    except importlib.metadata.PackageNotFoundError:
        yield Finding(BAD, "mi-course is not installed", "in its clone:  python3 -m mi_course.start")
        return
    for requirement in requirements:
        specification, _, marker = requirement.partition(";")
        if "extra ==" not in marker:
            yield _package(specification.strip())


def _package(specification: str) -> Finding:
    name = re.match(r"[\w.-]+", specification).group()
    remedy = f'python -m pip install "{specification}"'
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(BAD, f"{name} is missing", remedy)
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return Finding(GOOD, f"{name} {version}")
    if Requirement(specification).specifier.contains(version, prereleases=True):
        return Finding(GOOD, f"{name} {version}")
    return Finding(BAD, f"{name} {version}, expected {specification}", remedy)


def memory() -> Iterator[Finding]:
    import psutil

    free, total = (n / GIGABYTE for n in (psutil.virtual_memory().available, psutil.virtual_memory().total))
    text = f"memory: {free:.1f} of {total:.1f} GB free"
    if free < 2:
        yield Finding(DOUBTFUL, text, "shut down other notebooks' kernels; a chapter takes 1 GB")
    else:
        yield Finding(GOOD, text)


def disk() -> Iterator[Finding]:
    for what, folder in _folders():
        free = shutil.disk_usage(_nearest(folder)).free / GIGABYTE
        text = f"disk for {what}: {free:.1f} GB free"
        if free < 1:
            yield Finding(DOUBTFUL, text, "free some space; 1 GB is comfortable")
        else:
            yield Finding(GOOD, text)


def folders() -> Iterator[Finding]:
    for what, folder in _folders():
        try:
            with tempfile.TemporaryFile(dir=_nearest(folder)):
                yield Finding(GOOD, f"{what} can be written: {folder}")
        except OSError as error:
            remedy = "set the environment variable MI_COURSE_HOME to a folder of your own"
            if folder == Path.cwd():
                remedy = "go to a folder of your own before you start"
            yield Finding(BAD, f"{what} cannot be written ({error.strerror}): {folder}", remedy)


def models() -> Iterator[Finding]:
    from mi_course.errors import DamagedWeights
    from mi_course.models import pretrained

    reinstall = "install the course again"
    if not pretrained.shipped():
        yield Finding(BAD, "no model came with this installation", reinstall)
    for name in pretrained.shipped():
        try:
            for file, facts in pretrained.card(name)["files"].items():
                pretrained.verify(pretrained.WEIGHTS / name / file, facts["sha256"])
        except DamagedWeights as error:
            yield Finding(BAD, f"model {name}: {error}", reinstall)
        else:
            yield Finding(GOOD, f"model {name}: shipped, intact")
    for name, model in pretrained.PUBLIC.items():
        path = pretrained.path_of(name)
        fetch = f"mi-course models fetch {name}"
        if path is None:
            text = f"model {name}: public, not here ({model.megabytes} MB)"
            yield Finding(GOOD, text, f"if you want it:  {fetch}")
            continue
        try:
            pretrained.verify(path, model.sha256_prefix)
        except DamagedWeights as error:
            yield Finding(BAD, f"model {name}: {error}", fetch)
        else:
            yield Finding(GOOD, f"model {name}: public, here: {path}")


def device() -> Iterator[Finding]:
    """What is computed on. MPS is never chosen by itself: it has returned wrong numbers without an error."""
    import torch

    chosen = os.environ.get("MI_COURSE_DEVICE", "")
    threads = f"CPU, {torch.get_num_threads()} threads"
    if chosen.startswith("mps"):
        remedy = "MPS is known to return wrong numbers silently; unset MI_COURSE_DEVICE to compute on the CPU"
        yield Finding(DOUBTFUL, f"device: {chosen}, as MI_COURSE_DEVICE asks", remedy)
    elif chosen.startswith("cuda") and not torch.cuda.is_available():
        yield Finding(BAD, f"device: MI_COURSE_DEVICE={chosen}, which is not here", "unset MI_COURSE_DEVICE")
    elif chosen.startswith("cuda"):
        yield Finding(GOOD, f"device: {torch.cuda.get_device_name(0)}")
    elif torch.backends.mps.is_available():
        yield Finding(GOOD, f"device: {threads} (MPS is here and left alone: it can be silently wrong)")
    else:
        yield Finding(GOOD, f"device: {threads}")


def _survive(check) -> Iterator[Finding]:
    """The findings of ``check``; a check that cannot run, for a missing package say, is a finding itself."""
    try:
        yield from check()
    except ImportError as error:
        text = f"{check.__name__}: not checked, {error.name or error} is missing"
        yield Finding(BAD, text, "install what the list of packages asks for")
    except Exception as error:
        text = f"{check.__name__}: not checked, {type(error).__name__}: {error}"
        yield Finding(BAD, text, "install the course again")


def _folders() -> list[tuple[str, Path]]:
    from mi_course import folders as places

    return [("your folder of progress and models", places.home()), ("the folder you are in", Path.cwd())]


def _nearest(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())
