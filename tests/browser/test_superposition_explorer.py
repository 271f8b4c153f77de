"""The superposition explorer in a real browser: by mouse and by keyboard, through worlds and through training."""

import pytest

from tests.browser.hands import Keyboard, drag

pytestmark = pytest.mark.browser

CELLS = [
    """import torch
from mi_course.models import toy_autoencoder
from mi_course.widgets.superposition_explorer import SuperpositionExplorer

sweep = toy_autoencoder.train(
    torch.tensor([0.9, 0.3, 0.05]), 5, 2, importance=0.8 ** torch.arange(5.0), restarts=2, steps=400, keep=[0, 50]
)""",
    "SuperpositionExplorer(sweep)",
]


@pytest.fixture
def explorer(explorer_of):
    """The widget with the first values of its controls: rare features, at the end of training."""
    return explorer_of(1)


def alt(explorer):
    return explorer.picture.get_attribute("alt")


def test_it_begins_with_the_rarest_features_at_the_end(explorer):
    assert "in 1 of 20, step 400" in alt(explorer)


def test_the_slider_goes_from_rare_to_common_by_mouse(explorer):
    world = explorer.controls()[0]
    assert explorer.changes_picture(lambda: drag(world, 0.0))
    assert "in 9 of 10, step 400. 2 of 5" in alt(explorer)


def test_worlds_and_steps_are_reached_by_keyboard(explorer):
    world, step, _ = explorer.controls()
    assert explorer.changes_picture(lambda: Keyboard().move(world))
    assert "in 3 of 10, step 400" in alt(explorer)
    assert explorer.changes_picture(lambda: Keyboard().move(step))
    assert "in 3 of 10, step 50" in alt(explorer)


def test_another_network_is_another_picture(explorer):
    network = explorer.controls()[2]
    assert explorer.changes_picture(lambda: network.locator("select").select_option("the worst"))
    assert explorer.changes_picture(lambda: network.locator("select").select_option("the best"))
