import json
import os
import subprocess
import sys

import pytest

import mi_course as mc
from mi_course import cli, folders
from mi_course.exercises import journal, saved_progress


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Another machine: calling it moves there, with an empty folder the first time."""

    def move(name):
        monkeypatch.setenv("MI_COURSE_HOME", str(tmp_path / name))

    return move


def attempt(number, time="2026-01-01T10:00:00+00:00"):
    journal.keep({"event": "attempt", "id": "98.seven", "number": number, "time": time})


def numbers():
    return [event["number"] for event in journal.events()]


def test_progress_saved_on_one_machine_is_there_on_another(toy_chapter, tmp_path, elsewhere, capsys):
    journal.record("attempt", id="98.seven", status="right")
    assert cli.main(["progress", "--save", str(tmp_path / "mine.jsonl")]) == 0
    elsewhere("another machine")
    assert "✅ 98.seven" not in repr(mc.progress())
    assert cli.main(["progress", "--load", str(tmp_path / "mine.jsonl")]) == 0
    assert "✅ 98.seven" in repr(mc.progress())
    assert "Events new here: 1; here already: 0. 1 of" in capsys.readouterr().out


def test_loading_twice_doubles_nothing_and_equal_events_all_count(tmp_path, elsewhere):
    for number in (1, 1, 2):
        attempt(number)
    saved_progress.save(tmp_path / "mine.jsonl")
    elsewhere("another machine")
    attempt(1)
    assert saved_progress.load(tmp_path / "mine.jsonl") == saved_progress.Loaded(new=2, known=1)
    assert saved_progress.load(tmp_path / "mine.jsonl") == saved_progress.Loaded(new=0, known=3)
    assert sorted(numbers()) == [1, 1, 2]


def test_events_of_two_machines_stand_in_the_order_in_which_they_happened(tmp_path, elsewhere):
    attempt(1, "2026-01-01T10:00:00+00:00")
    attempt(3, "2026-01-03T10:00:00+00:00")
    saved_progress.save(tmp_path / "mine.jsonl")
    elsewhere("another machine")
    attempt(2, "2026-01-02T10:00:00+00:00")
    saved_progress.load(tmp_path / "mine.jsonl")
    assert numbers() == [1, 2, 3]


def test_a_damaged_line_of_a_saved_file_loses_only_itself(tmp_path):
    event = {"event": "attempt", "number": 1}
    (tmp_path / "mine.jsonl").write_bytes(b"{torn\n\xff\n" + json.dumps(event).encode())
    assert saved_progress.load(tmp_path / "mine.jsonl") == saved_progress.Loaded(new=1, known=0)


@pytest.mark.parametrize("content", [b"", b"not progress", b"[1, 2]"], ids=["empty", "text", "a list"])
def test_a_file_without_progress_is_refused(tmp_path, content):
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(mc.errors.CourseError, match="other holds no progress"):
        saved_progress.load(tmp_path / "other")


def test_a_file_that_is_not_there_is_told(tmp_path, capsys):
    assert cli.main(["progress", "--load", str(tmp_path / "gone.jsonl")]) == 1
    assert "gone.jsonl cannot be read" in capsys.readouterr().err


def test_with_no_progress_there_is_nothing_to_save(tmp_path):
    with pytest.raises(mc.errors.CourseError, match="no progress to save"):
        saved_progress.save(tmp_path / "mine.jsonl")
    assert not (tmp_path / "mine.jsonl").exists()


def test_saving_again_replaces_what_is_known_and_nothing_else(tmp_path, elsewhere):
    attempt(1)
    saved_progress.save(tmp_path / "mine.jsonl")
    attempt(2)
    assert saved_progress.save(tmp_path / "mine.jsonl") == 2
    before = (tmp_path / "mine.jsonl").read_bytes()
    elsewhere("another machine")
    attempt(3)
    with pytest.raises(mc.errors.CourseError, match="would be lost"):
        saved_progress.save(tmp_path / "mine.jsonl")
    (tmp_path / "essay.txt").write_text("mine")
    for other in (tmp_path / "essay.txt", tmp_path):
        with pytest.raises(mc.errors.CourseError, match="would be lost"):
            saved_progress.save(other)
    assert (tmp_path / "mine.jsonl").read_bytes() == before
    assert (tmp_path / "essay.txt").read_text() == "mine"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_disk_that_fills_up_while_loading_is_told_and_a_second_call_adds_the_rest(tmp_path, elsewhere):
    for number in range(20):
        attempt(number)
    saved_progress.save(tmp_path / "mine.jsonl")
    elsewhere("another machine")
    code = (
        "import resource, sys; from mi_course import cli; resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400));"
        "sys.exit(cli.main(['progress', '--load', sys.argv[1]]))"
    )
    full = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "mine.jsonl"], capture_output=True, text=True
    )
    assert full.returncode == 1
    assert "of 20 new events were added" in full.stderr
    assert 0 < len(numbers()) < 20
    saved_progress.load(tmp_path / "mine.jsonl")
    assert sorted(numbers()) == list(range(20))
    assert folders.progress_file().is_file()
