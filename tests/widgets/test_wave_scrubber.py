"""The scrubber of chapter 11: every checkpoint's own spectrum, three kinds of curves."""

import math

import pytest
import torch

from mi_course.errors import UnknownName
from mi_course.widgets.wave_scrubber import VIEWS, WaveScrubber

P, STEPS = 11, torch.tensor([0, 50, 100])


@pytest.fixture
def scrubber():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(P, 6, generator=generator)
    angles = 2 * math.pi * 3 * torch.arange(P) / P
    wave = 4 * torch.stack([angles.cos(), angles.sin()], dim=1) @ torch.eye(6)[:2]
    marks = {mark for view in VIEWS.values() for mark in view.values()}
    curve = [{"step": step, **dict.fromkeys(marks, 1 / (1 + step))} for step in range(0, 101, 25)]
    embeddings = torch.stack([noise, noise + 0.3 * wave, wave]).half()
    return WaveScrubber(STEPS, embeddings, curve, [3, 5])


def test_it_begins_at_the_end_with_the_losses(scrubber):
    alt = scrubber.static().alt
    assert "At step 100: train 0.0099" in alt
    assert "hold 100% of the embedding's energy" in alt


def test_each_checkpoint_has_its_own_spectrum(scrubber):
    held = [
        int(scrubber.static(checkpoint=at).alt.split("hold ")[1].split("%")[0]) for at in range(len(STEPS))
    ]
    assert held == sorted(held)
    assert held[0] < 70
    assert held[-1] == 100


@pytest.mark.parametrize("view", VIEWS)
def test_every_kind_of_curve_can_be_shown(scrubber, view):
    alt = scrubber.static(show=view, checkpoint=1).alt
    assert all(label in alt for label in VIEWS[view])
    assert "step 50" in alt


def test_losses_have_a_floor_and_a_log_scale(scrubber):
    curves = scrubber.static(show="losses").pictures[0].figure.axes[0]
    assert curves.get_yscale() == "log"
    assert scrubber.static(show="accuracy").pictures[0].figure.axes[0].get_yscale() == "linear"


def test_another_kind_of_curve_is_refused(scrubber):
    with pytest.raises(UnknownName, match="losses"):
        scrubber.static(show="loses")
