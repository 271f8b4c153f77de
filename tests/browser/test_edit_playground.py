"""The edit playground in a real browser: by mouse and by keyboard, edit, look, take back."""

import re

import pytest

pytestmark = pytest.mark.browser

CELLS = [
    """import mi_course as mc
from mi_course.widgets.edit_playground import EditPlayground

model = mc.load("tiny-world").requires_grad_(False)""",
    'EditPlayground(model, prefixes=[""], steps=12, step_size=1.0)',
]


@pytest.fixture
def playground(explorer_of):
    """The widget with the first values of its controls, and no edit made."""
    return explorer_of(1)


def button(playground, name):
    return playground.part.get_by_role(
        "button", name=re.compile(f"{name}$")
    )  # its icon counts as a character


def choose(playground, number, option):
    def move():
        playground.part.locator("select").nth(number).select_option(option)

    return move


def alt(playground):
    return playground.picture.get_attribute("alt")


def test_an_edit_by_mouse_is_shown_beside_the_unedited_model_and_taken_back(playground):
    assert "No edit yet." in alt(playground)
    assert button(playground, "Undo").is_disabled()
    assert playground.changes_picture(lambda: button(playground, "Make this edit").click())
    assert "After 1 edit." in alt(playground)
    assert playground.part.get_by_text("Pell instead of").count() >= 2, (
        "the next edit, and the one that was made"
    )
    assert playground.changes_picture(lambda: button(playground, "Undo").click())
    assert "No edit yet." in alt(playground)
    assert button(playground, "Undo").is_disabled()


def test_several_edits_in_a_row_and_undo_by_keyboard(playground):
    page = playground.page
    button(playground, "Make this edit").focus()
    assert playground.changes_picture(lambda: page.keyboard.press("Enter"))
    assert playground.changes_picture(choose(playground, 1, "Red Mill"))
    button(playground, "Make this edit").focus()
    assert playground.changes_picture(lambda: page.keyboard.press("Space"))
    assert "After 2 edits." in alt(playground)
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent").strip() == "Undo"
    assert playground.changes_picture(lambda: page.keyboard.press("Enter"))
    assert "After 1 edit." in alt(playground)
    page.keyboard.press("Tab")
    assert playground.changes_picture(lambda: page.keyboard.press("Enter"))
    assert "No edit yet." in alt(playground)


def test_another_relation_brings_its_own_subjects_and_answers(playground):
    assert playground.changes_picture(choose(playground, 0, "instrument"))
    subjects, answers = (
        playground.part.locator("select").nth(number).locator("option").all_inner_texts() for number in (1, 2)
    )
    assert "Abbott" in subjects
    assert "Iron Tower" not in subjects
    assert "violin" in answers or "piano" in answers
    assert "Abbott plays the" in alt(playground)


def test_where_the_edit_is_made_matters(playground):
    """At the subject's token behind layer 1, nothing that an MLP writes can change the answer."""
    choose(playground, 3, "L2, last subject token")()
    playground.wait_until_drawn()
    assert playground.changes_picture(lambda: button(playground, "Make this edit").click())
    assert "is in → Pell: 0.00 before, 0.00 now" in alt(playground)


def test_the_questions_can_be_unfolded(playground):
    playground.part.locator("summary").last.click()
    assert playground.part.get_by_text("the Iron Tower is in → Pell").is_visible()
