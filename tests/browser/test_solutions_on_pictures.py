"""The solved chapters 00 to 03, in a real JupyterLab: they run, and every control of their explorers works."""

import pytest

from tests.browser import solved_chapters

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", solved_chapters.chapters(0, 3), ids=lambda path: path.stem)
def test_a_chapter_runs_and_its_explorers_follow_their_controls(path, lab, browser, own_photograph):
    solved_chapters.check(path, lab, browser, own_photograph)
