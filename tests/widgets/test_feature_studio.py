"""The studio paints what `visualize` paints, shows it while it grows, and stops when it is asked to."""

import threading

import numpy as np
import pytest
import torch

from mi_course.methods import feature_visualization, objectives
from mi_course.methods.random_transforms import STILL
from mi_course.models.alexnet import ALEXNET_MINI, AlexNet, initialize
from mi_course.widgets import feature_studio
from mi_course.widgets.feature_studio import CALM, FeatureStudio


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    return initialize(AlexNet(ALEXNET_MINI), seed=0).eval()


@pytest.fixture
def studio(model):
    studio = FeatureStudio(model, point="conv2", channel=5, steps=8)
    studio.view  # noqa: B018  (builds the widget)
    yield studio
    studio._stop.click()
    studio.wait()


def status(studio):
    return studio._status.value


def test_the_static_picture_is_what_visualize_finds(studio, model):
    found = feature_visualization.visualize(
        model, objectives.channel("conv2.pre", 7), steps=8, finest=CALM, seed=0
    )
    shown = np.asarray(studio.static(channel=7).figure.axes[0].images[0].get_array())
    assert shown == pytest.approx(found.images[0].permute(1, 2, 0).numpy(), abs=1e-5)


def test_each_remedy_can_be_switched_off(studio, model):
    plain = feature_visualization.visualize(
        model,
        objectives.neuron("conv2.pre", 5),
        steps=8,
        parameterisation="pixels",
        colour="plain",
        transforms=STILL,
        seed=3,
    )
    picture = studio.static(
        asked="in the middle (neuron)", waves=False, colours=False, moving=False, calm=False, seed=3
    )
    assert np.asarray(picture.figure.axes[0].images[0].get_array()) == pytest.approx(
        plain.images[0].permute(1, 2, 0).numpy(), abs=1e-5
    )
    assert "pixels, plain colours, one view, the finest waves allowed" in picture.alt


def test_the_first_picture_is_there_at_once(studio):
    assert "An image made for conv2 5" in studio._picture.value
    assert studio._stop.disabled


def test_a_change_paints_anew_and_ends_with_the_finished_picture(studio):
    studio._controls["channel"].value = 9
    studio.wait()
    assert "An image made for conv2 9" in studio._picture.value
    assert "in 8 steps" in studio._picture.value
    assert "working" not in status(studio)
    assert studio._stop.disabled


def test_it_can_be_watched_and_stopped(studio, monkeypatch):
    seen, enough = [], threading.Event()
    monkeypatch.setattr(feature_studio, "SECONDS_BETWEEN_PREVIEWS", 0)
    show = feature_studio._preview

    def preview(image, alt):
        seen.append(alt)
        if len(seen) == 3:
            enough.set()
        return show(image, alt)

    monkeypatch.setattr(feature_studio, "_preview", preview)
    studio._controls["steps"].value = 128
    assert enough.wait(60)
    assert not studio._stop.disabled
    studio._stop.click()
    studio.wait()
    assert seen[:3] == [f"conv2 5 after {step} steps" for step in (1, 2, 3)]
    assert "of 128 steps." in status(studio)
    assert status(studio).count("Stopped after") == 1
    assert "in 128 steps" not in studio._picture.value


def test_the_channels_are_those_of_the_layer(studio):
    studio._controls["point"].value = "logits"
    studio.wait()
    assert studio._controls["channel"].max == 199
    studio._controls["channel"].value = 150
    studio._controls["point"].value = "conv1"
    studio.wait()
    assert studio._controls["channel"].value == 63
    assert "An image made for conv1 63" in studio._picture.value
    assert "alert" not in status(studio)


def test_the_learners_own_network_is_left_alone(studio, model):
    assert studio.model is not model
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_what_goes_wrong_is_told_in_words(studio, monkeypatch):
    def fail(*args, **kwargs):
        raise ValueError("No paint left.")

    monkeypatch.setattr(studio, "_ascent", fail)
    studio._controls["channel"].value = 20
    studio.wait()
    assert "No paint left." in status(studio)
    assert 'role="alert"' in status(studio)
    assert "An image made for conv2 5" in studio._picture.value
