import subprocess
import sys

import pytest
import torch

import mi_course as mc
from mi_course.exercises import journal


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_a_notebook_that_begins_twice_draws_the_same_numbers(two_threads, capsys):
    assert mc.begin("01") is None
    first = torch.rand(3)
    mc.begin("01")
    assert torch.equal(torch.rand(3), first)
    assert capsys.readouterr().out == ""


def test_the_opening_is_recorded(two_threads):
    mc.begin("01")
    assert [(entry["event"], entry["chapter"]) for entry in journal.events()] == [("opened", "01")]


def test_one_thread_stays_one_thread(two_threads):
    torch.set_num_threads(1)
    mc.begin("01")
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize("chapter", ["1", "intro", "001"])
def test_a_chapter_is_named_by_two_digits(chapter):
    with pytest.raises(ValueError, match="two digits"):
        mc.begin(chapter)


def test_the_engine_is_imported_without_torch():
    code = "import sys, mi_course.exercises.journal, mi_course.exercises.hint; print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
    )
