"""What every solved chapter must do in a real JupyterLab; the test files that use it run side by side."""

import shutil

from mi_course.commands import notebook_folders
from tests.browser.contrast import too_faint
from tests.browser.hands import Keyboard, Mouse
from tests.notebooks import course_notebooks
from tests.notebooks.needed_cells import needed_for

IS_AN_EXPLORER = ": controls and a picture, to be used in JupyterLab"
"""What `repr` says of an explorer, and nothing else does."""

HANDS = {"light": Mouse, "dark": Keyboard}
"""The hand that is used in each theme."""


def chapters(first: int, last: int):
    """The solved chapters of these numbers, both included."""
    found = sorted(notebook_folders.solutions().glob("[0-9][0-9]_*.ipynb"))
    return [path for path in found if first <= int(path.stem[:2]) <= last]


def open_with_explorers(path, lab, browser):
    """The chapter in the browser, with its explorers' cells run and the cells that they need."""
    shutil.copy(path, lab.folder)
    notebook = browser.open(path.name)
    browser.use_theme("light")
    cells = course_notebooks.read(path).cells
    for cell in needed_for(shows_an_explorer, cells):
        notebook.run(cells.index(cell))
    assert notebook.failures() == []
    assert len(notebook.explorers()) == sum(map(shows_an_explorer, cells))
    return notebook


def check(path, lab, browser, own_photograph):
    """It opens, its pictures have names, and in both themes every control of its explorers works and can be read.

    Cells that no explorer needs are not run: nbval runs the whole chapter.
    """
    notebook = open_with_explorers(path, lab, browser)
    nameless = notebook.pictures().evaluate_all("images => images.filter(image => !image.alt).length")
    assert nameless == 0
    explorers = notebook.explorers()
    assert explorers, "every chapter has an explorer"
    for theme, hand in HANDS.items():
        browser.use_theme(theme)
        for explorer in explorers:
            assert too_faint(explorer.part) == {}
            assert explorer.not_following(hand(own_photograph)) == []


def shows_an_explorer(cell):
    """Whether the stored output of a cell is an explorer."""
    said = [output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", ())]
    return any(IS_AN_EXPLORER in text for text in said)
