"""The feature browser in a real browser: by list, by number, by keyboard, and with a text of one's own."""

import re

import pytest

pytestmark = pytest.mark.browser

CELLS = [
    """import mi_course as mc
from mi_course.widgets.feature_browser import FeatureBrowser

model, sae = (mc.load(name).requires_grad_(False) for name in ("tiny-world", "tiny-world-sae-small"))
browser = FeatureBrowser(model, sae)""",
    "browser = FeatureBrowser(model, sae, truths=browser.truths, values=browser.values); browser",
]


@pytest.fixture
def browser_widget(explorer_of):
    return explorer_of(1)


def alt(widget):
    return widget.picture.get_attribute("alt")


def test_a_latent_is_chosen_with_the_mouse(browser_widget):
    assert "Feature 0:" in alt(browser_widget)
    latents = browser_widget.part.locator("select")
    assert browser_widget.changes_picture(lambda: latents.select_option("next: a noun, about sea"))
    assert "Best at telling “next: a noun, about sea”" in alt(browser_widget)
    number = browser_widget.part.locator(".widget-readout").inner_text()
    assert f"Feature {number}:" in alt(browser_widget)


def test_features_are_leafed_through_with_the_arrow_keys(browser_widget):
    page, handle = browser_widget.page, browser_widget.part.locator(".noUi-handle")
    handle.focus()
    assert browser_widget.changes_picture(lambda: page.keyboard.press("ArrowRight"))
    assert "Feature 1:" in alt(browser_widget)
    assert browser_widget.changes_picture(lambda: page.keyboard.press("ArrowLeft"))
    assert "Feature 0:" in alt(browser_widget)


def test_a_text_of_ones_own_is_read(browser_widget):
    field = browser_widget.part.locator('input[type="text"]').last

    def read():
        field.fill("a ferry")
        field.press("Enter")

    assert browser_widget.changes_picture(read)
    assert re.search(r"In your text it is most active at “(a|ferry)”", alt(browser_widget))


def test_words_that_the_model_does_not_know_are_told(browser_widget):
    field = browser_widget.part.locator('input[type="text"]').last
    field.fill("<script>alert(1)</script> ferry")
    field.press("Enter")
    complaint = browser_widget.status.get_by_role("alert")
    complaint.wait_for()
    assert "'script' is not in the model's vocabulary" in complaint.inner_text()
    assert browser_widget.picture.is_visible(), "the last picture that worked"
