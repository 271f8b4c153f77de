"""*On the real model*: the sections on AlexNet run on a checkpoint in torchvision's own format.

No test has the published weights. A file with their names and random numbers stands in for them where a
fetched file would be, and the course takes its hash for the published one. One chapter runs on their
shapes; for the others, which look at convolutions only, the classifier is narrow.
"""

import os

import pytest

from mi_course.commands.stored_run import run
from mi_course.models import pretrained
from tests import notebook_environment
from tests.commands.solved_notebook import notebook
from tests.models import public_checkpoint
from tests.notebooks.course_notebooks import SOLUTIONS, code_cells, outputs, read, texts
from tests.notebooks.needed_cells import needed_before

SECTION = "## On the real model"
LOADS_ALEXNET = 'load_if_here("alexnet")'
CHAPTERS = [path for path in SOLUTIONS if LOADS_ALEXNET in path.read_text("utf-8").replace('\\"', '"')]
IT_SAYS = {
    "01_alexnet": ("64 filters of 11 by 11 pixels", "AlexNet, untrained"),
    "02_feature_visualization": ("Four optimised images", "AlexNet, untrained"),
}
"""What the section of a chapter says only if the model is there."""

IN_FULL, NARROW = "01_alexnet", 64

every_alexnet_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def section_with_what_it_needs(whole):
    """What the section uses of the cells before it, and its own code cells."""
    cells = whole.cells
    start = next(i for i, c in enumerate(cells) if c.cell_type == "markdown" and SECTION in c.source)
    headings = [i for i, c in enumerate(cells) if c.cell_type == "markdown" and "\n## " in f"\n{c.source}"]
    end = next((i for i in headings if i > start), len(cells))
    before, section = (
        [cell.source for cell in part if cell.cell_type == "code"]
        for part in (cells[:start], cells[start:end])
    )
    return needed_before(section, before), section


def where_a_fetched_file_would_be(sha256, folder, hidden):
    """The first cell: makes the checkpoint in ``folder`` the one that the course expects."""
    return f"""import dataclasses, os
from mi_course.models import alexnet, pretrained
os.environ["TORCH_HOME"] = {str(folder)!r}
entry = dataclasses.replace(pretrained.PUBLIC["alexnet"], sha256_prefix={sha256!r})
pretrained.PUBLIC["alexnet"] = entry
shape = dataclasses.replace(alexnet.TORCHVISION_ALEXNET, hidden=({hidden}, {hidden}))
alexnet.TORCHVISION_ALEXNET = shape"""


@pytest.fixture
def checkpoint(path, tmp_path):
    file = tmp_path / "torch" / "hub" / "checkpoints" / pretrained.PUBLIC["alexnet"].file
    hidden = 4096 if path.stem == IN_FULL else NARROW
    sha256 = public_checkpoint.write(file, public_checkpoint.weights(hidden=hidden))
    return where_a_fetched_file_would_be(sha256, tmp_path / "torch", hidden)


def said(made):
    return "\n".join(text for output in outputs(made) for text in texts(output).values())


def pictures(cells):
    """The outputs of these cells that are images."""
    shown = [output for cell in cells for output in cell.outputs]
    return [output for output in shown if "<img" in output.get("data", {}).get("text/html", "")]


def test_chapters_on_alexnet_are_found():
    assert {"01_alexnet", "02_feature_visualization"} <= {path.stem for path in CHAPTERS}


@every_alexnet_chapter
def test_the_section_runs_on_a_checkpoint_in_torchvisions_format(path, checkpoint, tmp_path):
    earlier, section = section_with_what_it_needs(read(path))
    assert section
    made = notebook(checkpoint, *earlier, *section)
    notebook_environment.network_attempts()
    run(made, tmp_path)
    assert notebook_environment.network_attempts() == []
    assert len(code_cells(made)) == 1 + len(earlier) + len(section)
    assert "is not on this machine" not in said(made)
    shown = code_cells(made)[-len(section) :]
    assert pictures(shown)
    words = "\n".join(text for cell in shown for output in cell.outputs for text in texts(output).values())
    assert all(phrase in words for phrase in IT_SAYS.get(path.stem, ()))


# One chapter stands for all: what the others say without the file is in their stored outputs, which nbval compares.
@pytest.mark.parametrize("path", CHAPTERS[:1], ids=lambda path: path.stem)
def test_without_the_file_the_section_says_how_to_get_it_and_goes_on(path, tmp_path):
    earlier, section = section_with_what_it_needs(read(path))
    made = notebook(f'import os\nos.environ["TORCH_HOME"] = {os.fspath(tmp_path)!r}', *earlier, *section)
    run(made, tmp_path)
    assert "mi-course models fetch alexnet" in said(made)
    assert pictures(code_cells(made)[-len(section) :]) == []


def test_only_what_the_section_needs_is_run():
    from nbformat.v4 import new_markdown_cell

    whole = notebook(
        "import torch",
        "from math import pi as tau",
        "unused = 1 / 0",
        "two = 2\nunused / two",
        "def half(x):\n    one = x / two\n    return one",
        "one = unused",
        new_markdown_cell(f"Text.\n\n{SECTION}\n"),
        "y = half(tau)",
        new_markdown_cell("## Next"),
        "more = y",
    )
    earlier, section = section_with_what_it_needs(whole)
    assert section == ["y = half(tau)"]
    assert earlier == [
        "from math import pi as tau",
        "two = 2",
        "def half(x):\n    one = x / two\n    return one",
    ]
