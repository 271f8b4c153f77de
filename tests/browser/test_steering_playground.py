"""The steering playground in a real browser: knob, dose and prompt by mouse and by keyboard."""

import pytest

from tests.browser.hands import Keyboard, Mouse, drag

pytestmark = pytest.mark.browser

CELLS = [
    """from functools import partial

import mi_course as mc
from mi_course.data.topic_texts import paragraphs
from mi_course.methods import steering
from mi_course.widgets.steering_playground import Knob, SteeringPlayground

model, at = mc.load("tiny-world").requires_grad_(False), "blocks.1.hook_resid_post"


def texts(**which):
    return [document.text for document in paragraphs(30, **which)]


bridge = steering.mean_difference(model, texts(topic="bridge"), texts(not_about="bridge"), at=at)
good = steering.mean_difference(model, texts(mood="good"), texts(mood="bad"), at=at)""",
    """SteeringPlayground(
    model,
    {"towards the bridge": Knob(partial(steering.add, bridge, at=at)),
     "towards good": Knob(partial(steering.add, good, at=at), low=-8, high=8)},
    n_tokens=20,
)""",
]


@pytest.fixture
def playground(explorer_of):
    return explorer_of(1)


def sections(playground):
    return playground.part.locator(".mi-steered section")


def test_two_texts_stand_side_by_side_with_marked_words(playground):
    assert sections(playground).count() == 2
    left, right = (sections(playground).nth(number).bounding_box() for number in (0, 1))
    assert left["x"] + left["width"] <= right["x"] + 1
    assert abs(left["y"] - right["y"]) < 2
    assert sections(playground).nth(1).locator("mark").count() > 0


def test_the_dose_follows_the_arrow_keys_and_the_mouse(playground):
    slider = playground.controls()[2]
    before = sections(playground).nth(1).locator("b").first.inner_text()
    assert playground.changes_picture(lambda: Keyboard().move(slider))
    assert sections(playground).nth(1).locator("b").first.inner_text() != before
    assert playground.changes_picture(lambda: drag(slider, 0.5))
    texts = [sections(playground).nth(number).locator("p").first.inner_text() for number in (0, 1)]
    assert "towards the bridge: 0" in sections(playground).nth(1).locator("b").first.inner_text()
    assert texts[0] == texts[1], "at dose 0 nothing is steered"


def test_another_knob_brings_its_own_range(playground):
    assert playground.changes_picture(lambda: Mouse().move(playground.controls()[1]))
    handle = playground.controls()[2].locator(".noUi-handle").first
    assert float(handle.get_attribute("aria-valuemax")) == 8


def test_a_word_that_the_model_does_not_know_is_told_in_words(playground):
    field = playground.part.locator("input[type=text]").first
    field.fill("we saw the xylophone")
    field.press("Enter")
    playground.part.locator("[role=alert]").wait_for()
    assert "xylophone" in playground.part.locator("[role=alert]").inner_text()
    field.fill("there was a")
    field.press("Enter")
    playground.part.locator(".mi-steered").get_by_text("there").first.wait_for()
    playground.wait_until_drawn()
