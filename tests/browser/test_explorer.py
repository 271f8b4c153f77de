"""A small explorer, pictures and a progress bar, as a learner meets them."""

import numpy as np
import pytest
from PIL import Image

from tests.browser.hands import Keyboard, Mouse, drag

pytestmark = pytest.mark.browser

EXPLORER = """
import time

import ipywidgets
import torch
from IPython.display import display

from mi_course.data import photographs
from mi_course.plots import curves, image_grid
from mi_course.widgets import Explorer, progress_bar


class Wave(Explorer):
    def controls(self):
        return {
            "cycles": ipywidgets.IntSlider(3, 1, 9, description="Cycles over the whole width of the picture"),
            "shape": ipywidgets.Dropdown(options=["sine", "square"], description="Shape"),
            "mirror": ipywidgets.Checkbox(False, description="Mirrored"),
            "size": ipywidgets.ToggleButtons(options=["small", "large"], description="Size"),
            "stretch": ipywidgets.SelectionSlider(options=[1, 2, 5, 10], description="Stretched by"),
            "name": ipywidgets.Text("the place", description="Name of the axis"),
            "upload": ipywidgets.FileUpload(accept="image/*", description="Your picture"),
        }

    def draw(self, cycles, shape, mirror, size, stretch, name, upload):
        if cycles == 5:
            time.sleep(0.5)  # long enough for somebody to see that it works
        if cycles == 9:
            raise ValueError("Nine cycles are one too many.")
        if upload:
            mine = photographs.read_image(upload[-1].content, name=upload[-1].name)
            words = f"Your picture {mine.name}"
            return image_grid([mine.square(32)], title=words, alt=f"{words}, {name}")
        x = torch.linspace(0, 1, 200)
        y = (2 * torch.pi * cycles * x).sin()
        y = (y.sign() if shape == "square" else y) * stretch * (2 if size == "large" else 1)
        y = -y if mirror else y
        words = f"A wave of {cycles} cycles."
        return curves(x, {"wave": y}, title=words, xlabel=name, ylabel="height", alt=words)
"""

CELLS = [
    EXPLORER,
    "Wave()",
    "display(Wave().static(cycles=5), Wave().static(cycles=2))",
    "for _ in progress_bar(range(20), 'Counting'):\n    time.sleep(0.02)",
]


@pytest.fixture
def shown(opened, browser):
    """The notebook as earlier tests have left it."""
    return opened


@pytest.fixture
def toy(opened, browser):
    """The notebook, freshly run: every control has its first value again."""
    opened.run_all()
    return opened


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("upload") / "stripes.png"
    Image.linear_gradient("L").convert("RGB").save(path)
    return path


@pytest.mark.parametrize("hand", [Keyboard, Mouse])
def test_every_kind_of_control_changes_the_picture(toy, picture, hand):
    assert toy.failures() == []
    [explorer] = toy.explorers()
    assert len(explorer.controls()) == 7
    assert explorer.picture.get_attribute("alt") == "A wave of 3 cycles."
    assert explorer.not_following(hand(picture)) == []
    assert explorer.picture.get_attribute("alt").startswith("Your picture stripes.png")


def test_a_photograph_of_many_megabytes_arrives(toy, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (2000, 2200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    [explorer] = toy.explorers()
    upload = explorer.controls()[-1]
    assert explorer.changes_picture(lambda: Mouse(tmp_path / "noise.png").move(upload))
    assert explorer.picture.get_attribute("alt").startswith("Your picture noise.png")


def test_a_file_that_is_no_picture_is_refused_in_words(toy, tmp_path):
    (tmp_path / "notes.txt").write_text("not a picture")
    [explorer] = toy.explorers()
    Mouse(tmp_path / "notes.txt").move(explorer.controls()[-1])
    complaint = explorer.status.get_by_role("alert")
    complaint.wait_for()
    assert "notes.txt is not a picture" in complaint.text_content()


def test_a_slider_follows_the_mouse_and_says_that_it_works(toy):
    [explorer] = toy.explorers()
    slider = explorer.controls()[0]
    explorer.wait_until_drawn()
    drag(slider, to=0.5)
    explorer.status.get_by_text("working…").wait_for(timeout=5000)
    explorer.wait_until_drawn()
    assert explorer.picture.get_attribute("alt") == "A wave of 5 cycles."


def test_an_error_is_told_in_words_and_the_next_change_works_again(browser, toy):
    [explorer] = toy.explorers()
    slider = explorer.controls()[0]
    drag(slider, to=1.0)
    complaint = explorer.status.get_by_role("alert")
    complaint.wait_for()
    assert "Nine cycles are one too many." in complaint.text_content()
    assert explorer.picture.get_attribute("alt") == "A wave of 3 cycles."
    slider.locator(".noUi-handle").focus()
    browser.page.keyboard.press("ArrowLeft")
    complaint.wait_for(state="detached")
    explorer.wait_until_drawn()
    assert explorer.picture.get_attribute("alt") == "A wave of 8 cycles."


def test_every_picture_has_its_alt_text_and_fits_the_page(toy):
    sizes = toy.pictures().evaluate_all(
        "images => images.map(image => [image.alt, image.naturalWidth, image.getBoundingClientRect().width])"
    )
    assert [alt for alt, _, _ in sizes] == [
        "A wave of 3 cycles.",
        "A wave of 5 cycles.",
        "A wave of 2 cycles.",
    ]
    assert all(natural == 900 and 600 < width <= 720 for _, natural, width in sizes)


def test_labels_of_controls_are_not_cut_off(shown):
    cut = shown.page.locator(".mi-explorer-controls .widget-label").evaluate_all(
        """labels => labels.filter(label => label.scrollWidth > label.clientWidth + 1)
                           .map(label => label.textContent)"""
    )
    assert cut == []


def test_a_slider_with_a_long_label_keeps_a_track_to_pull(shown):
    tracks = shown.page.locator(".mi-explorer-controls .noUi-base")
    assert all(tracks.nth(index).bounding_box()["width"] > 100 for index in range(tracks.count()))


def test_the_progress_bar_ends_full(shown):
    bar = shown.page.locator(".mi-progress")
    bar.get_by_text("20 of 20 · done").wait_for()
    assert "Counting" in bar.text_content()
