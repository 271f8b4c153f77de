"""Photograph, filter, spectrum and response side by side, each as it is."""

import numpy as np
import pytest
import torch

from mi_course.methods import filters
from mi_course.plots.filter_panel import filter_panel
from mi_course.plots.style import DIVERGING


@pytest.fixture
def parts():
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(1, 3, 9, 9, generator=generator)
    return {
        "photograph": torch.rand(3, 64, 64, generator=generator),
        "weights": filters.normalize_for_display(weight)[0],
        "spectrum": filters.spectrum(weight)[0],
        "response": torch.randn(28, 28, generator=generator),
    }


def draw(parts, **changes):
    return filter_panel(**{**parts, **changes}, title="Filter 3", alt="A filter.")


def test_four_panels_show_what_they_are_called(parts):
    axes = draw(parts).figure.axes
    assert [panel.get_title() for panel in axes] == ["photograph", "filter", "spectrum", "response"]
    assert {panel.title.get_fontsize() for panel in axes} == {9.5}
    shown = [np.asarray(panel.images[0].get_array()) for panel in axes]
    assert shown[0] == pytest.approx(parts["photograph"].permute(1, 2, 0).numpy())
    assert shown[1] == pytest.approx(parts["weights"].permute(1, 2, 0).numpy())
    assert shown[2] ** 2 == pytest.approx(parts["spectrum"].numpy(), rel=1e-4, abs=1e-6)
    assert shown[3] == pytest.approx(parts["response"].numpy())


def test_the_response_is_centred_at_zero_in_diverging_colours(parts):
    image = draw(parts).figure.axes[3].images[0]
    limit = parts["response"].abs().max().item()
    assert image.get_clim() == pytest.approx((-limit, limit))
    assert image.get_cmap().name == DIVERGING


def test_the_spectrum_is_measured_in_cycles_per_pixel(parts):
    panel = draw(parts).figure.axes[2]
    assert panel.get_xlabel() == "cycles/pixel"
    left, right, _, _ = panel.images[0].get_extent()
    assert (left, right) == (-0.5, 0.5)


def test_a_filter_that_never_answers_is_drawn(parts):
    assert len(draw(parts, response=torch.zeros(28, 28)).png()) > 1000


def test_words_and_title_are_those_given(parts):
    picture = draw(parts)
    assert picture.alt == "A filter."
    assert picture.figure.get_suptitle() == "Filter 3"
