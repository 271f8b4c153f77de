"""The card sort in a real browser: by mouse and by keyboard alone."""

import pytest

pytestmark = pytest.mark.browser

CELLS = [
    "from mi_course.widgets.card_sort import CardSort",
    "CardSort()",
]


@pytest.fixture
def sort(explorer_of):
    """The widget with nothing sorted."""
    return explorer_of(1)


def button(sort, name):
    return sort.part.get_by_role("button", name=name)


def alt(sort):
    return sort.picture.get_attribute("alt")


def test_a_card_is_put_onto_a_pile_by_mouse_and_taken_back(sort):
    assert "0 of 16 cards sorted" in alt(sort)
    assert sort.changes_picture(lambda: button(sort, "broad cultural").click())
    assert "broad cultural: a key of twelve rules" in alt(sort)
    assert sort.part.get_by_text("So would we.").is_visible()
    assert sort.changes_picture(lambda: button(sort, "Take back").click())
    assert "0 of 16 cards sorted" in alt(sort)


def test_cards_are_sorted_by_keyboard(sort):
    page = sort.page
    button(sort, "narrow technical").focus()
    assert sort.changes_picture(lambda: page.keyboard.press("Enter"))
    assert sort.part.get_by_text("we would say broad cultural").is_visible()
    page.keyboard.press("Tab")
    assert sort.changes_picture(lambda: page.keyboard.press("Space"))
    assert "broad technical: filters as pictures" in alt(sort)
    assert "2 of 16 cards sorted; 1 where" in alt(sort)


def test_any_card_can_be_brought_up(sort):
    assert sort.changes_picture(lambda: sort.part.locator("select").select_option("logit lens"))
    assert sort.part.get_by_text("What the model would say if it stopped").is_visible()
    assert sort.changes_picture(lambda: button(sort, "broad technical").click())
    assert "broad technical: logit lens" in alt(sort)
