import subprocess
import sys

import pytest

from mi_course import cli
from mi_course.errors import CourseError


def test_a_problem_for_the_learner_is_one_line_and_an_exit_code(monkeypatch, capsys):
    def run(_):
        raise CourseError("no room; free some")

    monkeypatch.setattr(cli.COMMANDS["doctor"], "run", run)
    assert cli.main(["doctor"]) == 1
    assert capsys.readouterr().err == "❌ no room; free some\n"


def test_ctrl_c_ends_without_a_traceback(monkeypatch, capsys):
    def run(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.COMMANDS["doctor"], "run", run)
    assert cli.main(["doctor"]) == 130
    assert capsys.readouterr().err == "\nStopped.\n"


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    said = capsys.readouterr().out
    assert all(name in said for name in cli.COMMANDS)


def test_only_lab_takes_jupyterlabs_arguments(capsys, monkeypatch):
    with pytest.raises(SystemExit):
        cli.main(["doctor", "--", "--x"])
    seen = []
    monkeypatch.setattr(cli.COMMANDS["lab"], "run", lambda options: seen.append(options) or 0)
    assert cli.main(["lab", "--no-browser", "--", "--ServerApp.ip=0.0.0.0", "--", "x"]) == 0
    assert seen[0].jupyter_arguments == ["--ServerApp.ip=0.0.0.0", "--", "x"]


def test_a_console_without_the_signs_gets_question_marks_instead_of_an_error():
    code = "import sys; from mi_course.cli import main; sys.exit(main(['models', 'fetch', 'nonsense']))"
    run = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", code],
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
    )
    assert run.returncode == 1
    assert run.stderr.startswith(b"? There is no public model named 'nonsense'")


def test_the_module_is_the_command():
    run = subprocess.run([sys.executable, "-m", "mi_course", "--help"], capture_output=True, text=True)
    assert run.returncode == 0
    assert run.stdout.startswith("usage: mi-course")
