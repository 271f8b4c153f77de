"""The feature-visualization studio, by mouse and by keyboard, in a real JupyterLab."""

import pytest

pytestmark = pytest.mark.browser

CELLS = [
    """import mi_course as mc
from mi_course.widgets.feature_studio import FeatureStudio

FeatureStudio(mc.load("alexnet-mini"), point="conv3", channel=5, steps=16)"""
]


@pytest.fixture
def studio(explorer_of):
    """The studio with the first value of every control."""
    return explorer_of(0)


def alt(explorer):
    return explorer.picture.get_attribute("alt")


def control(explorer, label):
    return next(found for found in explorer.controls() if label in found.text_content())


def test_it_begins_with_a_finished_picture(studio):
    assert "An image made for conv3 5, everywhere (channel), in 16 steps" in alt(studio)
    assert studio.part.locator(".mi-studio-stop").is_disabled()


def test_the_picture_grows_and_can_be_stopped(studio):
    steps = control(studio, "Steps")
    steps.locator(".noUi-handle").focus()
    studio.page.keyboard.press("End")
    studio.status.get_by_text("working… step").wait_for()
    assert "after" in alt(studio)
    studio.part.locator(".mi-studio-stop").click()
    studio.status.get_by_text("Stopped after").wait_for()
    assert "in 128 steps" not in alt(studio)
    assert studio.part.locator(".mi-studio-stop").is_disabled()
