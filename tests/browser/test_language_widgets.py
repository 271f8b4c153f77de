"""The widgets for language models, by mouse and by keyboard, in the light and in the dark theme."""

import re

import pytest

from tests.browser.contrast import too_faint
from tests.browser.hands import Keyboard

pytestmark = pytest.mark.browser

CELLS = [
    """from mi_course.plots import bars
from mi_course.widgets.attention_viewer import AttentionViewer
from mi_course.widgets.logit_lens_table import LogitLensTable
from mi_course.widgets.next_token_explorer import NextTokenExplorer
from mi_course.widgets.training_scrubber import TrainingScrubber
from tests.plots.attention_patterns import causal
from tests.plots.odd_tokens import ODD
from tests.widgets.small_language_model import ODD_PROMPT, PROMPT, small_language_model

model = small_language_model()""",
    "AttentionViewer(model, PROMPT, head='L1H2')",
    "LogitLensTable(model, PROMPT)",
    "NextTokenExplorer(model, PROMPT)",
    """def checkpoint(index):
    return bars({"score": index}, title=f"Checkpoint {index}", ylabel="score", alt=f"Checkpoint {index}.")


TrainingScrubber([0, 10, 50, 100], checkpoint, curves={"loss": [4, 3, 1, 0.5]}, title="It learns", ylabel="loss")""",
    "AttentionViewer.of(causal(2, 2, len(ODD), len(ODD)), ODD)",
    "LogitLensTable(model, ODD_PROMPT)",
    "AttentionViewer.of(causal(12, 12, 64, 64), ['word'] * 64, head='L5H5')",
]
SECONDS_TO_ANSWER = 10_000  # milliseconds; the tests of several files share two cores


@pytest.fixture
def shown(opened, browser):
    """The notebook as earlier tests have left it."""
    assert opened.failures() == []
    return opened


@pytest.fixture
def attention(shown):
    return fresh(shown, 0)


@pytest.fixture
def lens(shown):
    return fresh(shown, 1)


@pytest.fixture
def next_token(shown):
    return fresh(shown, 2)


@pytest.fixture
def scrubber(shown):
    return fresh(shown, 3)


def fresh(notebook, number):
    """A widget with the first values of its controls."""
    notebook.run(1 + number)
    return ready(notebook, number)


def ready(notebook, number):
    explorer = notebook.explorers()[number]
    explorer.part.scroll_into_view_if_needed()
    explorer.wait_until_drawn()
    return explorer


def away(explorer):
    """Take the mouse off the page's widgets."""
    explorer.page.mouse.move(2, 2)


def token(explorer, pos):
    return explorer.part.locator(f".mi-text .mi-t{pos}")


def colour(element):
    return element.evaluate("part => getComputedStyle(part).backgroundImage")


def percent_at(explorer, pos):
    """The number below a token, as the page counts it."""
    return token(explorer, pos).evaluate(
        """part => Number(getComputedStyle(part.querySelector('.mi-n'), '::before').counterReset.split(' ')[1])"""
    )


def sentence(explorer):
    """What is said about the token that is hovered or chosen."""
    said = explorer.part.locator(".mi-explorer-picture [id*='-d']").filter(visible=True)
    assert said.count() == 1
    return said.inner_text()


def chosen(explorer):
    return explorer.part.locator(".mi-text input:checked").evaluate(
        "input => Number(input.id.match(/\\d+$/)[0])"
    )


def test_hovering_a_token_shows_where_it_looks(attention):
    away(attention)
    assert sentence(attention).startswith("to (position 14)"), "the last token is chosen at first"
    before = [colour(token(attention, pos)) for pos in range(15)]
    token(attention, 4).hover()
    after = [colour(token(attention, pos)) for pos in range(15)]
    assert sentence(attention).startswith("John (position 4) looks at")
    assert after != before
    assert sum(percent_at(attention, pos) for pos in range(15)) == pytest.approx(100, abs=4)
    assert [percent_at(attention, pos) for pos in range(5, 15)] == [0] * 10, "it cannot see what comes later"
    away(attention)
    assert [colour(token(attention, pos)) for pos in range(15)] == before


