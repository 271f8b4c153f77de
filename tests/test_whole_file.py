import os
import subprocess
import sys

import pytest

from mi_course.whole_file import write_whole

FULL_DISK = """
import resource, sys
from mi_course.whole_file import write_whole
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
write_whole(sys.argv[1], b"x" * 1000)
"""


def test_what_was_written_is_there_and_nothing_else(tmp_path):
    write_whole(tmp_path / "a", b"old")
    write_whole(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_permissions_are_those_of_the_old_file_or_of_any_new_one(tmp_path):
    write_whole(tmp_path / "new", b"")
    (tmp_path / "usual").touch()
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(0o600)
    write_whole(tmp_path / "old", b"")
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX's limits on resources")
def test_a_full_disk_leaves_the_old_file_and_no_trace(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "a")], capture_output=True, text=True
    )
    assert "File too large" in run.stderr
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]
