import argparse
import os
import re
import urllib.request
from urllib.parse import urlsplit

import pytest

from mi_course.commands import lab, notebook_folders
from mi_course.commands.working_copy import Laid
from mi_course.errors import CourseError
from tests.commands import jupyterlab_server
from tests.commands.solved_notebook import save, solved


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of two chapters, one of which has its solution here."""
    for name in ("00_a", "01_b"):
        save(solved(), tmp_path / "chapters" / f"{name}.ipynb")
    save(solved(), tmp_path / "solutions" / "00_a.ipynb")
    (tmp_path / "chapters" / ".gitkeep").touch()
    monkeypatch.setattr(notebook_folders, "chapters", lambda: tmp_path / "chapters")
    monkeypatch.setattr(notebook_folders, "solutions", lambda: tmp_path / "solutions")
    return tmp_path


def run(folder, **options):
    defaults = {
        "solutions": False,
        "copy_only": True,
        "no_browser": True,
        "port": None,
        "jupyter_arguments": [],
    }
    return lab.run(argparse.Namespace(folder=str(folder), **{**defaults, **options}))


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.ipynb"))


def test_chapters_are_laid_and_solutions_only_when_asked_for(course, capsys):
    assert run(course / "mine") == 0
    assert names(course / "mine") == ["00_a.ipynb", "01_b.ipynb"]
    assert "new: 00_a.ipynb, 01_b.ipynb" in capsys.readouterr().out
    run(course / "mine", solutions=True)
    assert names(course / "mine") == ["00_a.ipynb", "01_b.ipynb", "solutions/00_a.ipynb"]


def test_the_folder_is_relative_to_where_one_is_and_may_begin_with_a_tilde(course, monkeypatch):
    monkeypatch.chdir(course)
    monkeypatch.setenv("HOME", str(course))
    run("mine")
    run("~/at home")
    assert names(course / "mine") == names(course / "at home") == ["00_a.ipynb", "01_b.ipynb"]


@pytest.mark.parametrize("source", ["chapters", "solutions"])
def test_the_courses_own_notebooks_are_not_worked_on(course, source):
    with pytest.raises(CourseError, match="own notebooks"):
        run(course / source)


def test_the_report_says_what_was_left_alone_and_how_to_get_the_new_version(tmp_path):
    said = lab.report(Laid(new=(), updated=("00_a.ipynb",), left=("01_b.ipynb",)), tmp_path)
    assert "brought up to date: 00_a.ipynb" in said
    assert "yours, left as they are: 01_b.ipynb" in said
    assert "rename your file" in said


def opened(folder, monkeypatch, **options):
    """The arguments that JupyterLab is started with."""
    from jupyterlab.labapp import LabApp

    seen = []
    monkeypatch.setattr(LabApp, "launch_instance", seen.append)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/the/learners/own")
    assert run(folder, copy_only=False, **options) == 0
    assert os.environ["JUPYTER_CONFIG_PATH"] == os.pathsep.join(
        [str(lab.JUPYTER_CONFIG), "/the/learners/own"]
    )
    return seen[0]


def test_jupyterlab_opens_at_the_first_chapter(course, monkeypatch):
    arguments = opened(course / "mine", monkeypatch, no_browser=False)
    assert arguments[:2] == [
        f"--ServerApp.root_dir={course / 'mine'}",
        "--LabApp.default_url=/lab/tree/00_a.ipynb",
    ]
    assert "--no-browser" not in arguments
    arguments = opened(course / "mine", monkeypatch, port=9999, jupyter_arguments=["--x"])
    assert {"--no-browser", "--port=9999", "--x"} <= set(arguments)


def test_an_empty_course_opens_the_folder(course, monkeypatch):
    for path in course.glob("chapters/*.ipynb"):
        path.unlink()
    arguments = opened(course / "mine", monkeypatch)
    assert arguments[0] == f"--ServerApp.root_dir={course / 'mine'}"
    assert not any("default_url" in argument for argument in arguments)


def test_jupyterlab_runs_with_our_settings_and_two_at_once_are_no_problem(tmp_path):
    folder = tmp_path / "mine"
    with (
        jupyterlab_server.running(folder, scratch=tmp_path / "a") as one,
        jupyterlab_server.running(folder, scratch=tmp_path / "b") as two,
    ):
        assert one.url != two.url
        for server in (one, two):
            shown = {entry["name"] for entry in server.get("api/contents")["content"]}
            assert shown >= set(names(folder))
            settings = {
                entry["id"]: entry["schema"].get("properties", {})
                for entry in server.get("lab/api/settings")["settings"]
            }
        assert settings["@jupyterlab/notebook-extension:tracker"]["windowingMode"]["default"] == "none"
        notifications = settings["@jupyterlab/apputils-extension:notification"]
        assert notifications["fetchNews"]["default"] == "false"
        assert notifications["checkForUpdates"]["default"] is False
        page = urllib.request.urlopen(f"{one.url}lab?token={one.token}", timeout=20).read().decode()
        assert re.search(r'"buildCheck":\s*false', page)


def test_the_printed_link_leads_to_the_first_chapter_and_answers(tmp_path):
    with jupyterlab_server.running(tmp_path / "mine", scratch=tmp_path / "a") as server:
        first = names(tmp_path / "mine")[:1]
        log = (tmp_path / "a" / "server.log").read_text()
        link = f"{server.url}lab/tree/{first[0]}" if first else f"{server.url}lab"
        assert urlsplit(link).path + "?token=" in log
        assert urllib.request.urlopen(f"{link}?token={server.token}", timeout=20).status == 200
    assert server.process.returncode is not None
    with pytest.raises(OSError, match="refused"):
        server.get("api")