def test_a_row_of_the_map_is_hovered_like_its_token(attention):
    image = attention.part.locator(".mi-map").bounding_box()
    attention.page.mouse.move(image["x"] + 60, image["y"] + image["height"] * 3.5 / 15)
    assert sentence(attention).startswith("and (position 3)")


def test_a_click_keeps_a_token_while_heads_change(attention):
    token(attention, 4).click()
    away(attention)
    said = sentence(attention)
    attention.part.locator(".mi-heads button").nth(1).click()
    attention.part.get_by_text("Head L0H1").wait_for(timeout=SECONDS_TO_ANSWER)
    away(attention)
    assert sentence(attention).startswith("John (position 4) looks at")
    assert sentence(attention) != said
    assert attention.part.locator("select").evaluate("list => list.selectedOptions[0].text") == "L0H1"


def test_the_list_of_heads_marks_the_small_map(attention):
    attention.part.locator("select").select_option("L2H3")
    attention.part.get_by_text("Head L2H3").wait_for(timeout=SECONDS_TO_ANSWER)
    assert attention.part.locator(".mi-heads button.mod-active").inner_text() == "L2H3"


def test_tab_and_arrow_keys_walk_through_the_text(attention):
    page = attention.page
    attention.part.locator("select").focus()
    page.keyboard.press("Tab")
    away(attention)
    assert page.evaluate("() => document.activeElement.type") == "radio"
    for key, pos in [
        ("ArrowLeft", 13),
        ("ArrowLeft", 12),
        ("ArrowRight", 13),
        ("ArrowUp", 12),
        ("ArrowDown", 13),
    ]:
        page.keyboard.press(key)
        assert chosen(attention) == pos
    assert sentence(attention).startswith("drink (position 13)")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "L0H0"
    page.keyboard.press("Enter")
    attention.part.get_by_text("Head L0H0").wait_for(timeout=SECONDS_TO_ANSWER)
    assert chosen(attention) == 13


def test_every_head_stands_on_its_button_and_is_drawn(attention):
    buttons = attention.part.locator(".mi-heads button")
    assert buttons.count() == 12
    places = buttons.evaluate_all(
        "all => all.map(part => getComputedStyle(part).backgroundPosition + getComputedStyle(part).backgroundSize)"
    )
    assert len(set(places)) == 12
    assert all(
        "data:image/png" in picture
        for picture in buttons.evaluate_all("all => all.map(part => getComputedStyle(part).backgroundImage)")
    )


def test_another_prompt_is_read_and_a_bad_one_is_told_in_words(attention):
    field = attention.part.locator(".widget-text input")
    field.fill("when Mery went")
    field.press("Enter")
    complaint = attention.status.get_by_role("alert")
    complaint.wait_for(timeout=SECONDS_TO_ANSWER)
    assert "Mery" in complaint.text_content()
    assert field.input_value() == "when Mery went"
    assert token(attention, 14).is_visible()
    field.fill("when Mary went")
    field.press("Enter")
    complaint.wait_for(state="detached", timeout=SECONDS_TO_ANSWER)
    token(attention, 14).wait_for(state="detached", timeout=SECONDS_TO_ANSWER)
    assert attention.part.locator(".mi-t").count() == 4


def test_odd_tokens_stay_text(shown):
    viewer = ready(shown, 4)
    texts = viewer.part.locator(".mi-t > span").all_inner_texts()
    assert texts[:5] == ["<script>alert(1)</script>", "</style>", "∅", "␣", "↵"]
    assert viewer.part.locator(".mi-panel script, .mi-panel img:not([alt^='Map of'])").count() == 0
    token(viewer, 6).hover()
    assert sentence(viewer).startswith("$x$ (position 6)")
    cells = ready(shown, 5).part.locator(".mi-h")
    assert "<script>alert(1)</script>" in cells.all_inner_texts()


