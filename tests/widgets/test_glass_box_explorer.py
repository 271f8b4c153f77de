import pytest
import torch

from mi_course.data import digits
from mi_course.methods.glass_box import grow
from mi_course.methods.stroke_features import measure, shapes_of
from mi_course.models.black_box import train
from mi_course.widgets.glass_box_explorer import BLANK, GlassBoxExplorer
from tests.type_checks import values_only


@pytest.fixture(scope="module")
def explorer():
    learn = digits.parts().learn
    glass = grow(measure(shapes_of(learn.images)), learn.labels, rules=12)
    return GlassBoxExplorer(glass, train(learn), digits.parts().choose[:60])


def controls(explorer):
    explorer.__dict__.pop("_view", None)
    _ = explorer.view
    return explorer._controls


def test_the_alt_text_says_what_both_boxes_answer(explorer):
    picture = explorer.static(number=3)
    label = int(explorer.digits.labels[3])
    assert f"Picture 3, a {label}." in picture.alt
    assert "The glass box says" in picture.alt
    assert "The black box says" in picture.alt


def test_the_groups_hold_what_their_names_say(explorer):
    labels = explorer.digits.labels
    glass = explorer.glass.answer(explorer.digits.images) == labels
    black = explorer.black.answer(explorer.digits.images) == labels
    assert glass[explorer.groups["only the glass box right"]].all()
    assert not black[explorer.groups["only the glass box right"]].any()
    assert len(explorer.groups["all"]) == 60


def test_moving_the_slider_changes_the_picture_and_the_pixels(explorer):
    parts = controls(explorer)
    before, shown = explorer._picture.value, parts["pixels"]._image
    parts["number"].value = 5
    assert explorer._picture.value != before
    assert not torch.equal(parts["pixels"]._image, shown)


def test_a_click_on_a_pixel_changes_the_picture_and_a_second_click_takes_it_back(explorer):
    parts = controls(explorer)
    before = explorer._picture.value
    parts["pixels"]._buttons[3 * 8 + 4].click()
    assert parts["pixels"].value == ((3, 4),)
    assert explorer._picture.value != before
    parts["pixels"]._buttons[3 * 8 + 4].click()
    assert parts["pixels"].value == ()
    assert explorer._picture.value == before


def test_another_picture_starts_without_flipped_pixels(explorer):
    parts = controls(explorer)
    parts["pixels"]._buttons[0].click()
    parts["number"].value = 7
    assert parts["pixels"].value == ()
    assert "changed by you" not in explorer._picture.value


def test_another_group_starts_at_its_first_picture(explorer):
    parts = controls(explorer)
    parts["number"].value = 59
    parts["group"].value = "only the black box right"
    assert parts["number"].value == 0
    assert parts["number"].max == len(explorer.groups["only the black box right"]) - 1
    assert "cannot be drawn" not in explorer._status.value


@values_only
def test_one_can_draw_on_a_blank_page(explorer):
    parts = controls(explorer)
    parts["group"].value = BLANK
    assert "A blank page" in explorer._picture.value
    for row in (2, 3):
        parts["pixels"]._buttons[row * 8 + 4].click()
    assert "Your drawing" in explorer._picture.value
    assert explorer.static(group=BLANK, pixels=parts["pixels"].value).alt.startswith("Your drawing.")


def test_every_pixel_says_where_it_is_and_how_dark(explorer):
    tooltips = [button.tooltip for button in controls(explorer)["pixels"]._buttons]
    assert len(set(tooltips)) == 64
    assert tooltips[8 * 2 + 5].startswith("row 2, column 5: ink ")
