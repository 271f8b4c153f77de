"""What pip installs: a wheel with the notebooks and the weights in it, which works without the clone."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import mi_course

CLONE = Path(mi_course.__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(CLONE),
    ]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def files(folder, pattern="*"):
    return {path.relative_to(folder).as_posix() for path in folder.rglob(pattern) if path.is_file()}


def run(wheel, *arguments, cwd):
    """Run `mi-course` from the unpacked wheel."""
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    command = [sys.executable, "-m", "mi_course", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment)


@pytest.mark.parametrize("kind", ["chapters", "solutions"])
def test_every_notebook_is_in_it(wheel, kind):
    assert files(wheel / "mi_course" / "notebooks" / kind, "*.ipynb") == files(CLONE / kind, "*.ipynb")


def test_every_file_of_the_package_is_in_it(wheel):
    ours = {name for name in files(CLONE / "mi_course") if "__pycache__" not in name}
    assert ours <= files(wheel / "mi_course")
    assert "commands/jupyter_config/labconfig/default_setting_overrides.json" in ours


def test_nothing_but_the_package_is_in_it(wheel):
    assert {path.name for path in wheel.iterdir() if path.suffix != ".dist-info"} == {"mi_course"}
    assert (next(wheel.glob("*.dist-info")) / "licenses" / "LICENSE").is_file()


def test_a_course_is_laid_from_it(wheel, tmp_path):
    laid = run(wheel, "lab", "mine", "--copy-only", "--solutions", cwd=tmp_path)
    assert laid.returncode == 0, laid.stderr
    chapters = {path.name: path.read_bytes() for path in (CLONE / "chapters").glob("*.ipynb")}
    assert {path.name: path.read_bytes() for path in (tmp_path / "mine").glob("*.ipynb")} == chapters
    solved = tmp_path / "mine" / "solutions"
    assert files(solved) == files(CLONE / "solutions", "*.ipynb")


def test_commands_for_authors_say_that_they_need_a_clone(wheel, tmp_path):
    built = run(wheel, "build", "--check", cwd=tmp_path)
    assert built.returncode == 1
    assert "Clone the repository" in built.stderr
