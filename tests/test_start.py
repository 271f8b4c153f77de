import ast
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from mi_course import start

PACKAGE = Path(start.__file__).parent
REAL_RUN = subprocess.run


@pytest.fixture
def clone(tmp_path):
    """A clone with a pyproject.toml and nothing else."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


class Programs:
    """What `start` runs: environments are real, but without pip; installing only seems to happen."""

    def __init__(self):
        self.environments = 0
        self.installed = []
        self.pip_exit_code = 0

    def run(self, command, **options):
        if "venv" in command:
            self.environments += 1
            folder = Path(command[3])
            made = REAL_RUN([*command, "--without-pip"], **options)
            if made.returncode == 0:
                site_packages = next(folder.glob("[lL]ib/**/site-packages"))
                (site_packages / "pip.py").touch()  # so that `import pip` succeeds
            return made
        if "pip" in command:
            self.installed.append(command[-1])
            return subprocess.CompletedProcess(command, self.pip_exit_code)
        return REAL_RUN(command, **options)


@pytest.fixture
def programs(monkeypatch):
    programs = Programs()
    monkeypatch.setattr(start.subprocess, "run", programs.run)
    return programs


def test_an_old_python_can_read_the_file_and_the_package_in_front_of_it():
    for name in ("start.py", "__init__.py"):
        ast.parse((PACKAGE / name).read_text(encoding="utf-8"), feature_version=(3, 7))


def test_nothing_but_the_standard_library_is_imported():
    code = f"""
