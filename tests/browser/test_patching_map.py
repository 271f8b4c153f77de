"""The patching map, by mouse and by keyboard, in a real JupyterLab."""

import pytest

pytestmark = pytest.mark.browser

CLEAN = "when Mary and John went to the store , John gave a drink to"
CORRUPTED = "when Mary and John went to the store , Mary gave a drink to"
CELLS = [
    f"""import mi_course as mc
from mi_course.widgets.patching_map import PatchingMap

PatchingMap(mc.load("tiny-world"), {CLEAN!r}, {CORRUPTED!r})"""
]
LAYERS = 4
SECONDS_TO_ANSWER = 10_000  # milliseconds


@pytest.fixture
def patching(explorer_of):
    """The widget with the first values of its controls."""
    return explorer_of(0)


def cell(explorer, layer, column):
    return explorer.part.locator(".mi-c").nth(LAYERS * column + layer)


def said(explorer):
    """What is said about the cell that is hovered or chosen."""
    details = explorer.part.locator(".mi-k").filter(visible=True)
    assert details.count() == 1
    return details.inner_text()


def away(explorer):
    explorer.page.mouse.move(2, 2)


def test_the_strongest_cell_stands_between_the_two_plain_runs(patching):
    away(patching)
    plain = patching.part.locator(".mi-plain").all_inner_texts()
    assert plain[0].startswith("The clean run says")
    assert plain[0].split()[4] == "Mary"
    assert plain[1].startswith("The corrupted run says")
    assert plain[1].split()[4] == "John"
    words = said(patching)
    assert words.startswith("The corrupted run, patched at L1 at John (1.00), says")
    assert words.split("says")[1].split()[0] == "Mary"


def test_hovering_a_cell_shows_what_the_patched_run_says(patching):
    cell(patching, 0, 4).hover()
    words = said(patching)
    assert words.startswith("The corrupted run, patched at L0 at John (0.00), says")
    assert words.split("says")[1].split()[0] == "John"
    away(patching)
    assert "(1.00)" in said(patching)


def test_a_click_keeps_a_cell_and_arrow_keys_walk_on(patching):
    cell(patching, 3, 13).click()
    away(patching)
    assert "patched at L3 at drink" in said(patching)
    patching.page.keyboard.press("ArrowDown")
    assert "patched at L0 at to" in said(patching)
    patching.page.keyboard.press("ArrowUp")
    assert "patched at L3 at drink" in said(patching)


def test_tab_enters_the_map(patching):
    patching.part.locator("select").nth(1).focus()
    patching.page.keyboard.press("Tab")
    assert patching.page.evaluate("() => document.activeElement.type") == "radio"
    away(patching)
    patching.page.keyboard.press("ArrowDown")
    assert "patched at L2 at John" in said(patching)


def test_the_corrupted_token_stands_below_the_clean_one(patching):
    assert patching.part.locator(".mi-o").all_inner_texts() == ["Mary"]


def test_a_head_site_has_a_column_a_head_and_another_direction_its_own_words(patching):
    patching.part.locator("select").nth(0).select_option("z")
    patching.part.get_by_text("H5", exact=True).wait_for(timeout=SECONDS_TO_ANSWER)
    patching.part.locator("select").nth(1).select_option(index=1)
    patching.part.get_by_text("The clean run, patched at").first.wait_for(
        timeout=SECONDS_TO_ANSWER, state="attached"
    )
    away(patching)
    assert said(patching).startswith("The clean run, patched at L")


def test_a_pair_that_is_none_is_told_in_words_and_another_one_is_patched(patching):
    field = patching.part.locator(".widget-text input")
    assert field.input_value() == "when Mary and John went to the store , [John|Mary] gave a drink to"
    field.fill(CLEAN)
    field.press("Enter")
    complaint = patching.status.get_by_role("alert")
    complaint.wait_for(timeout=SECONDS_TO_ANSWER)
    assert "the same" in complaint.text_content()
    assert cell(patching, 0, 0).is_visible()
    field.fill("when Anna and Tom went to the store , [Tom|Anna] gave a drink to")
    field.press("Enter")
    complaint.wait_for(state="detached", timeout=SECONDS_TO_ANSWER)
    patching.part.locator(".mi-o", has_text="Anna").wait_for(timeout=SECONDS_TO_ANSWER)
