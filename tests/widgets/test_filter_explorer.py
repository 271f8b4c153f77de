"""Any filter on any photograph, and on the learner's own."""

import io
from datetime import datetime

import numpy as np
import pytest
import torch
from PIL import Image

from mi_course.data import photographs
from mi_course.methods import filters
from mi_course.models.alexnet import ALEXNET_MINI, AlexNet, initialize
from mi_course.widgets.filter_explorer import FilterExplorer


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    model = initialize(AlexNet(ALEXNET_MINI), seed=0).eval()
    with torch.no_grad():
        model.convolutions[0].weight[5] = 0.02 * torch.linspace(-1, 1, 9).sign()[None, None, :]
    return model


@pytest.fixture
def explorer(model):
    return FilterExplorer(model)


def part(explorer, name):
    return next(child for child in explorer.view.children if name in child._dom_classes)


def control(explorer, description):
    controls = part(explorer, "mi-explorer-controls").children
    return next(found for found in controls if found.description == description)


def picture(explorer):
    return part(explorer, "mi-explorer-picture").value


def status(explorer):
    return part(explorer, "mi-explorer-status").value


def upload(explorer, content, name="mine.png"):
    file = {"name": name, "type": "image/png", "size": len(content), "content": memoryview(content)}
    file["last_modified"] = datetime(2024, 1, 1)
    control(explorer, "Your picture").value = (file,)


def png(colour=(200, 30, 30), side=80):
    file = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), colour, dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def shown(static):
    return [np.asarray(axes.images[0].get_array()) for axes in static.figure.axes]


def test_the_static_picture_shows_this_filter_on_this_photograph(explorer, model):
    image = photographs.photograph("coffee").square(64)
    with torch.no_grad():
        response = model.convolutions[0]((image[None] - model.mean) / model.std)[0, 7]
    weight = model.convolutions[0].weight.detach()[7:8]
    photograph, weights, spectrum, answer = shown(explorer.static(number=7, photograph="coffee"))
    assert photograph == pytest.approx(image.permute(1, 2, 0).numpy(), abs=1e-6)
    assert weights == pytest.approx(
        filters.normalize_for_display(weight)[0].permute(1, 2, 0).numpy(), abs=1e-6
    )
    assert spectrum**2 == pytest.approx(filters.spectrum(weight)[0].numpy(), abs=1e-5)
    assert answer == pytest.approx(response.numpy(), abs=1e-5)


def test_words_say_what_kind_of_filter_it_is_and_how_it_answers(explorer):
    striped = explorer.static(number=5, photograph="cat")
    assert striped.figure.get_suptitle() == "Filter 5: oriented, stripes at 90°; 0% of it is colour"
    response = shown(striped)[3]
    assert "'cat'" in striped.alt
    assert f"positive at {(response > 0).mean():.0%} of the positions" in striped.alt
    assert "stripes at" not in explorer.static(number=6).figure.get_suptitle()


def test_every_filter_can_be_chosen_and_no_other(explorer):
    slider = control(explorer, "Filter")
    assert (slider.min, slider.max) == (0, 63)
    assert set(control(explorer, "Photograph").options) == set(photographs.names())


def test_choosing_another_filter_or_photograph_draws_anew(explorer):
    assert "'cat', filter 0 " in picture(explorer).replace("&#x27;", "'")
    control(explorer, "Filter").value = 5
    control(explorer, "Photograph").value = "rocket"
    assert "'rocket', filter 5 (oriented" in picture(explorer).replace("&#x27;", "'")


def test_a_picture_of_ones_own_takes_the_place_of_the_photograph(explorer):
    upload(explorer, png())
    assert "mine.png" in picture(explorer)
    assert "alert" not in status(explorer)
    control(explorer, "Filter").value = 9
    assert "mine.png" in picture(explorer)
    assert "filter 9 " in picture(explorer)


def test_choosing_a_photograph_puts_the_own_picture_away(explorer):
    upload(explorer, png())
    control(explorer, "Photograph").value = "coffee"
    assert control(explorer, "Your picture").value == ()
    assert "coffee" in picture(explorer)
    assert "mine.png" not in picture(explorer)


def test_a_flat_picture_of_any_size_works(explorer):
    upload(explorer, png(side=1), "dot.png")
    assert "dot.png" in picture(explorer)
    assert "alert" not in status(explorer)


def test_a_file_that_is_no_picture_is_told_in_words_and_the_last_picture_stays(explorer):
    before = picture(explorer)
    upload(explorer, b"no picture at all", "letter.txt")
    assert 'role="alert"' in status(explorer)
    assert "letter.txt" in status(explorer)
    assert picture(explorer) == before
    control(explorer, "Photograph").value = "flower"
    assert "alert" not in status(explorer)
    assert "flower" in picture(explorer)


def test_a_file_that_is_cut_short_is_told_in_words(explorer):
    upload(explorer, png()[:60], "half.png")
    assert "half.png" in status(explorer)
    assert 'role="alert"' in status(explorer)
