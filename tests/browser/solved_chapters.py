"""What every solved chapter must do in a real JupyterLab; the test files that use it run side by side."""

import shutil

from mi_course.commands import notebook_folders
from tests.notebooks import course_notebooks
from tests.notebooks.needed_cells import needed_for

IS_AN_EXPLORER = ": controls and a picture, to be used in JupyterLab"
"""What `repr` says of an explorer, and nothing else does."""


def chapters(first: int, last: int):
    """The solved chapters of these numbers, both included."""
    found = sorted(notebook_folders.solutions().glob("[0-9][0-9]_*.ipynb"))
    return [path for path in found if first <= int(path.stem[:2]) <= last]


def check(path, lab, browser, own_photograph):
    """It opens, its pictures have names, and each explorer's every control changes its picture.

    What is run are the explorers' cells and the cells that they need: nbval runs the whole chapter.
    """
    shutil.copy(path, lab.folder)
    notebook = browser.open(path.name)
    cells = course_notebooks.read(path).cells
    for cell in needed_for(shows_an_explorer, cells):
        notebook.run(cells.index(cell))
    assert notebook.failures() == []
    nameless = notebook.pictures().evaluate_all("images => images.filter(image => !image.alt).length")
    assert nameless == 0
    explorers = notebook.explorers()
    assert explorers, "every chapter has an explorer"
    assert len(explorers) == sum(map(shows_an_explorer, cells))
    for explorer in explorers:
        assert explorer.move_everything(own_photograph) == []
    notebook.shut_down()


def shows_an_explorer(cell):
    """Whether the stored output of a cell is an explorer."""
    said = [output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", ())]
    return any(IS_AN_EXPLORER in text for text in said)
