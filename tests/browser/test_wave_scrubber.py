"""The wave scrubber in a real browser: by mouse and by keyboard, through the shipped run."""

import re

import pytest

from tests.browser.hands import drag

pytestmark = pytest.mark.browser

CELLS = [
    """import mi_course as mc
from mi_course.widgets.wave_scrubber import WaveScrubber

history, card = (getattr(mc.models.pretrained, part)("modular-addition") for part in ("history", "card"))""",
    """WaveScrubber(
    history["step"], history["W_E"][:, :113], card["curve"], card["validation"]["trained"]["key_frequencies"]
)""",
]


@pytest.fixture
def scrubber(explorer_of):
    """The widget at the last checkpoint."""
    return explorer_of(1)


def held(scrubber):
    """The share of the key frequencies that the last picture tells, in per cent."""
    return int(re.search(r"hold (\d+)%", scrubber.part.locator("img").last.get_attribute("alt")).group(1))


def test_the_slider_goes_back_to_before_the_waves_by_keyboard(scrubber):
    page, handle = scrubber.page, scrubber.part.locator(".noUi-handle").first
    assert held(scrubber) >= 75
    handle.focus()
    assert scrubber.changes_picture(lambda: page.keyboard.press("Home"))
    assert held(scrubber) < 25
    assert scrubber.changes_picture(lambda: page.keyboard.press("ArrowRight"))
    assert held(scrubber) < 40
    assert scrubber.changes_picture(lambda: page.keyboard.press("End"))
    assert held(scrubber) >= 75


def test_the_slider_goes_back_by_mouse(scrubber):
    slider = scrubber.controls()[0]
    assert scrubber.changes_picture(lambda: drag(slider, 0.01))
    assert held(scrubber) < 25


def test_other_curves_can_be_chosen(scrubber):
    choose = scrubber.part.locator("select").first.select_option
    assert scrubber.changes_picture(lambda: choose("weight norm"))
    assert "weight norm" in scrubber.part.locator("img").first.get_attribute("alt")
    assert scrubber.changes_picture(lambda: choose("accuracy"))
    assert "test 1" in scrubber.part.locator("img").first.get_attribute("alt")
