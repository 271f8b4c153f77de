"""Where notebooks run under test: no network, and an empty folder of progress and models each.

Kernels inherit the environment variables that are set here. For nbval this is a plugin
(`-p tests.notebook_environment`); for the tests of tests/ the conftest uses it.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest


def prepare(folder: Path) -> None:
    """Set the environment that every kernel started by this process inherits; its files go to ``folder``."""
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("no_network.py"), startup / "00_no_network.py")
    os.environ["IPYTHONDIR"] = str(folder / "ipython")
    # A GPT-2 or an AlexNet that somebody has in their cache would change what notebooks print.
    os.environ["HF_HOME"] = str(folder / "huggingface")
    os.environ["TORCH_HOME"] = str(folder / "torch")
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        os.environ.pop(name, None)
    os.environ["MI_COURSE_NETWORK_LOG"] = str(folder / "network.log")
    new_home(folder)


def new_home(folder: Path) -> None:
    """Give the kernels to come an MI_COURSE_HOME that no other notebook has written to."""
    # Not at the top: pytest loads this plugin before it switches the package's type checks on.
    from mi_course.commands.stored_run import HOME_PREFIX

    os.environ["MI_COURSE_HOME"] = tempfile.mkdtemp(prefix=HOME_PREFIX, dir=folder)


def network_attempts() -> list[str]:
    """What kernels have tried to reach since the last call."""
    log = Path(os.environ["MI_COURSE_NETWORK_LOG"])
    if not log.exists():
        return []
    attempts = log.read_text(encoding="utf-8").splitlines()
    log.unlink()
    return attempts


def pytest_configure(config):
    config._notebook_folder = Path(tempfile.mkdtemp(prefix="mi-course-notebooks-"))
    config._notebook_last = None
    prepare(config._notebook_folder)


def pytest_unconfigure(config):
    shutil.rmtree(config._notebook_folder, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if item.path.suffix == ".ipynb" and item.path != item.config._notebook_last:
        item.config._notebook_last = item.path
        new_home(item.config._notebook_folder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    result = yield
    if item.path.suffix == ".ipynb":
        attempts = network_attempts()
        if attempts:
            pytest.fail("This cell tried to use the network: " + "; ".join(attempts), pytrace=False)
    return result
