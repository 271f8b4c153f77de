"""One JupyterLab, one Chromium and one kernel for all the browser tests of a process."""

import nbformat
import pytest

from mi_course.data import photographs
from mi_course.plots import image_grid
from tests import notebook_environment
from tests.browser.browser import Browser
from tests.browser.jupyter_lab import JupyterLab


@pytest.fixture(scope="package")
def lab(chromium, tmp_path_factory):
    with JupyterLab(tmp_path_factory.mktemp("notebooks")) as lab:
        yield lab


@pytest.fixture(scope="package")
def opened_browser(chromium, lab):
    # Closed before the tests of other folders begin: while Playwright is there, nothing else can use asyncio.
    with Browser(chromium, lab) as browser:
        yield browser


@pytest.fixture
def browser(opened_browser):
    """The browser; after the test, nothing may have left this machine and no error may have been logged."""
    opened_browser.outside.clear()
    opened_browser.errors.clear()
    notebook_environment.network_attempts()
    yield opened_browser
    assert opened_browser.outside == []
    assert opened_browser.errors == []
    assert notebook_environment.network_attempts() == []


@pytest.fixture(scope="module")
def opened(request, lab, opened_browser, pytestconfig):
    """A notebook of the test file's CELLS, opened and run in the light theme. Its kernel can import the tests."""
    first, *others = request.module.CELLS
    path = f"import sys\nsys.path.insert(0, {str(pytestconfig.rootpath)!r})\n"
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in [path + first, *others]],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    name = f"{request.path.stem}.ipynb"
    nbformat.write(notebook, lab.folder / name)
    opened = opened_browser.open(name)
    opened_browser.use_theme("light")
    opened.run_all()
    return opened


@pytest.fixture
def explorer_of(opened, browser):
    """Runs a cell again; returns the one explorer of the notebook, with the first values of its controls."""
    assert opened.failures() == []

    def again(cell):
        opened.run(cell)
        [explorer] = opened.explorers()
        explorer.part.scroll_into_view_if_needed()
        explorer.wait_until_drawn()
        return explorer

    return again


@pytest.fixture(scope="package")
def own_photograph(tmp_path_factory):
    """A picture that no notebook knows."""
    face = photographs.faces().images[7]
    path = tmp_path_factory.mktemp("upload") / "my picture.png"
    return image_grid([face], title="A picture of my own", alt="A face.").save(path)
