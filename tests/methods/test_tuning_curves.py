"""Tuning curves of units that were built to have them."""

import pytest
import torch

from mi_course.errors import UnknownName
from mi_course.methods import tuning_curves
from tests.methods.striped_network import DEGREES, FREQUENCY, striped


@pytest.fixture(scope="module")
def tuning():
    return tuning_curves.measure(striped(), "conv1", frequencies=(1 / 12, FREQUENCY), side=32)


def test_it_is_laid_out_by_channel_frequency_and_orientation(tuning):
    assert tuning.responses.shape == (8, 2, 12)
    assert tuning.by_orientation.shape == (8, 12)
    assert tuning.orientations[2] == 30
    assert (tuning.layer, tuning.colour) == ("conv1", "grey")


def test_filters_prefer_the_stripes_that_they_are_made_of(tuning):
    degrees, selectivity = tuning_curves.preferred(tuning.by_orientation)
    for number in range(8):
        assert (float(degrees[number]) - DEGREES[number % 4] + 90) % 180 - 90 == pytest.approx(0, abs=3)
    assert (selectivity > 0.4).all()
    assert (tuning.responses[:, 1].amax(1) > tuning.responses[:, 0].amax(1)).all()


def test_one_answer_is_the_mean_over_phases_of_the_middle_cell():
    model = striped()
    one = tuning_curves.measure(
        model, "conv2.pre", orientations=(20,), frequencies=(0.1,), n_phases=3, side=32
    )
    from mi_course.data.gratings import grating

    pictures = torch.stack([grating(20, 0.1, phase=phase, side=32) for phase in (0, 120, 240)])
    _, cache = model.run_with_cache(pictures, ["conv2.pre"])
    middle = cache["conv2.pre"].shape[-1] // 2
    assert torch.allclose(one.responses[:, 0, 0], cache["conv2.pre"][:, :, middle, middle].mean(0), atol=1e-5)


def test_grey_filters_do_not_see_colour():
    coloured = tuning_curves.measure(
        striped(), "conv1", frequencies=(FREQUENCY,), colour="blue-yellow", side=32
    )
    plain = tuning_curves.measure(striped(), "conv1", frequencies=(FREQUENCY,), contrast=0.0, side=32)
    grey = tuning_curves.measure(striped(), "conv1", frequencies=(FREQUENCY,), side=32)
    # Colours are divided by slightly different deviations, so a trace is left.
    assert (coloured.responses - plain.responses).abs().max() < 0.05 * grey.responses.max()


def test_batches_change_nothing():
    images = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    whole = tuning_curves.middle_responses(striped(), "conv3", images)
    assert torch.allclose(
        whole, tuning_curves.middle_responses(striped(), "conv3", images, batch=2), atol=1e-6
    )


def test_preferred_joins_both_ends_of_the_half_circle():
    curve = torch.zeros(3, 12)
    curve[0, [0, 11]] = 1.0  # 0° and 165°: the mean is 172.5°, not 82.5°
    curve[1] = 1.0
    degrees, selectivity = tuning_curves.preferred(curve)
    assert degrees[0] == pytest.approx(172.5, abs=0.01)
    assert selectivity.tolist() == pytest.approx([0.966, 0, 0], abs=1e-3)


def test_preferred_refuses_negative_responses():
    with pytest.raises(ValueError, match="behind the ReLU"):
        tuning_curves.preferred(torch.tensor([[1.0, -0.1]]), (0, 90))


def test_correlation_is_blind_to_scale_and_offset_and_undefined_without_variation():
    a = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0))
    b = torch.stack([3 * a[0] + 1, -a[1], torch.ones(4, 5)])
    found = tuning_curves.correlation(a, b)
    assert found[:2].tolist() == pytest.approx([1, -1], abs=1e-5)
    assert found[2].isnan()
    numpy = torch.corrcoef(torch.stack([a[0].flatten(), a[1].flatten()]))[0, 1]
    assert tuning_curves.correlation(a[:1], a[1:2])[0] == pytest.approx(float(numpy), abs=1e-5)


def test_tables_of_different_size_are_refused():
    with pytest.raises(ValueError, match="make them equal"):
        tuning_curves.correlation(torch.zeros(2, 3), torch.zeros(2, 4))


def test_only_feature_maps_have_a_middle():
    with pytest.raises(ValueError, match="not a feature map"):
        tuning_curves.middle_responses(striped(), "fc7", torch.rand(1, 3, 32, 32))


def test_an_unknown_layer_gets_the_nearest():
    with pytest.raises(UnknownName, match="conv2"):
        tuning_curves.middle_responses(striped(), "conv_2", torch.rand(1, 3, 32, 32))
