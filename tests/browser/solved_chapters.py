"""What every solved chapter must do in a real JupyterLab; the test files that use it run side by side."""

import shutil

from mi_course.commands import notebook_folders


def chapters(first: int, last: int):
    """The solved chapters of these numbers, both included."""
    found = sorted(notebook_folders.solutions().glob("[0-9][0-9]_*.ipynb"))
    return [path for path in found if first <= int(path.stem[:2]) <= last]


def check(path, lab, browser, own_photograph):
    """It runs, its pictures have names, and each explorer's every control changes its picture."""
    shutil.copy(path, lab.folder)
    notebook = browser.open(path.name)
    notebook.run_all()
    assert notebook.failures() == []
    nameless = notebook.pictures().evaluate_all("images => images.filter(image => !image.alt).length")
    assert nameless == 0
    explorers = notebook.explorers()
    assert explorers, "every chapter has an explorer"
    for explorer in explorers:
        assert explorer.move_everything(own_photograph) == []
    notebook.shut_down()
