"""Solution blocks: what a solved notebook holds and a learner's notebook does not.

A block stands between `### BEGIN SOLUTION` and `### END SOLUTION`, each alone on a line. Inside a
function it becomes a stub that says whose turn it is. At the margin it disappears, and the
placeholder above it, `answer = ...`, stays.
"""

from __future__ import annotations

import copy
import re

from nbformat import NotebookNode

from mi_course.errors import CourseError

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
STUB = 'raise NotImplementedError("Your turn.")'
WRONG = '"wrong"'
_PLACEHOLDER = re.compile(r"^(\w+(?:\s*:[^=]+)?\s*=\s*)\.\.\.(?=\s*(#.*)?$)")


class MalformedSolution(CourseError):
    """The solution markers of a cell do not fit together; the text names the cell and the remedy."""


def without_solutions(notebook: NotebookNode, wrong: bool = False) -> NotebookNode:
    """A copy of a solved notebook as a learner finds it: stubs for solutions, nothing executed.

    ``wrong=True`` answers every exercise with the text "wrong" instead, for the test that a learner
    who gets everything wrong still reaches the last cell.
    Raises MalformedSolution where markers are missing, nested or misplaced.
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = _without_solution(cell.source, wrong, cell.get("id", "?"))
            cell.outputs = []
            cell.execution_count = None
    return notebook


def _without_solution(source: str, wrong: bool, cell_id: str) -> str:
    def malformed(problem: str) -> MalformedSolution:
        first = next((line for line in source.splitlines() if line.strip()), "")
        return MalformedSolution(f"Cell {cell_id!r} ({first.strip()!r}): {problem}")

    kept: list[str] = []
    indent: str | None = None  # of the block that we are in
    for line in source.split("\n"):
        marker = line.strip()
        if marker == BEGIN:
            if indent is not None:
                raise malformed(f"a second {BEGIN!r} before {END!r}.")
            indent = line[: len(line) - len(line.lstrip())]
            if indent:
                kept.append(indent + (f"return {WRONG}" if wrong else STUB))
            elif not any(_PLACEHOLDER.match(above) for above in kept):
                raise malformed(
                    "a solution at the margin needs a placeholder above it, such as `answer = ...`, "
                    "so that the cell also runs unsolved."
                )
            elif wrong:
                kept = [_PLACEHOLDER.sub(rf"\g<1>{WRONG}", above) for above in kept]
        elif marker == END:
            if indent is None:
                raise malformed(f"{END!r} without {BEGIN!r}.")
            if line != indent + END:
                raise malformed(f"{END!r} is not indented like its {BEGIN!r}.")
            indent = None
        elif re.match(r"#+\s*(BEGIN|END)\s+SOLUTION", marker, re.IGNORECASE):
            raise malformed(f"{marker!r} is not a marker; write {BEGIN!r} and {END!r}.")
        elif indent is None:
            kept.append(line)
        elif indent and marker and not line.startswith(indent):
            raise malformed(f"{line.strip()!r} leaves the indentation of its solution.")
    if indent is not None:
        raise malformed(f"{BEGIN!r} without {END!r}.")
    return "\n".join(kept)
