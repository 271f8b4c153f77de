import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import mi_course as mc
from mi_course import folders
from mi_course.exercises import journal

WRITER = """
from mi_course.exercises import journal
import sys
name, count = sys.argv[1], int(sys.argv[2])
print("ready", flush=True)
for number in range(count):
    journal.record("attempt", id=name, number=number, diagnosis="x" * (number % 700))
"""


def python(code, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        **options,
    )


def numbers(name):
    return [entry["number"] for entry in journal.events() if entry.get("id") == name]


def append(content):
    with open(folders.progress_file(), "ab") as file:
        file.write(content)


def test_events_come_back_in_order():
    assert journal.events() == []
    journal.record("hint", id="98.double", number=1)
    journal.record("attempt", id="98.double", diagnosis="“quotes”\nand lines")
    first, second = journal.events()
    assert (first["event"], first["id"], first["number"]) == ("hint", "98.double", 1)
    assert second["diagnosis"] == "“quotes”\nand lines"
    assert second["time"].endswith("+00:00")


def test_each_event_is_one_line_of_json():
    journal.record("attempt", diagnosis="two\nlines")
    journal.record("attempt")
    lines = folders.progress_file().read_text(encoding="utf-8").strip().split("\n")
    assert [json.loads(line)["event"] for line in lines if line] == ["attempt", "attempt"]


@pytest.mark.parametrize(
    "damage",
    [b'\n{"event": "attempt", "id": "torn', b"\n\xff\xfe\x00\x80", b"\0" * 500, b"\n[1, 2]\nnull\n7", b"\r\n{}\r\n",
     b"\n" + b"[" * 100_000, b'\n{"event": 3}', b"\n" + b"9" * 5000],
    ids=["torn", "not utf-8", "zeros", "not a record", "windows", "deep", "odd event", "huge number"],
)  # fmt: skip
def test_a_damaged_line_loses_only_itself(damage):
    journal.record("attempt", number=1)
    append(damage)
    journal.record("attempt", number=2)
    assert [entry["number"] for entry in journal.events()] == [1, 2]
    assert damage in folders.progress_file().read_bytes()


def test_unknown_kinds_of_event_are_kept_and_ignored():
    journal.record("from a later version", id="98.double")
    before = folders.progress_file().read_bytes()
    assert "solved" in repr(mc.progress())
    assert folders.progress_file().read_bytes() == before


def test_fields_of_the_wrong_type_are_ignored():
    for odd in (3, None, ["98.double"], {"a": 1}):
        journal.record("attempt", id=odd, status="right")
        journal.record("hint", id="98.double", number=odd)
        journal.record("prediction", id="98.p", choice=odd)
    mc.progress()
    assert mc.prediction("98.p") is None or isinstance(mc.prediction("98.p"), str)


def test_four_processes_at_once_lose_nothing():
    writers = [python(WRITER, f"writer{i}", "400") for i in range(4)]
    assert [(writer.communicate(timeout=120)[0].strip(), writer.returncode) for writer in writers] == [
        ("ready", 0)
    ] * 4
    for i in range(4):
        assert numbers(f"writer{i}") == list(range(400))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_process_killed_while_it_writes_loses_nothing_that_was_written():
    for attempt in range(5):
        name = f"victim{attempt}"
        writer = python(WRITER, name, "10000000")
        writer.stdout.readline()
        time.sleep(0.1)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        journal.record("attempt", id="survivor", number=attempt)
        assert numbers(name) == list(range(len(numbers(name))))
        assert len(numbers(name)) > 10
    assert numbers("survivor") == [0, 1, 2, 3, 4]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_full_disk_is_reported_once_and_is_never_fatal():
    journal.record("attempt", id="before", number=0)
    full = """
        import resource
        from mi_course import folders
        from mi_course.exercises import journal
        size = folders.progress_file().stat().st_size + 20
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        for number in range(3):
            journal.record("attempt", id="full", number=number)
        print(len(journal.events()))
    """
    process = python(full)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    assert output.count("not being saved") == 1
    assert "MI_COURSE_HOME" in output
    assert output.rstrip().endswith("4")
    journal.record("attempt", id="after", number=0)
    assert [entry["id"] for entry in journal.events()] == ["before", "after"]


def test_a_folder_that_cannot_be_written_is_reported_once(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MI_COURSE_HOME", str(tmp_path / "file" / "home"))
    journal.record("hint", id="98.double", number=1)
    journal.record("hint", id="98.double", number=2)
    shown = capsys.readouterr().out
    assert shown.count("not being saved: Not a directory") == 1
    assert [entry["number"] for entry in journal.events()] == [1, 2]
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_progress_file_that_cannot_be_read_is_reported(home, capsys):
    folders.progress_file().mkdir(parents=True)
    assert journal.events() == []
    assert "cannot be read" in capsys.readouterr().out
