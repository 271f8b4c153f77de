"""The map of the course in chapter 00 leads to every chapter."""

import re

from mi_course.commands import notebook_folders
from tests.notebooks.course_notebooks import read

ROW = re.compile(r"^\| (?P<number>\d\d) · (?:\[[^]]+\]\((?P<file>[^)]+)\)|[^|]+) \| \d+ \|", re.MULTILINE)


def the_map() -> dict[str, str | None]:
    """The file that each chapter's row leads to; None where it leads nowhere."""
    notebook = read(notebook_folders.solutions() / "00_welcome.ipynb")
    text = next(cell.source for cell in notebook.cells if "A map of the course" in cell.source)
    return {row["number"]: row["file"] for row in ROW.finditer(text)}


def here() -> dict[str, str]:
    return {path.stem[:2]: path.name for path in notebook_folders.solutions().glob("[0-9][0-9]_*.ipynb")}


def test_all_sixteen_chapters_are_on_the_map():
    assert list(the_map()) == [f"{number:02}" for number in range(16)]


def test_every_other_chapter_can_be_opened_from_the_map():
    assert the_map() == {**here(), "00": None}
