"""Cards go where they are put, come back, and are compared with the course's own opinion."""

import html
import re

import pytest

from mi_course.data.four_meanings import CARDS, MEANINGS, Card
from mi_course.errors import UnknownName
from mi_course.widgets.card_sort import CardSort

PAIR = (
    Card("a <b>probe</b>", "05", "A classifier.", "broad technical", "It looks & touches nothing."),
    Card("a cut", "09", "An edge is cut.", "narrow technical", "It changes something."),
)


@pytest.fixture
def sort():
    sort = CardSort(PAIR)
    _ = sort.view
    return sort


def press(sort, name):
    buttons = {button.description: button for button in sort._controls["placed"].children}
    buttons[name].click()


def words(sort):
    return html.unescape(re.sub("<[^>]*>", " ", sort._picture.value))


def alt(sort):
    return html.unescape(re.search('alt="([^"]*)"', sort._picture.value)[1])


def test_a_card_goes_onto_its_pile_and_the_next_one_comes_up(sort):
    assert "In which sense" in words(sort)
    press(sort, "broad technical")
    assert sort._controls["placed"].value == (("a <b>probe</b>", "broad technical"),)
    assert sort._controls["card"].value == "a cut"
    assert "So would we. It looks & touches nothing." in " ".join(words(sort).split())
    press(sort, "broad cultural")
    assert "we would say narrow technical" in words(sort)
    assert "All cards are sorted" in words(sort)
    assert "1 where the course" in alt(sort)
    assert "Differently from the course: a cut" in alt(sort)


def test_taking_back_brings_the_card_up_again(sort):
    back = sort._controls["placed"].back
    assert back.disabled
    press(sort, "broad technical")
    assert not back.disabled
    back.click()
    assert back.disabled
    assert sort._controls["card"].value == "a <b>probe</b>"
    assert "0 of 2" in alt(sort)


def test_a_sorted_card_can_be_sorted_again(sort):
    press(sort, "broad technical")
    press(sort, "narrow technical")
    sort._controls["card"].value = "a <b>probe</b>"
    press(sort, "narrow cultural")
    assert dict(sort._controls["placed"].value) == {
        "a cut": "narrow technical",
        "a <b>probe</b>": "narrow cultural",
    }


def test_what_stands_on_a_card_is_text(sort):
    press(sort, "broad technical")
    shown = sort._picture.value
    assert "<b>probe" not in shown
    assert "&lt;b&gt;probe" in shown


def test_the_twin_on_paper_shows_every_pile():
    placed = tuple((card.name, card.meaning) for card in CARDS)
    picture = CardSort().static(placed=placed)
    assert f"{len(CARDS)} of {len(CARDS)} cards sorted; {len(CARDS)} where" in picture.alt
    assert all(card.name in picture.alt for card in CARDS)
    with pytest.raises(UnknownName, match="pile"):
        CardSort().static(placed=((CARDS[0].name, "somewhere"),))
    with pytest.raises(UnknownName, match="card"):
        CardSort().static(placed=(("a horse", "broad technical"),))


def test_a_card_for_a_pile_that_is_not_there_is_refused():
    with pytest.raises(UnknownName, match="pile for the card"):
        CardSort([Card("x", "00", "y", "sideways", "z")])


def test_every_card_has_its_words_and_every_meaning_a_card():
    assert len({card.name for card in CARDS}) == len(CARDS)
    assert {card.meaning for card in CARDS} == set(MEANINGS)
    assert [card.chapter for card in CARDS] == sorted(card.chapter for card in CARDS)
    assert all(card.what.endswith((".", "?")) and card.why.endswith(".") for card in CARDS)
