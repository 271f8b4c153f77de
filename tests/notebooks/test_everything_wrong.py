"""A learner who answers every exercise wrongly still reaches the last cell."""

import pytest

from mi_course.commands.solution_blocks import without_solutions
from mi_course.commands.stored_run import run
from tests import notebook_environment
from tests.commands.solved_notebook import notebook
from tests.notebooks.course_notebooks import code_cells, every_solution, read


@every_solution
def test_every_cell_runs_with_every_exercise_answered_wrongly(path):
    wrong = without_solutions(read(path), wrong=True)
    notebook_environment.network_attempts()
    run(wrong, path.parent)
    assert all(cell.execution_count for cell in code_cells(wrong))
    assert notebook_environment.network_attempts() == []


def test_a_notebook_that_cannot_bear_a_wrong_answer_is_found(tmp_path):
    source = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    fragile = notebook(source, "double(2) + 1")
    run(fragile, tmp_path)
    with pytest.raises(Exception, match="TypeError"):
        run(without_solutions(fragile, wrong=True), tmp_path)