import sys
sys.path.insert(0, {str(PACKAGE.parent)!r})
import mi_course.start, mi_course.file_lock, mi_course.whole_file
print(*sys.modules)
"""
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    roots = {name.partition(".")[0] for name in run.stdout.split()}
    assert roots <= {*sys.stdlib_module_names, "__main__", "mi_course"}


def test_a_python_that_is_too_old_is_told_which_one_is_needed():
    with pytest.raises(start.CannotStart, match=r"This is Python 3\.9\.2; the course needs Python 3\.11"):
        start.check_python((3, 9, 2))
    start.check_python((3, 11, 0))


def test_an_installed_package_is_sent_to_its_command(tmp_path):
    with pytest.raises(start.CannotStart, match="mi-course lab"):
        start.check_clone(tmp_path)


def test_the_words_behind_start_choose_what_runs():
    assert start.module_and_arguments([]) == ["mi_course", "lab", "my-course"]
    assert start.module_and_arguments(["--no-browser"]) == ["mi_course", "lab", "my-course", "--no-browser"]
    assert start.module_and_arguments(["test", "-k", "lab"]) == ["tests.programme", "-k", "lab"]
    assert start.module_and_arguments(["doctor"]) == ["mi_course", "doctor"]


def test_the_second_start_installs_nothing(clone, programs):
    python = start.environment(clone, [])
    assert start.environment(clone, []) == python
    assert programs.environments == 1
    assert programs.installed == ["."]


def test_tests_add_their_packages_and_the_course_then_finds_its_own(clone, programs):
    start.environment(clone, [])
    start.environment(clone, ["test"])
    start.environment(clone, [])
    assert programs.installed == [".", ".[test]"]


def test_a_changed_pyproject_is_installed_again(clone, programs):
    start.environment(clone, [])
    (clone / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    start.environment(clone, [])
    assert programs.environments == 1
    assert programs.installed == [".", "."]


def test_a_moved_clone_is_installed_again(clone, programs, tmp_path_factory):
    start.environment(clone, [])
    moved = tmp_path_factory.mktemp("elsewhere") / "clone"
    os.rename(clone, moved)
    start.environment(moved, [])
    assert programs.installed == [".", "."]
    assert json.loads((moved / ".venv/mi-course.json").read_text())["clone"] == str(moved)


def test_a_failed_installation_is_told_and_tried_again(clone, programs):
    programs.pip_exit_code = 1
    with pytest.raises(start.CannotStart, match="could not install"):
        start.environment(clone, [])
    programs.pip_exit_code = 0
    start.environment(clone, [])
    assert programs.environments == 1
    assert programs.installed == [".", "."]


def test_an_environment_that_lacks_pip_is_mended_and_keeps_what_is_in_it(clone, programs):
    venv.create(clone / ".venv", with_pip=False)
    (clone / ".venv" / "mine.txt").write_text("mine")
    python = start.environment(clone, [])
    assert start.works(python)
    assert (clone / ".venv" / "mine.txt").read_text() == "mine"
    assert programs.installed == ["."]


@pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
def test_an_environment_whose_python_is_gone_is_made_again(clone, programs):
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "pyvenv.cfg").touch()
    (clone / ".venv" / "bin" / "python").symlink_to("/no/such/python")
    (clone / ".venv" / "bin" / "python3").symlink_to("python")
    python = start.environment(clone, [])
    assert start.works(python)
    assert programs.installed == ["."]


def test_a_damaged_stamp_leads_to_an_installation(clone, programs):
    start.environment(clone, [])
    (clone / ".venv" / "mi-course.json").write_text('{"extr')
    start.environment(clone, [])
    assert programs.installed == [".", "."]


@pytest.mark.parametrize("as_folder", [True, False])
def test_something_else_called_venv_is_left_alone(clone, programs, as_folder):
    mine = clone / ".venv" / "mine.txt" if as_folder else clone / ".venv"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    with pytest.raises(start.CannotStart, match="is in the way"):
        start.environment(clone, [])
    assert mine.read_text() == "mine"
    assert programs.environments == 0


def test_a_missing_venv_module_is_told_with_its_remedy(clone, monkeypatch):
    failed = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(start.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(start.CannotStart, match="python3-venv"):
        start.environment(clone, [])


def test_packages_that_lack_files_are_installed_again_and_whole_ones_kept(tmp_path, capsys):
    site_packages = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in ("whole", "lacking", "cut", "unrecorded"):
        folder = site_packages / f"{name}-1.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").touch()
        (site_packages / f"{name}.py").write_text("x = 1\n")
        record = f"{name}.py,sha256=…,6\n__pycache__/{name}.cpython-311.pyc,,\n{name}-1.dist-info/RECORD,,\n"
        (folder / "RECORD").write_text(record, encoding="utf-8")
    (site_packages / "lacking.py").unlink()
    (site_packages / "cut.py").write_text("x")
    (site_packages / "unrecorded-1.dist-info" / "RECORD").unlink()
    start.forget_damaged_packages(tmp_path)
    assert [path.name for path in site_packages.glob("*.dist-info")] == ["whole-1.dist-info"]


def test_the_packages_of_this_very_environment_are_whole():
    damaged = [
        folder.name
        for path in sys.path
        for folder in Path(path).glob("*.dist-info")
        if "site-packages" in path and not start._is_whole(folder)
    ]
    assert damaged == []


def test_problems_end_in_words_and_an_exit_code(monkeypatch, capsys):
    def broken(*_):
        raise start.CannotStart("no network")

    monkeypatch.setattr(start, "environment", broken)
    assert start.main([]) == 1
    assert "no network" in capsys.readouterr().err


def test_ctrl_c_ends_without_a_traceback(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "environment", interrupted)
    assert start.main([]) == 130
    assert "Stopped" in capsys.readouterr().err


def test_the_exit_code_of_what_was_started_is_handed_on(tmp_path):
    started = "import os, sys; print(os.getcwd()); sys.exit(3)"
    code = f"""
import sys
from pathlib import Path
from mi_course.start import hand_over
sys.exit(hand_over([sys.executable, "-c", {started!r}], Path({str(tmp_path)!r})))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 3
    assert run.stdout.strip() == str(tmp_path.resolve())


def test_the_continuous_integration_runs_the_command_of_the_readme():
    clone = PACKAGE.parent
    last = (clone / ".ci" / "run").read_text().splitlines()[-1]
    assert last == "python3 -m mi_course.start test"
    assert last in (clone / "README.md").read_text(encoding="utf-8")
