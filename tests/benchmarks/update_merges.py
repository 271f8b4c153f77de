"""How often a learner's edit, or an instructor's, is lost when both have changed a chapter: by experiment.

Run by hand, in the course's environment with its test packages:

    PYTHONPATH=. .venv/bin/python tests/benchmarks/update_merges.py --merges 300

Each time one chapter is chosen. A learner runs some of its cells, changes lines of others and perhaps adds a cell; an
instructor changes other or the same lines and perhaps adds, removes or moves a cell; then nbgitpuller brings the one's
work to the other, as the link of a hub does. Every change is a line of its own, so that one can look for it after.

Measured once, November 2026, nbgitpuller 1.3.0, git 2.39, 300 merges from seed 1: of 1128 lines of learners 1128
were there after the merge, of 1203 lines of the instructor 1146 (95 %), and all 300 notebooks were valid.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import random
import shutil
import subprocess
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_output
from nbgitpuller.pull import GitPuller

CHAPTERS = Path(__file__).resolve().parents[2] / "chapters"
BRANCH = "chapters"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def write_line(cell, line: str, rng: random.Random) -> None:
    """Put ``line`` between the others of a cell, or in the place of one."""
    lines = cell.source.split("\n")
    place = rng.randrange(len(lines))
    lines[place : place + rng.randint(0, 1)] = [line]
    cell.source = "\n".join(lines)


def learn(path: Path, rng: random.Random) -> list[str]:
    """Run some cells of a notebook, change some, perhaps add one; returns the lines that are the learner's."""
    notebook = nbformat.read(path, 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code[: rng.randint(0, len(code))], start=1):
        cell.execution_count = number
        if rng.random() < 0.7:
            cell.outputs = [new_output("stream", text=f"out {number}\n")]
    lines = [f"# the learner's line {number}" for number in range(rng.randint(1, 6))]
    for line, cell in zip(lines, rng.sample(code, len(lines))):
        if rng.random() < 0.3:
            cell.source = line
        else:
            write_line(cell, line, rng)
    if rng.random() < 0.4:
        lines.append("# the learner's cell")
        notebook.cells.insert(rng.randint(1, len(notebook.cells)), new_code_cell(lines[-1]))
    nbformat.write(notebook, path)
    return lines


def teach(path: Path, rng: random.Random) -> list[str]:
    """Change some cells of a notebook, perhaps add, remove and move one; returns the lines that are new in it."""
    notebook = nbformat.read(path, 4)
    cells = notebook.cells
    lines = [f"# the instructor's line {number}" for number in range(rng.randint(1, 6))]
    for line, cell in zip(lines, rng.sample(cells, len(lines))):
        write_line(cell, line, rng)
    if rng.random() < 0.4:
        lines.append("# the instructor's cell")
        cells.insert(rng.randint(1, len(cells)), new_code_cell(lines[-1]))
    if rng.random() < 0.3:
        cells.pop(rng.randrange(1, len(cells)))
    if rng.random() < 0.2:
        cells.insert(rng.randrange(1, len(cells)), cells.pop(rng.randrange(1, len(cells))))
    nbformat.write(notebook, path)
    return [line for line in lines if any(line in cell.source for cell in cells)]


def count(origin: Path, learner: Path, name: str, rng: random.Random) -> Counter[str]:
    """One merge, and what is found after it."""

    def pull() -> None:
        for _ in GitPuller(origin.as_uri(), str(learner), branch=BRANCH).pull():
            pass

    git(origin, "reset", "--hard", "first")
    pull()
    mine = learn(learner / name, rng)
    theirs = teach(origin / name, rng)
    git(origin, "commit", "--all", "--message", "An update")
    pull()
    text = (learner / name).read_text("utf-8")
    valid = False
    with contextlib.suppress(ValueError, nbformat.ValidationError):
        nbformat.validate(json.loads(text))
        valid = True
    return Counter(
        {
            "merges": 1,
            "valid notebooks": valid,
            "learner's lines": len(mine),
            "kept": sum(line in text for line in mine),
            "instructor's lines": len(theirs),
            "arrived": sum(line in text for line in theirs),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--merges", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    for role in ("AUTHOR", "COMMITTER"):
        os.environ |= {f"GIT_{role}_NAME": "nobody", f"GIT_{role}_EMAIL": "nobody@localhost"}
    rng, found = random.Random(options.seed), Counter()
    names = sorted(path.name for path in CHAPTERS.glob("*.ipynb"))
    with tempfile.TemporaryDirectory() as scratch:
        origin = Path(scratch, "origin")
        shutil.copytree(CHAPTERS, origin, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        git(origin, "init", "--initial-branch", BRANCH)
        git(origin, "add", "--all")
        git(origin, "commit", "--message", "The chapters")
        git(origin, "branch", "first")
        for number in range(options.merges):
            learner = Path(scratch, f"learner-{number}")
            found += count(origin, learner, rng.choice(names), rng)
            shutil.rmtree(learner)
    for name, value in found.items():
        print(f"{name:<20} {value:6}")


if __name__ == "__main__":
    main()
