"""Every exercise that is answered wrongly says so, and hands back the reference, so that the notebook goes on.

The cells run here are the exercises and what they need. All others only see what an exercise hands back, which is the
reference both for a wrong answer and for none; with none, nbval runs every chapter from the first cell to the last.
"""

import pytest

from mi_course.commands.solution_blocks import without_solutions
from mi_course.commands.stored_run import run
from tests import notebook_environment
from tests.commands.solved_notebook import notebook
from tests.notebooks.course_notebooks import code_cells, every_solution, read, texts
from tests.notebooks.needed_cells import needed_for

POSES = "mc.exercise("


def exercises_with_what_they_need(whole):
    """The notebook's exercise cells, and the earlier cells that define what they use."""
    return notebook(*(cell.source for cell in needed_for(lambda cell: POSES in cell.source, whole.cells)))


@every_solution
def test_every_exercise_answered_wrongly_says_so_and_goes_on(path):
    wrong = exercises_with_what_they_need(without_solutions(read(path), wrong=True))
    notebook_environment.network_attempts()
    run(wrong, path.parent)
    posed = [cell for cell in code_cells(wrong) if POSES in cell.source]
    assert posed
    for cell in posed:
        said = "\n".join(text for output in cell.outputs for text in texts(output).values())
        assert "The reference solution stands in" in said, cell.source
    assert notebook_environment.network_attempts() == []


def test_a_notebook_that_cannot_bear_a_wrong_answer_is_found(tmp_path):
    source = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    fragile = notebook(source, "double(2) + 1")
    run(fragile, tmp_path)
    with pytest.raises(Exception, match="TypeError"):
        run(without_solutions(fragile, wrong=True), tmp_path)
