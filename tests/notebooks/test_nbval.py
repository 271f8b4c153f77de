"""nbval, set up as the programme does it: what it must find, and what it must let pass."""

import os
import re
import subprocess

import pytest

from mi_course.commands.build import execute
from tests import notebook_environment
from tests.commands.solved_notebook import notebook, save
from tests.notebooks.course_notebooks import CLONE
from tests.programme import NBVAL

REPEATS = """import os, time
from IPython.display import HTML, display
display(HTML(f'<img alt="noise" src="data:image/png;base64,{os.urandom(6).hex()}">'))
print(object(), f"{time.time() % 5:.2f} s", 0.12345 + os.getpid() * 1e-9)
open(os.environ["MI_COURSE_HOME"] + "/mine", "x")
print(os.environ["MI_COURSE_HOME"])"""

HIDDEN = """import socket
try:
    socket.getaddrinfo("example.org", 80)
except OSError:
    pass"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What nbval says of two notebooks that repeat, of one that changes, one with a secret, one that was never run."""
    rounds_to_nothing = f"""import os
stored = os.environ["MI_COURSE_NETWORK_LOG"] == {os.environ["MI_COURSE_NETWORK_LOG"]!r}
print(format(-1e-9 if stored else 1e-9, "6.2f"))"""
    folder = tmp_path_factory.mktemp("notebooks")
    cells = {
        "a": [REPEATS, rounds_to_nothing],
        "b": [REPEATS],
        "changing": ["import os", "print(os.environ['MI_COURSE_NETWORK_LOG'])"],
        "secretive": [HIDDEN],
    }
    for name, sources in cells.items():
        save(notebook(*sources), folder / f"{name}.ipynb")
        execute(folder / f"{name}.ipynb")
    save(notebook("print('whatever')", "1 / 0"), folder / "unsolved.ipynb")
    notebook_environment.network_attempts()
    command = [*NBVAL, "--nbval", "-n", "0", "-rA", "-p", "no:cacheprovider", str(folder)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_XDIST_WORKER"}
    return subprocess.run(command, cwd=CLONE, capture_output=True, text=True, env=environment).stdout


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_run_repeats_apart_from_what_may_differ_and_has_a_home_of_its_own(report, name):
    assert re.search(rf"^PASSED .*\b{name}\.ipynb::", report, re.MULTILINE), report
    assert not re.search(rf"^FAILED .*\b{name}\.ipynb::", report, re.MULTILINE), report


def test_another_text_fails_in_the_cell_that_printed_it(report):
    assert re.search(r"^PASSED .*changing\.ipynb::Cell 0", report, re.MULTILINE), report
    assert re.search(r"^FAILED .*changing\.ipynb::Cell 1", report, re.MULTILINE), report


def test_a_cell_that_tries_the_network_in_secret_fails(report):
    assert re.search(r"^FAILED .*secretive\.ipynb::Cell 0", report, re.MULTILINE), report
    assert "This cell tried to use the network: socket.getaddrinfo example.org" in report


def test_a_notebook_without_a_stored_run_has_to_run(report):
    assert re.search(r"^PASSED .*unsolved\.ipynb::Cell 0", report, re.MULTILINE), report
    assert re.search(r"^FAILED .*unsolved\.ipynb::Cell 1", report, re.MULTILINE), report
