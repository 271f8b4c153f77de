import pytest
from nbformat import v4

from mi_course.commands.solution_blocks import MalformedSolution, without_solutions
from tests.commands.solved_notebook import FUNCTION, VALUE, notebook, solved


def only_source(source, wrong=False):
    return without_solutions(notebook(source), wrong).cells[0].source


def test_a_block_in_a_function_becomes_a_stub():
    assert only_source(FUNCTION) == (
        'def double(x):\n    """Twice x."""\n    raise NotImplementedError("Your turn.")\n\n\nprint(1)'
    )


def test_a_block_at_the_margin_leaves_its_placeholder():
    assert only_source(VALUE) == "answer = ...\nanswer"


def test_wrong_answers_replace_both_kinds():
    namespace = {}
    exec(only_source(FUNCTION, wrong=True), namespace)
    assert namespace["double"](3) == "wrong"
    assert only_source(VALUE, wrong=True) == 'answer = "wrong"\nanswer'
    annotated = "a: int = ...  # a number\nb = ...\n### BEGIN SOLUTION\na = b = 3\n### END SOLUTION"
    assert only_source(annotated, wrong=True) == 'a: int = "wrong"  # a number\nb = "wrong"'


def test_several_blocks_in_a_cell_are_all_replaced():
    source = FUNCTION.replace("print(1)", FUNCTION)
    assert only_source(source).count("Your turn.") == 2


def test_outputs_and_counts_go_and_the_source_stays_as_it_was():
    made = solved()
    made.cells[1].outputs = [v4.new_output("stream", text="1\n")]
    made.cells[1].execution_count = 1
    learners = without_solutions(made)
    assert learners.cells[1].outputs == []
    assert learners.cells[1].execution_count is None
    assert made.cells[1].outputs
    assert made.cells[1].source == FUNCTION
    assert [cell.id for cell in learners.cells] == [cell.id for cell in made.cells]


def test_prose_that_speaks_of_the_markers_is_kept():
    text = "Write between\n### BEGIN SOLUTION\nand so on."
    made = notebook(v4.new_markdown_cell(text))
    assert without_solutions(made).cells[0].source == text


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("def f():\n    ### BEGIN SOLUTION\n    return 1", "without '### END"),
        ("x = 1\n### END SOLUTION", "without '### BEGIN"),
        ("def f():\n    ### BEGIN SOLUTION\n    ### BEGIN SOLUTION\n    ### END SOLUTION", "a second"),
        ("def f():\n    ### BEGIN SOLUTION\n    return 1\n### END SOLUTION", "not indented like"),
        ("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", "placeholder"),
        ("def f():\n    # BEGIN SOLUTION\n    return 1\n    # END SOLUTION", "not a marker"),
        ("def f():\n    ### begin solution\n    return 1\n    ### end solution", "not a marker"),
        (
            "def f():\n    ### BEGIN SOLUTION\n    return 1\nx = 2\n    ### END SOLUTION",
            "leaves the indentation",
        ),
    ],
)
def test_malformed_markers_are_errors_that_name_the_cell(source, problem):
    with pytest.raises(MalformedSolution, match="cell-0") as caught:
        only_source(source)
    assert problem in str(caught.value)
    assert source.splitlines()[0].strip() in str(caught.value)
