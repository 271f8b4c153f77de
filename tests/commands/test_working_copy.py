import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mi_course.commands.working_copy import Laid, lay
from mi_course.errors import CourseError

VERSION_1 = {"00_a.ipynb": b"a, version 1", "01_b.ipynb": b"b, version 1"}
VERSION_2 = {"00_a.ipynb": b"a, version 2", "01_b.ipynb": b"b, version 2", "02_c.ipynb": b"c"}


def visible(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def ours(folder):
    return sorted(path.name for path in (folder / ".mi-course").iterdir())


def test_an_empty_place_gets_every_notebook(tmp_path):
    laid = lay(VERSION_1, tmp_path / "deep" / "course")
    assert laid == Laid(new=("00_a.ipynb", "01_b.ipynb"), updated=(), left=())
    assert visible(tmp_path / "deep" / "course") == VERSION_1
    assert ours(tmp_path / "deep" / "course") == ["laid.json", "lock"]


def test_a_second_time_changes_nothing(tmp_path):
    lay(VERSION_1, tmp_path)
    assert lay(VERSION_1, tmp_path) == Laid((), (), ())


def test_untouched_files_take_the_new_version_and_new_chapters_are_added(tmp_path):
    lay(VERSION_1, tmp_path)
    assert lay(VERSION_2, tmp_path) == Laid(("02_c.ipynb",), ("00_a.ipynb", "01_b.ipynb"), ())
    assert visible(tmp_path) == VERSION_2


def test_a_changed_file_is_left_alone_and_named_once_there_is_a_new_version(tmp_path):
    lay(VERSION_1, tmp_path)
    (tmp_path / "00_a.ipynb").write_bytes(b"my work")
    assert lay(VERSION_1, tmp_path) == Laid((), (), ())
    for _ in range(2):
        assert lay(VERSION_2, tmp_path).left == ("00_a.ipynb",)
        assert (tmp_path / "00_a.ipynb").read_bytes() == b"my work"


def test_renaming_a_changed_file_brings_the_new_version_beside_it(tmp_path):
    lay(VERSION_1, tmp_path)
    (tmp_path / "00_a.ipynb").write_bytes(b"my work")
    (tmp_path / "00_a.ipynb").rename(tmp_path / "mine.ipynb")
    assert lay(VERSION_2, tmp_path).new == ("00_a.ipynb", "02_c.ipynb")
    assert visible(tmp_path) == {**VERSION_2, "mine.ipynb": b"my work"}


def test_a_deleted_file_is_laid_again(tmp_path):
    lay(VERSION_1, tmp_path)
    (tmp_path / "00_a.ipynb").unlink()
    assert lay(VERSION_1, tmp_path).new == ("00_a.ipynb",)
    assert visible(tmp_path) == VERSION_1


def test_a_file_of_the_learners_that_happens_to_have_the_name_is_left_alone(tmp_path):
    (tmp_path / "00_a.ipynb").write_bytes(b"mine from before")
    assert lay(VERSION_1, tmp_path) == Laid(("01_b.ipynb",), (), ("00_a.ipynb",))
    assert (tmp_path / "00_a.ipynb").read_bytes() == b"mine from before"


def test_a_folder_or_a_broken_link_with_the_name_is_left_alone(tmp_path):
    (tmp_path / "00_a.ipynb").mkdir()
    try:
        (tmp_path / "01_b.ipynb").symlink_to(tmp_path / "nowhere")
    except OSError:
        pytest.skip("links are not allowed here")
    assert lay(VERSION_1, tmp_path).left == ("00_a.ipynb", "01_b.ipynb")
    assert (tmp_path / "00_a.ipynb").is_dir()
    assert (tmp_path / "01_b.ipynb").is_symlink()


def test_going_back_to_an_older_version_counts_as_untouched(tmp_path):
    lay(VERSION_1, tmp_path)
    lay(VERSION_2, tmp_path)
    assert lay(VERSION_1, tmp_path).updated == ("00_a.ipynb", "01_b.ipynb")
    assert lay(VERSION_2, tmp_path).updated == ("00_a.ipynb", "01_b.ipynb")


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"laid": {"00_a.ipynb": 3}}', '{"laid": "x"}', "\x00\xff"]
)
def test_a_damaged_record_costs_no_work(tmp_path, damage):
    lay(VERSION_1, tmp_path)
    (tmp_path / "00_a.ipynb").write_bytes(b"my work")
    (tmp_path / ".mi-course" / "laid.json").write_text(damage, encoding="latin-1")
    lay(VERSION_2, tmp_path)
    assert (tmp_path / "00_a.ipynb").read_bytes() == b"my work"
    assert json.loads((tmp_path / ".mi-course" / "laid.json").read_text())["laid"]


