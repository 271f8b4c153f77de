"""The map of the course in chapter 00 marks exactly the chapters that exist."""

import re

from mi_course.commands import notebook_folders
from tests.notebooks.course_notebooks import read

ROW = re.compile(r"^\| (?P<mark>[✓…]) \| (?:\[)?(?P<number>\d\d) · .*\| \d+ \|", re.MULTILINE)


def the_map():
    notebook = read(notebook_folders.solutions() / "00_welcome.ipynb")
    text = next(cell.source for cell in notebook.cells if "A map of the course" in cell.source)
    return text, {row["number"]: row["mark"] for row in ROW.finditer(text)}


def here():
    return {path.stem[:2]: path.name for path in notebook_folders.solutions().glob("[0-9][0-9]_*.ipynb")}


def test_all_sixteen_chapters_are_on_the_map():
    _, marks = the_map()
    assert list(marks) == [f"{number:02}" for number in range(16)]


def test_a_chapter_is_marked_as_here_if_and_only_if_it_is():
    _, marks = the_map()
    assert {number for number, mark in marks.items() if mark == "✓"} == here().keys()


def test_every_other_chapter_that_is_here_can_be_opened_from_the_map():
    text, _ = the_map()
    assert all(f"]({name})" in text for number, name in here().items() if number != "00")
