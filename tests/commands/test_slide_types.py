import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from mi_course.commands import slide_types
from mi_course.errors import UnknownName
from tests.commands.solved_notebook import FUNCTION, solved
from tests.notebooks.course_notebooks import every_solution, read

TEXT = new_markdown_cell("A question.")
FIGURE = new_code_cell("plots.curves(x, y)")
LONG = "word " * (slide_types.SHORT + 1)


def typed(cell, *tags, above=TEXT, below=FIGURE):
    """The type of a cell between two others."""
    cell.metadata.tags = list(tags)
    return slide_types.slide_types([above, cell, below])[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# 06 · Induction heads", "slide"),
        ("The last words of a section.\n\n## The next one", "slide"),
        ("### Exercise 2", "subslide"),
        ("Prose between two figures, on #1 and #2.", "subslide"),
        ("```\n# a comment\n```", "subslide"),
    ],
)
def test_a_title_begins_a_slide_and_other_text_one_below(text, expected):
    assert typed(new_markdown_cell(text), above=FIGURE) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("It falls.", "fragment"), ("### It", "subslide"), (LONG, "subslide")]
)
def test_a_short_text_that_nothing_follows_comes_up_below_the_figure(text, expected):
    assert typed(new_markdown_cell(text), above=FIGURE, below=TEXT) == expected
    exercise = new_code_cell("double = mc.exercise('01.double', double)")
    types = slide_types.slide_types([FIGURE, new_markdown_cell(text), exercise, TEXT])
    assert types[1:3] == [expected, "skip"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("plots.curves(x, y)", "-"),
        ('mc.predict("06.layers", "Which?", ["a", "b"])', "-"),
        ('import mi_course as mc\n\nmc.begin("06")', "skip"),
        ("mc.progress()", "skip"),
        (FUNCTION + '\n\ndouble = mc.exercise("01.double", double)', "skip"),
    ],
)
def test_code_stays_with_its_text_unless_it_is_for_the_learner_alone(code, expected):
    assert typed(new_code_cell(code)) == expected


def test_code_that_follows_code_has_a_slide_of_its_own():
    assert typed(new_code_cell("plots.curves(x, y)"), above=FIGURE) == "subslide"


def test_a_tag_overrides_the_rule():
    assert typed(new_markdown_cell("## Aside"), "nbval-ignore-output", "slide:skip") == "skip"
    assert typed(new_code_cell("mc.progress()"), "slide:-") == "-"


def test_a_tag_that_is_no_slide_type_offers_those_that_are():
    with pytest.raises(UnknownName, match="'subslide'"):
        typed(new_markdown_cell("Text"), "slide:subslides")


def test_marking_changes_nothing_but_the_type_of_slide():
    notebook = solved()
    slide_types.mark(notebook)
    for cell, before in zip(notebook.cells, solved().cells):
        assert cell.metadata.pop("slideshow").keys() == {"slide_type"}
        assert cell == before


@every_solution
def test_the_solutions_are_marked_by_the_rule_and_answers_are_on_no_slide(path):
    cells = read(path).cells
    types = [cell.metadata.slideshow.slide_type for cell in cells]
    assert types == slide_types.slide_types(cells)
    answers = [kind for cell, kind in zip(cells, types) if "### BEGIN SOLUTION" in cell.source]
    assert answers
    assert set(answers) == {"skip"}
