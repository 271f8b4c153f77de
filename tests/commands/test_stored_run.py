import re
import time
from pathlib import Path

import pytest
from nbformat import v4

from mi_course.commands.stored_run import run, steady, strip_volatile
from mi_course.errors import CourseError
from tests.commands.solved_notebook import notebook

SANITIZERS = Path(__file__).parent.parent / "nbval_sanitize.cfg"


def test_a_run_stores_counts_and_outputs_and_has_a_folder_of_progress_of_its_own(tmp_path):
    made = notebook(
        "import os\nprint(os.getcwd())", "print(os.listdir(os.environ['MI_COURSE_HOME']))", "2 * 3"
    )
    run(made, tmp_path)
    assert [cell.execution_count for cell in made.cells] == [1, 2, 3]
    assert made.cells[0].outputs[0].text.strip() == str(tmp_path.resolve())
    assert made.cells[1].outputs[0].text == "[]\n"
    assert made.cells[2].outputs[0].data["text/plain"] == "6"


def test_a_cell_that_fails_is_shown_with_its_error(tmp_path):
    with pytest.raises(CourseError, match="1 / 0") as caught:
        run(notebook("x = 1", "1 / 0"), tmp_path)
    assert "ZeroDivisionError" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_what_differs_between_runs_is_stripped_and_tags_are_kept():
    made = notebook("x")
    cell = made.cells[0]
    cell.metadata = {"execution": {"iopub.execute_input": "now"}, "tags": ["keep"], "collapsed": True}
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "Explorer()"}
    cell.outputs = [v4.new_output("display_data", view, metadata={"a": 1})]
    made.metadata.widgets = {"state": 1}
    strip_volatile(made)
    assert set(made.metadata) == {"kernelspec", "language_info"}
    assert made.metadata.language_info == {"name": "python"}
    assert cell.metadata == {"tags": ["keep"]}
    assert cell.outputs[0].data == {"text/plain": "Explorer()"}
    assert cell.outputs[0].metadata == {}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/scratch/ipykernel_123/456.py:3: UserWarning", "<cell>:3: UserWarning"),
        (r"C:\Temp\ipykernel_1\2.py:3: x", "<cell>:3: x"),
        ("kept in /tmp/mi-course-home-ab_1/models", "kept in <MI_COURSE_HOME>/models"),
        ("/a/lib/python3.11/site-packages/torch/x.py:3: W", "site-packages/torch/x.py:3: W"),
        ("<object at 0x7f00aa>", "<object at 0x0>"),
        ("0x7f and 3.14159", "0x7f and 3.14159"),
    ],
)
def test_texts_lose_folders_processes_and_addresses(text, kept):
    assert steady(text) == kept
    assert steady(kept) == kept


def test_a_large_picture_is_passed_over_quickly():
    begun = time.process_time()
    picture = '<img src="data:image/png;base64,' + "iVBORw0/" * 100_000 + '">'
    assert steady(picture) == picture
    assert time.process_time() - begun < 5


def test_nbval_sanitizes_what_the_stored_run_strips_in_the_same_way():
    rules = re.findall(r"^regex: (.*)$\n^replace: (.*)$", SANITIZERS.read_text(), re.MULTILINE)
    text = "/scratch/ipykernel_1/2.py /x/mi-course-home-a/y /l/site-packages/z <f at 0xabc> 1.23456"

    def sanitize(text):
        for pattern, replacement in rules:
            text = re.sub(pattern, replacement, text)
        return text

    assert sanitize(text) == sanitize(steady(text))
    assert (
        sanitize('<img alt="a" src="data:image/png;base64,iVBOR+/=="/>') == '<img alt="a" src="<picture>"/>'
    )
    assert sanitize("took 3.21 s, 0.12345") == "took <duration>, 0.123"
