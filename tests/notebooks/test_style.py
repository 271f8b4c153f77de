"""Notebooks read like a text with small experiments in it."""

import itertools
import statistics

from mi_course.commands.solution_blocks import without_solutions
from tests.notebooks.course_notebooks import (
    SOLUTIONS,
    code_cells,
    every_solution,
    markdown_images_without_alt,
    read,
)

SETUP_LINES = 8
PLACES = ("VS Code", "Colab and elsewhere")
LONG_CELL = 20
LONGEST_CELL = 40
RARELY = 0.1
MEDIAN_LINES = 8
CODE_CELLS_IN_A_ROW = 2


def advice(cell):
    """The comment at the top of a cell, line by line."""
    return list(itertools.takewhile(lambda line: line.startswith("#"), cell.source.splitlines()))


def lines(cell):
    """How many lines a cell has below the comment at its top; empty ones do not count."""
    return sum(bool(line.strip()) for line in cell.source.splitlines()) - len(advice(cell))


@every_solution
def test_cells_are_short_as_a_learner_finds_them(path):
    lengths = [lines(cell) for cell in code_cells(without_solutions(read(path)))]
    long = sum(length > LONG_CELL for length in lengths)
    assert long <= max(1, RARELY * len(lengths)), (
        f"{long} of {len(lengths)} cells have over {LONG_CELL} lines"
    )
    assert max(lengths) <= LONGEST_CELL
    assert statistics.median(lengths) <= MEDIAN_LINES


@every_solution
def test_the_first_code_cell_sets_up_in_a_few_lines(path):
    first = code_cells(read(path))[0]
    assert lines(first) <= SETUP_LINES
    assert f'mc.begin("{path.stem.split("_")[0]}")' in first.source


@every_solution
def test_the_first_code_cell_says_what_to_do_where_the_course_is_missing(path):
    said = "\n".join(advice(code_cells(read(path))[0]))
    assert "No module named" in said
    assert all(place in said for place in PLACES)


def test_all_chapters_give_the_same_advice():
    assert len({tuple(advice(code_cells(read(path))[0])) for path in SOLUTIONS}) == 1


@every_solution
def test_prose_stands_between_the_experiments(path):
    in_a_row = 0
    for cell in read(path).cells:
        in_a_row = in_a_row + 1 if cell.cell_type == "code" else 0
        assert in_a_row <= CODE_CELLS_IN_A_ROW, cell.source


@every_solution
def test_a_notebook_begins_with_its_title(path):
    first = read(path).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")


@every_solution
def test_no_cell_is_empty(path):
    assert all(cell.source.strip() for cell in read(path).cells)


@every_solution
def test_pictures_in_the_text_have_alt_text(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            assert markdown_images_without_alt(cell.source) == []


def test_alt_text_of_markdown_is_looked_for():
    assert markdown_images_without_alt('![a map](x.png) and <img alt="y" src="z">') == []
    assert len(markdown_images_without_alt('![](x.png) and <img src="z">')) == 2
