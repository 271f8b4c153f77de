"""What a solved notebook has stored: one whole run, from top to bottom, that could be anybody's."""

import re

import pytest

from tests.notebooks.course_notebooks import (
    code_cells,
    every_notebook,
    every_solution,
    images_without_alt,
    outputs,
    read,
    texts,
)

PRIVATE = {
    "a folder of somebody's": r"(?<![\w.])/(home|Users|root|work|tmp)/\w|[A-Za-z]:\\+Users",
    "the file of a cell": r"ipykernel_\d",
    "a package registry": r"\bpypi\.|--(extra-)?index-url|find-links|/simple/|/whl/",
}


def private(text):
    """What a text gives away that is not the course's to tell."""
    return [what for what, pattern in PRIVATE.items() if re.search(pattern, text)]


@every_solution
def test_every_cell_was_run_once_and_in_order(path):
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), (
        "nbval compares nothing in a cell that was not run; run: mi-course build --execute"
    )


@every_solution
def test_no_cell_failed_or_warned(path):
    problems = [
        output
        for output in outputs(read(path))
        if output.output_type == "error" or (output.output_type == "stream" and output.name == "stderr")
    ]
    assert problems == []


@every_solution
def test_every_picture_has_alt_text(path):
    for output in outputs(read(path)):
        kinds = set(output.get("data", {}))
        assert not kinds & {"image/png", "image/jpeg", "image/svg+xml"}, "show a Picture: it has alt text"
        assert images_without_alt(output.get("data", {}).get("text/html", "")) == []


@every_notebook
def test_nothing_tells_of_the_machine_it_was_made_on(path):
    notebook = read(path)
    said = [text for output in outputs(notebook) for text in texts(output).values()]
    for text in [*said, *(cell.source for cell in notebook.cells)]:
        assert private(text) == [], text


@pytest.mark.parametrize(
    "text",
    [
        "/home/ada/x",
        r"C:\Users\ada",
        "/scratch/ipykernel_12/3.py",
        "pip install --index-url x",
        "(/" + "root/a)",
    ],
)
def test_what_is_private_is_recognised(text):
    assert private(text)


@pytest.mark.parametrize(
    "text", ["either/home", "pip install mi-course", "a/root of x", "https://x.org/home"]
)
def test_what_is_not_private_passes(text):
    assert private(text) == []


def test_alt_text_is_looked_for_in_every_image():
    assert images_without_alt('<img alt="a" src="x"><img src="x" alt=\'b\'/>') == []
    assert len(images_without_alt('<img src="x"><img alt="" src="x"><img alt=" ">')) == 3
