"""The chapters are what the builder makes of the solutions, and are laid without any trace of a run."""

import json

from mi_course.commands import build
from tests.notebooks.course_notebooks import CLONE, code_cells, every_chapter, read


def test_every_chapter_is_what_its_solution_makes():
    assert list(build.drift(CLONE / "solutions", CLONE / "chapters")) == [], "run: mi-course build"


@every_chapter
def test_a_chapter_has_no_outputs_and_no_solutions(path):
    for cell in code_cells(read(path)):
        assert cell.outputs == []
        assert cell.execution_count is None
        assert "SOLUTION" not in cell.source


@every_chapter
def test_a_chapter_has_only_the_metadata_that_jupyter_needs(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert all(set(cell["metadata"]) <= {"tags"} for cell in notebook["cells"])
