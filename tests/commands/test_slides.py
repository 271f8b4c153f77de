"""`mi-course slides`: what stands on the slides of a chapter, and that a browser shows them without a network."""

import importlib.util
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from mi_course import cli
from mi_course.commands import notebook_folders, slide_deck
from mi_course.errors import CourseError
from tests.commands.solved_notebook import FUNCTION, notebook
from tests.notebooks.course_notebooks import SOLUTIONS, every_solution, read

needs_assets = pytest.mark.skipif(
    any(importlib.util.find_spec(module) is None for module in slide_deck.NEEDED),
    reason=f"slides need {' and '.join(slide_deck.NEEDED.values())}",
)

PICTURE = {
    "text/html": '<img alt="a curve" src="data:image/png;base64,AA==">',
    "text/plain": "Picture: a curve",
}
CHAPTER = notebook(
    new_markdown_cell("# 01 · Title\n\nA question."),
    "import mi_course as mc\n\nmc.begin('01')",
    new_markdown_cell("The map $w_i$ costs `$5`:\n\n$$x^2$$\n\n## Section\n\nSee [the next](02_next.ipynb)."),
    new_code_cell("plots.curves(x)", outputs=[new_output("execute_result", PICTURE)]),
    new_markdown_cell("It falls."),
    new_markdown_cell("### Exercise 1"),
    FUNCTION + '\n\ndouble = mc.exercise("01.double", double)',
)


WALK = """() => {
  const seen = [];
  for (;;) {
    const slide = Reveal.getCurrentSlide();
    seen.push({
      text: slide.innerText.slice(0, 60),
      scrolls: slide.style.overflow === "auto",
      formulas: [...slide.querySelectorAll("math")].filter((formula) => formula.getBoundingClientRect().width).length,
    });
    if (Reveal.isLastSlide()) return seen;
    Reveal.next();
  }
}"""
"""JavaScript: goes through all slides and says of each whether it scrolls, and how many formulas are drawn."""


def sources(cells):
    return [cell.source for cell in cells]


@needs_assets
def test_a_text_is_cut_at_its_headings_and_what_learners_do_is_left_out():
    shown = slide_deck.for_the_screen(CHAPTER)
    assert [source.split("\n")[0].split(" $")[0][:13] for source in sources(shown.cells)] == [
        "# 01 · Title", "The map <math", "## Section", "plots.curves(", "It falls.", "### Exercise ",
    ]  # fmt: skip
    types = [cell.metadata.slideshow.slide_type for cell in shown.cells]
    assert types == ["slide", "fragment", "slide", "-", "fragment", "subslide"]
    nbformat.validate(shown)


@needs_assets
def test_a_heading_alone_is_no_slide():
    texts = ["It fell.\n\n## Where do they look?\n\n### Exercise 2\n\nWrite it.", "It rose.\n\n## Last"]
    shown = slide_deck.for_the_screen(notebook(*map(new_markdown_cell, texts)))
    assert sources(shown.cells) == [
        "It fell.",
        "## Where do they look?\n\n### Exercise 2\n\nWrite it.",
        "It rose.",
        "## Last",
    ]
    assert shown.cells[1].metadata.slideshow.slide_type == "slide"


@needs_assets
def test_formulas_become_mathml_and_dollars_in_code_stay():
    text = slide_deck.with_mathml("$w_i$ costs `$5` or $6 $\n\n```\necho $A $B\n```\n\n$$\nx^2\n$$")
    assert text.count("<math") == 2
    assert 'display="block"' in text
    for kept in ("`$5`", "$6 $", "echo $A $B"):
        assert kept in text


@needs_assets
def test_links_to_chapters_lead_to_their_slides():
    assert "[the next](02_next.slides.html)" in "".join(sources(slide_deck.for_the_screen(CHAPTER).cells))


@needs_assets
def test_the_solved_notebook_is_left_as_it_was():
    before = nbformat.writes(CHAPTER)
    slide_deck.for_the_screen(CHAPTER)
    assert nbformat.writes(CHAPTER) == before


@needs_assets
@every_solution
def test_slides_show_all_of_the_text_no_solution_and_nothing_said_to_a_single_learner(path):
    solved = read(path)
    shown = slide_deck.for_the_screen(solved).cells
    bundles = [output.get("data", {}) for cell in shown for output in cell.get("outputs", ())]
    said = "\n".join([*sources(shown), *(str(text) for bundle in bundles for text in bundle.values())])
    assert len(shown) > 30
    for unwanted in (
        "BEGIN SOLUTION",
        "mc.begin(",
        "mc.progress(",
        "You made no prediction",
        "Commit to one",
    ):
        assert unwanted not in said
    texts = [cell for cell in solved.cells if cell.cell_type == "markdown"]
    cut = [part for cell in texts for part in slide_deck.parts(cell)]
    assert re.sub(r"\s", "", "".join(sources(cut))) == re.sub(r"\s", "", "".join(sources(texts)))


def test_what_is_taken_out_for_a_room_is_what_a_learner_is_told():
    said = "".join(path.read_text("utf-8") for path in SOLUTIONS)
    assert slide_deck.NOT_PREDICTED in said
    assert slide_deck.HOW_TO_PREDICT in said


def test_a_missing_package_is_named_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setattr(slide_deck, "NEEDED", {"no_such_module": "no-such-package"})
    with pytest.raises(CourseError, match="-m pip install no-such-package"):
        slide_deck.deck(CHAPTER, "Title")


@pytest.fixture(scope="module")
def deck(tmp_path_factory):
    """The slides of chapter 12, which has formulas."""
    folder = tmp_path_factory.mktemp("slides")
    assert cli.main(["slides", "12", "--out", str(folder)]) == 0
    return folder / "12_superposition.slides.html"


@needs_assets
def test_the_page_names_nothing_that_a_browser_would_fetch(deck):
    page = deck.read_text("utf-8")
    assert set(re.findall(r'<(?:script|img|iframe)\b[^>]*?\ssrc="([^":]*:)', page)) == {"data:"}
    assert re.findall(r"<script\b[^>]*\ssrc=(?!\"data:)", page) == []
    assert re.findall(r"<link\b", page) == []
    assert re.findall(r"@import|<script[^>]*type=\"module\"", page) == []


@needs_assets
@pytest.mark.browser
def test_every_slide_fits_the_screen_and_no_request_leaves_the_machine(deck, chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = opened.new_page(viewport={"width": 1280, "height": 720})
        requests, problems = [], []
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(deck.as_uri())
        assert page.locator("section.present h1").inner_text().startswith("12 · Superposition")
        page.keyboard.press("Space")
        assert page.evaluate("Reveal.getIndices().h") == 1
        seen = page.evaluate(WALK)
        opened.close()
    assert problems == []
    assert [request for request in requests if not request.startswith(("file:", "data:"))] == []
    assert len(seen) > 30
    assert [slide for slide in seen if slide["scrolls"]] == []
    assert sum(slide["formulas"] for slide in seen) >= 5


def test_slides_are_made_from_installed_packages_too(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(notebook_folders, "clone", lambda: pytest.fail("slides need no clone"))
    monkeypatch.setattr(slide_deck, "deck", lambda notebook, title: f"<p>{title}")
    assert cli.main(["slides", "06", "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "06_induction_heads.slides.html").read_text() == "<p>06 · Induction heads"
    assert cli.main(["slides", "06", "--out", str(tmp_path / "out" / "06_induction_heads.slides.html")]) == 1
    assert "Choose another place with --out" in capsys.readouterr().err
