"""A loop that says how far it is."""

import nbformat
import pytest
from nbclient import NotebookClient

from mi_course.widgets import progress_bar

LOOP = """
from mi_course.widgets import progress_bar
for outer in progress_bar(range(3), "Outer"):
    for inner in progress_bar(iter("ab"), "Inner", total=2):
        if outer == 2:
            break
"""


def test_every_item_comes_once_and_in_order():
    assert list(progress_bar([3, 1, 2], "Counting")) == [3, 1, 2]
    assert list(progress_bar(iter("abc"), "Spelling")) == ["a", "b", "c"]
    assert list(progress_bar((), "Nothing")) == []


def test_it_can_be_nested_and_left_early():
    seen = []
    for outer in progress_bar(range(3), "Outer"):
        for inner in progress_bar(range(5), "Inner"):
            if inner == 2:
                break
            seen.append((outer, inner))
    assert seen == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]


def test_an_error_in_the_loop_comes_through():
    def divide():
        for number in progress_bar([1, 0], "Dividing"):
            _ = 1 / number

    with pytest.raises(ZeroDivisionError):
        divide()


def test_a_terminal_sees_the_description_before_the_first_item(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    steps = progress_bar(range(2), "Training")
    next(steps)
    assert "Training" in capsys.readouterr().err
    list(steps)
    assert "2/2" in capsys.readouterr().err


def test_a_log_file_stays_silent(capsys):
    list(progress_bar(range(1000), "Training"))
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


@pytest.fixture(scope="module")
def runs():
    """The outputs of two runs in Jupyter kernels, and the widgets' last state in the first."""
    outputs = []
    for _ in range(2):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LOOP)])
        client = NotebookClient(notebook, timeout=120, kernel_name="python3")
        client.execute()
        outputs.append((notebook.cells[0].outputs, notebook.metadata.widgets))
    return outputs


def words(outputs):
    return [
        (output.output_type, output.get("data", {}).get("text/plain"), output.get("text"))
        for output in outputs
    ]


def test_two_runs_leave_the_same_words_in_a_notebook(runs):
    (first, _), (second, _) = runs
    inner = ("display_data", "Inner (progress bar)", None)
    assert (
        words(first) == words(second) == [("display_data", "Outer (progress bar)", None), inner, inner, inner]
    )


def test_the_bar_says_how_the_loop_ended(runs):
    [(_, widgets), _] = runs
    states = [
        model["state"] for model in widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    ]
    styles = sorted(state["bar_style"] for state in states if "bar_style" in state)
    assert styles == ["success", "success", "success", "warning"]
    counts = [state["value"] for state in states if isinstance(state.get("value"), str)]
    assert any(value.startswith("3 of 3 · done") for value in counts)
    assert any(value.startswith("0 of 2 · stopped") for value in counts)
