import signal
import subprocess
import sys
import time

from mi_course.file_lock import one_at_a_time

HOLD = """
import sys, time
from mi_course.file_lock import one_at_a_time
with one_at_a_time(sys.argv[1]):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def holder(path, seconds):
    command = [sys.executable, "-c", HOLD, str(path), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_waits_and_says_so(tmp_path):
    told = []
    process = holder(tmp_path / "lock", 0.5)
    with process, one_at_a_time(tmp_path / "lock", lambda: told.append("waiting")):
        assert process.wait(5) == 0
    assert told == ["waiting"]


def test_a_free_lock_is_taken_without_a_word(tmp_path):
    told = []
    for _ in range(2):
        with one_at_a_time(tmp_path / "lock", lambda: told.append("waiting")):
            pass
    assert told == []


def test_a_killed_holder_frees_its_lock(tmp_path):
    with holder(tmp_path / "lock", 60) as process:
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        process.wait(5)
        begun = time.monotonic()
        with one_at_a_time(tmp_path / "lock"):
            assert time.monotonic() - begun < 5
