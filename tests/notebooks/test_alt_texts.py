"""What the stored figures say to one who cannot see them."""

import html
import re
from collections import Counter

import pytest

from tests.notebooks.course_notebooks import every_solution, outputs, read

FEWEST_WORDS = 9
NAMES_THE_MEDIUM_ONLY = re.compile(
    r"(an? )?(plot|figure|graph|chart|diagram|picture) (of|that|showing|with)\b", re.I
)


def heard(notebook):
    """The alt text of every figure, in order."""
    pages = (output.get("data", {}).get("text/html", "") for output in outputs(notebook))
    return [html.unescape(alt) for page in pages for alt in re.findall(r'<img alt="([^"]*)"', page)]


def says_too_little(alt):
    return len(alt.split()) < FEWEST_WORDS or bool(NAMES_THE_MEDIUM_ONLY.match(alt))


@every_solution
def test_every_figure_says_what_it_shows(path):
    assert [alt for alt in heard(read(path)) if says_too_little(alt)] == []


@every_solution
def test_no_two_figures_of_a_chapter_say_the_same(path):
    assert [alt for alt, times in Counter(heard(read(path))).items() if times > 1] == []


@pytest.mark.parametrize(
    "alt", ["Accuracy by depth.", "A plot of the accuracy of nine networks against their depth, by year."]
)
def test_what_says_too_little_is_recognised(alt):
    assert says_too_little(alt)


def test_what_says_enough_passes():
    assert not says_too_little("With depth the accuracy rises from 0.2 to 0.9.")
