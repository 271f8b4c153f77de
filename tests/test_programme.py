import subprocess
import sys

import pytest

from tests import chromium, programme
from tests.hub import proxy


@pytest.fixture
def ran(monkeypatch):
    """The commands that the programme runs; the one called "ruff check" fails."""
    commands = []

    def run(command, **_):
        commands.append(" ".join(command[2:4]))
        return subprocess.CompletedProcess(command, int("check" in command and "ruff" in command))

    monkeypatch.setattr(programme.subprocess, "run", run)
    monkeypatch.setattr(chromium, "find_or_install", lambda: None)
    monkeypatch.setattr(proxy, "find_or_install", lambda: None)
    return commands


def test_a_failed_step_fails_the_programme_and_stops_no_other(ran, capsys):
    assert programme.main([]) == 1
    assert len(ran) == len(programme.steps([])) > 2
    said = capsys.readouterr().out
    assert "FAILED  style" in said
    assert "passed  tests" in said
    assert "skipped  browser tests: no Chromium" in said
    assert "skipped  the hub's tests: no configurable-http-proxy" in said
    assert said.endswith("Something failed; see above.\n")


def test_without_failure_it_passes(ran, monkeypatch, capsys):
    monkeypatch.setattr(programme, "steps", lambda _: {"tests": [sys.executable, "-m", "pytest"]})
    assert programme.main([]) == 0
    assert capsys.readouterr().out.endswith("All passed.\n")


def test_every_notebook_is_run_solved_and_unsolved():
    assert programme.steps([])["solutions repeat their outputs, chapters run"][-3:] == [
        "--nbval",
        "solutions",
        "chapters",
    ]


def test_arguments_go_to_the_tests(ran):
    assert programme.steps(["-k", "lab"])["tests"][-2:] == ["-k", "lab"]


def test_a_browser_that_does_not_start_is_no_browser(tmp_path, monkeypatch):
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(chromium, "NAMES", ())
    monkeypatch.setattr(chromium, "PLACES", ())
    monkeypatch.setattr(chromium, "_playwrights", lambda: None)
    monkeypatch.setenv(chromium.VARIABLE, str(broken))
    if sys.platform != "win32":
        assert chromium.find() is None
    monkeypatch.setenv(chromium.VARIABLE, str(tmp_path / "missing"))
    assert chromium.find() is None
