"""Every solved chapter in a real JupyterLab: it runs, and each explorer's every control changes its picture."""

import shutil

import pytest

from mi_course.commands import notebook_folders
from mi_course.data import photographs
from mi_course.plots import image_grid

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def own_photograph(tmp_path_factory):
    """A picture that no notebook knows."""
    face = photographs.faces().images[7]
    path = tmp_path_factory.mktemp("upload") / "my picture.png"
    return image_grid([face], title="A picture of my own", alt="A face.").save(path)


@pytest.mark.parametrize(
    "path", sorted(notebook_folders.solutions().glob("*.ipynb")), ids=lambda path: path.stem
)
def test_a_chapter_runs_and_its_explorers_follow_their_controls(path, lab, browser, own_photograph):
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
