"""Tuning curves and weight surgery on a network whose stripes are known."""

import pytest
import torch

from mi_course.methods import tuning_curves, weight_surgery
from mi_course.widgets.tuning_explorer import CUTS, TuningExplorer
from tests.methods.striped_network import striped


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    model = striped()
    model.convolutions[1].weight[0, 0] = 0.06  # level stripes excite more than upright ones inhibit
    model.convolutions[1].weight[0, 2] = 0.02
    return model


@pytest.fixture
def explorer(model):
    return TuningExplorer(model)


def lines(picture):
    return {line.get_label(): line.get_ydata() for line in picture.figure.axes[-1].get_lines()}


def titles(picture):
    return [axes.get_title(loc="center") for axes in picture.figure.axes[:-1]]


def test_the_measured_curve_is_the_methods(explorer, model):
    shown = lines(explorer.static(unit=0, cycle=3))
    measured = tuning_curves.measure(model, "conv2").responses[0, 3]
    assert shown["measured"] == pytest.approx(measured.numpy(), abs=1e-4)
    assert set(shown) == {"measured", "predicted from weights"}


def test_exciters_and_inhibitors_stand_with_their_net_weights(explorer):
    assert titles(explorer.static(unit=0)) == ["+1.5", "+0.5", "−1"]


def test_cutting_the_strongest_exciter_is_what_surgery_on_the_network_does(explorer, model):
    picture = explorer.static(unit=0, cycle=3, cut="the strongest exciter")
    kernel = model.convolutions[1].weight[0].clone()
    kernel[0] = 0
    operated = weight_surgery.replace_unit(model, 2, 0, kernel, bias=float(model.convolutions[1].bias[0]))
    measured = tuning_curves.measure(operated, "conv2").responses[0, 3]
    assert lines(picture)["after surgery"] == pytest.approx(measured.numpy(), abs=1e-4)
    assert titles(picture) == ["+0.5", "−1"]
    assert "without the strongest exciter" in picture.figure.texts[0].get_text()
    assert torch.equal(model.convolutions[1].weight[0, 0], torch.full((5, 5), 0.06)), "the model is untouched"


def test_without_inhibition_every_response_is_as_large_or_larger(explorer):
    shown = lines(explorer.static(unit=0, inhibit=0.0))
    assert (shown["after surgery"] >= shown["measured"] - 1e-6).all()
    assert (shown["after surgery"] > shown["measured"] + 1e-3).any()


def test_cuts_do_nothing_where_there_is_nothing_to_cut(explorer):
    for cut in CUTS[1:]:
        assert set(lines(explorer.static(unit=1, cut=cut))) == {"measured", "predicted from weights"}


def test_words_give_peaks_and_agreement_also_for_silent_units(explorer):
    assert "measured: peak" in explorer.static(unit=0).alt
    assert "r = " in explorer.static(unit=0).alt
    silent = explorer.static(unit=1)
    assert "measured: silent" in silent.alt
    assert "one of the two is silent" in silent.alt


def test_every_control_draws_anew(explorer):
    view = explorer.view
    picture = next(child for child in view.children if "mi-explorer-picture" in child._dom_classes)
    row = next(child for child in view.children if "mi-explorer-controls" in child._dom_classes)
    changes = {
        "Cycle": 4,
        "Stripes": "red-green",
        "Cut": CUTS[1],
        "Excitation ×": 2.0,
        "Inhibition ×": 0.0,
        "Unit": 2,
    }
    for description, value in changes.items():
        before = picture.value
        next(control for control in row.children if control.description == description).value = value
        assert picture.value != before, description
