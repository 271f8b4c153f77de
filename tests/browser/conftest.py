"""One JupyterLab and one Chromium for all tests of a file."""

import pytest

from tests import notebook_environment
from tests.browser.lab import Browser, JupyterLab


@pytest.fixture(scope="module")
def lab(chromium, tmp_path_factory):
    with JupyterLab(tmp_path_factory.mktemp("notebooks")) as lab:
        yield lab


@pytest.fixture(scope="module")
def opened_browser(chromium, lab):
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