def test_a_model_of_gpt2s_size_on_64_tokens_answers(shown):
    viewer = ready(shown, 6)
    assert viewer.part.locator(".mi-t").count() == 64
    buttons = viewer.part.locator(".mi-heads button")
    assert buttons.count() == 144
    token(viewer, 40).hover()
    assert sentence(viewer).startswith("word (position 40)")
    buttons.nth(143).click()
    viewer.part.get_by_text("Head L11H11").wait_for(timeout=SECONDS_TO_ANSWER)
    page_width = viewer.part.bounding_box()["width"]
    assert all(button["width"] >= 24 for button in [buttons.nth(n).bounding_box() for n in (0, 11, 132, 143)])
    assert buttons.nth(11).bounding_box()["x"] < viewer.part.bounding_box()["x"] + page_width


def test_hovering_a_cell_of_the_lens_shows_its_top_words(lens):
    away(lens)
    details = lens.part.locator(".mi-k").filter(visible=True)
    assert details.count() == 1
    assert details.inner_text().startswith("After L2, at to (position 14)"), (
        "the model's own answer, at first"
    )
    lens.part.locator(".mi-c").nth(4 * 4 + 1).hover()
    assert details.count() == 1
    assert details.inner_text().startswith("After L0, at John (position 4)")
    assert details.locator("i").count() == 5
    away(lens)
    assert details.inner_text().startswith("After L2, at to (position 14)")


def test_arrow_keys_walk_through_the_layers_and_a_click_keeps_a_cell(lens):
    lens.part.locator(".mi-c").nth(4 * 4 + 1).click()
    away(lens)
    details = lens.part.locator(".mi-k").filter(visible=True)
    lens.page.keyboard.press("ArrowDown")
    assert details.inner_text().startswith("After L1, at John (position 4)")
    lens.part.locator("select").select_option(index=2)
    lens.part.locator(".mi-panel").get_by_text("Colour: KL").wait_for(timeout=SECONDS_TO_ANSWER)
    assert details.inner_text().startswith("After L1, at John (position 4)"), "another colour keeps the cell"


def test_another_colour_changes_the_cells(lens):
    cells = lens.part.locator(".mi-c")
    before = cells.evaluate_all("all => all.map(cell => getComputedStyle(cell).backgroundImage)")
    lens.part.locator("select").select_option(index=2)
    lens.part.locator(".mi-panel").get_by_text("Colour: KL").wait_for(timeout=SECONDS_TO_ANSWER)
    after = cells.evaluate_all("all => all.map(cell => getComputedStyle(cell).backgroundImage)")
    assert before != after
    assert re.search(r"/ 0\)|, 0\)", after[3]), "the last layer is at no distance from itself"


def test_a_table_too_wide_for_the_page_can_be_scrolled(lens):
    field = lens.part.locator(".widget-text input")
    field.fill("a " * 40)
    field.press("Enter")
    last = lens.part.locator(".mi-c").nth(4 * 41 - 1)
    last.wait_for(timeout=SECONDS_TO_ANSWER)
    last.scroll_into_view_if_needed()
    panel, cell = (part.bounding_box() for part in (lens.part.locator(".mi-lens"), last))
    assert panel["width"] <= lens.part.bounding_box()["width"]
    assert panel["x"] < cell["x"] < cell["x"] + cell["width"] <= panel["x"] + panel["width"]


def test_sampling_and_undo(next_token):
    sampled = next_token.part.locator(".mi-w.mi-by")
    assert sampled.count() == 0
    assert next_token.changes_picture(lambda: next_token.part.get_by_role("button", name="Sample").click())
    assert sampled.count() == 1
    assert next_token.changes_picture(lambda: next_token.part.get_by_role("button", name="Undo").click())
    assert sampled.count() == 0


def test_the_slider_moves_through_the_checkpoints(scrubber):
    def alts():
        return scrubber.picture.evaluate_all("images => images.map(image => image.alt)")

    assert alts() == ["It learns. At step 100: loss 0.5.", "Checkpoint 3."]
    slider = scrubber.controls()[0]
    assert scrubber.changes_picture(lambda: Keyboard().move(slider))
    assert alts() == ["It learns. At step 50: loss 1.", "Checkpoint 2."]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_both_themes(lens, browser, theme):
    browser.use_theme(theme)
    assert too_faint(browser.page.locator(".mi-explorer")) == {}
