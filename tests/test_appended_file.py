import os

import pytest

from mi_course import appended_file
from mi_course.appended_file import append_line


def test_lines_are_added_behind_what_is_there_even_if_that_was_torn(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"torn")
    append_line(path, b"one")
    append_line(path, b"two")
    assert path.read_bytes().split(b"\n") == [b"torn", b"one", b"", b"two", b""]


def test_a_disk_that_takes_only_a_part_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(appended_file.os, "write", lambda file, content: len(content) - 1)
    with pytest.raises(OSError, match="full"):
        append_line(tmp_path / "file", b"one")


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such rights")
def test_a_new_file_has_the_rights_that_were_asked_for(tmp_path):
    append_line(tmp_path / "own", b"x")
    append_line(tmp_path / "for all", b"x", mode=0o640)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("own", "for all")] == [0o600, 0o640]