def test_names_may_lie_in_folders(tmp_path):
    lay({"solutions/00_a.ipynb": b"solved"}, tmp_path)
    assert (tmp_path / "solutions" / "00_a.ipynb").read_bytes() == b"solved"


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_in_the_place_of_the_folder_is_an_error_that_names_it(tmp_path, place):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(CourseError, match="file is a file, not a folder") as caught:
        lay(VERSION_1, tmp_path / place)
    assert "mi-course lab OTHER_FOLDER" in str(caught.value)
    assert (tmp_path / "file").read_text() == "mine"


FULL_DISK = """
import resource, sys
from pathlib import Path
from mi_course.commands.working_copy import lay
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    lay({"00_a.ipynb": b"small", "01_b.ipynb": b"x" * 100_000}, Path(sys.argv[1]))
except Exception as error:
    print(type(error).__name__, error)
"""


def run_python(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX's limits on resources")
def test_a_full_disk_ends_in_one_error_and_leaves_nothing(tmp_path):
    said = run_python(FULL_DISK, tmp_path / "course")
    assert said.startswith("CourseError There is no room for the notebooks")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX's limits on resources")
def test_a_full_disk_leaves_an_older_copy_as_it_was(tmp_path):
    lay(VERSION_1, tmp_path)
    run_python(FULL_DISK, tmp_path)
    assert visible(tmp_path) == VERSION_1
    assert ours(tmp_path) == ["laid.json", "lock"]
    assert lay(VERSION_2, tmp_path).left == ()


READ_ONLY = """
import os, sys
from pathlib import Path
from mi_course.commands.working_copy import lay
if os.geteuid() == 0:
    os.seteuid(65534)  # root may write anywhere
try:
    lay({"00_a.ipynb": b"a"}, Path(sys.argv[1]))
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_read_only_folder_is_an_error_with_a_remedy():
    with tempfile.TemporaryDirectory() as locked:
        os.chmod(locked, 0o555)
        for folder in (Path(locked), Path(locked) / "below"):
            said = run_python(READ_ONLY, folder)
            assert said.startswith(f"CourseError The folder {folder} cannot be written (Permission denied)")
        assert os.listdir(locked) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from mi_course.commands import working_copy
place, after = os.link, int(sys.argv[2])
placed = []
def link(*arguments):
    if len(placed) == after:
        os.kill(os.getpid(), signal.SIGKILL)
    placed.append(arguments)
    place(*arguments)
os.link = link
working_copy.lay({"00_a.ipynb": b"a, version 1", "01_b.ipynb": b"b, version 1"}, Path(sys.argv[1]))
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX's")
@pytest.mark.parametrize("after", [0, 1])
def test_kill_in_the_middle_leaves_whole_files_and_the_next_call_completes_them(tmp_path, after):
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(after)]
    assert subprocess.run(command).returncode == -signal.SIGKILL
    assert visible(tmp_path) == dict(list(VERSION_1.items())[:after])
    assert lay(VERSION_2, tmp_path).left == ()
    assert visible(tmp_path) == VERSION_2
    assert ours(tmp_path) == ["laid.json", "lock"]


AT_RANDOM = """
import sys
from pathlib import Path
from mi_course.commands.working_copy import lay
print("ready", flush=True)
for version in range(10_000):
    lay({f"{n:02}.ipynb": f"{version} ".encode() * 2000 for n in range(5)}, Path(sys.argv[1]))
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX's")
def test_kill_at_any_moment_never_leaves_half_a_file_or_takes_ours_for_the_learners(tmp_path):
    for delay in (0.0, 0.003, 0.007, 0.013, 0.05):
        command = [sys.executable, "-c", AT_RANDOM, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(delay)
            process.kill()
        for content in visible(tmp_path).values():
            words = content.split()
            assert len(words) == 2000
            assert len(set(words)) == 1
        assert lay({f"{n:02}.ipynb": b"last " * 2000 for n in range(5)}, tmp_path).left == ()


def test_two_at_once_lay_one_copy(tmp_path):
    with ThreadPoolExecutor() as pool:
        calls = [pool.submit(lay, VERSION_1, tmp_path / "course") for _ in range(8)]
        results = [call.result() for call in calls]
    assert sum(len(laid.new) for laid in results) == 2
    assert not any(laid.left for laid in results)
    assert visible(tmp_path / "course") == VERSION_1
