"""What a learner commits to, tries, asks for and has done: prediction, exercise, hint and progress, in order."""

import pytest

from tests.browser.contrast import too_faint

pytestmark = pytest.mark.browser

CELLS = [
    "import mi_course as mc",
    "mc.predict('toy.wave', 'Does the wave rise first?', ['It rises', 'It falls'])",
    """def count_ink(image):
    return int((image > 0.5).sum())


count_ink = mc.exercise("00.count_ink", count_ink)""",
    'mc.hint("00.count_ink")',
    """def count_ink(image):
    return int((image >= 0.5).sum())


count_ink = mc.exercise("00.count_ink", count_ink)""",
    "if mc.prediction('toy.wave'):  # not yet when all cells are run for the first time\n"
    "    mc.reveal('toy.wave', 'It falls')",
    "mc.progress()",
]
_, PREDICTION, WRONG, HINT, RIGHT, REVEALED, PROGRESS = range(len(CELLS))


@pytest.fixture
def shown(opened, browser):
    """What stands below each cell."""
    assert opened.failures() == []
    return opened.outputs()


def test_a_prediction_is_committed_by_keyboard(shown):
    box, keys = shown.nth(PREDICTION), shown.page.keyboard
    box.get_by_role("button", name="It rises").focus()
    keys.press("Tab")
    keys.press("Enter")
    box.locator("button.mod-active", has_text="It falls").wait_for()
    keys.press("Tab")
    keys.press("Enter")
    box.get_by_text("You predicted: It falls. Now run the experiment.").wait_for()


def test_it_is_changed_with_the_mouse(shown):
    box = shown.nth(PREDICTION)
    box.get_by_role("button", name="Change").click()
    box.get_by_role("button", name="It rises").click()
    box.get_by_role("button", name="Commit").click()
    box.get_by_text("You predicted: It rises.").wait_for()


def test_after_the_reveal_it_stays(opened, shown):
    opened.run(REVEALED)
    assert "You predicted: It rises" in shown.nth(REVEALED).inner_text()
    assert "The experiment says: It falls" in shown.nth(REVEALED).inner_text()
    opened.run(PREDICTION)
    assert shown.nth(PREDICTION).get_by_role("button").count() == 0


def test_a_card_says_what_is_wrong_and_another_that_it_is_right(shown):
    assert "at least half means >=, not >" in shown.nth(WRONG).inner_text()
    assert "That is the whole cycle" in shown.nth(RIGHT).inner_text()


def test_hints_come_one_at_a_time(opened, shown):
    assert "Hint 1 of" in shown.nth(HINT).inner_text()
    assert "Hint 2 of" not in shown.nth(HINT).inner_text()
    opened.run(HINT)
    assert "Hint 1 of" in shown.nth(HINT).inner_text()
    assert "Hint 2 of" in shown.nth(HINT).inner_text()


def test_progress_is_a_table_with_heads(shown):
    table = shown.nth(PROGRESS).locator("table")
    assert "✅" in table.locator("tr", has_text="00.count_ink").inner_text()
    assert "⬜" in table.locator("tr", has_text="00.right_gap").inner_text()
    assert table.locator("th[scope=col]").count() >= 3


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_all_of_it_can_be_read(shown, browser, theme):
    browser.use_theme(theme)
    assert too_faint(shown.locator(".jp-OutputArea-output")) == {}
