"""What all tests share: a folder of their own for progress and models, a network that is off, a browser."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tests import chromium as browser
from tests import notebook_environment, type_checks


def pytest_configure(config):
    config._course_folder = Path(tempfile.mkdtemp(prefix="mi-course-tests-"))
    notebook_environment.prepare(config._course_folder)


def pytest_unconfigure(config):
    shutil.rmtree(config._course_folder, ignore_errors=True)


@pytest.fixture
def course_home(tmp_path, monkeypatch):
    """An empty folder of progress and models, in force during one test."""
    monkeypatch.setenv("MI_COURSE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def without_type_checks():
    """The runtime shape checks of the tests are off: what answers is what the package itself says."""
    with type_checks.unchecked():
        yield


@pytest.fixture(scope="session")
def chromium():
    """The path of a Chromium that runs; without one the test is skipped and says why."""
    path = browser.find()
    if path is None:
        pytest.skip("no Chromium here: install chromium, or run  python -m playwright install chromium")
    return path
