"""The tuning explorer in a real JupyterLab: by mouse and by keyboard, choose, operate, read."""

import pytest

from tests.browser.hands import drag

pytestmark = pytest.mark.browser

CELLS = [
    """import mi_course as mc
from mi_course.widgets.tuning_explorer import TuningExplorer

TuningExplorer(mc.load("alexnet-mini").requires_grad_(False))"""
]


@pytest.fixture
def tuning(explorer_of):
    """The widget with the first values of its controls."""
    return explorer_of(0)


def alt(explorer):
    return explorer.picture.get_attribute("alt")


def test_arrow_keys_walk_through_the_units(tuning):
    handle = tuning.controls()[0].locator(".noUi-handle").first
    assert tuning.changes_picture(lambda: (handle.focus(), tuning.page.keyboard.press("ArrowRight")))
    assert "Unit 1, as trained" in alt(tuning)
    assert tuning.changes_picture(lambda: tuning.page.keyboard.press("ArrowLeft"))
    assert "Unit 0, as trained" in alt(tuning)


def test_surgery_is_shown_beside_the_unit_as_trained_and_can_be_taken_back(tuning):
    cut = tuning.part.locator("select").nth(1)
    assert tuning.changes_picture(lambda: cut.select_option("the strongest exciter"))
    assert "Unit 0, without the strongest exciter" in alt(tuning)
    assert "after surgery" in alt(tuning)
    inhibition = tuning.controls()[-1]
    assert tuning.changes_picture(lambda: drag(inhibition, 0.001))
    assert "inhibition × 0" in alt(tuning)
    assert tuning.changes_picture(lambda: cut.select_option("nothing"))
    assert tuning.changes_picture(lambda: drag(inhibition, 0.5))
    assert "Unit 0, as trained" in alt(tuning)


def test_the_picture_fits_its_cell(tuning):
    box = tuning.picture.bounding_box()
    assert box["width"] <= tuning.part.bounding_box()["width"] + 1
    assert box["height"] > 200
