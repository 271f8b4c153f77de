"""Measures of filters, on filters whose answer is known and on noise."""

import math
from itertools import pairwise

import pytest
import torch

from mi_course.methods import filters

ROWS, COLUMNS = torch.meshgrid(torch.arange(9.0) - 4, torch.arange(9.0) - 4, indexing="ij")
GREY = torch.ones(3)
OPPONENT = torch.tensor([1.0, -1.0, 0.0])
WINDOW = torch.exp(-(ROWS.square() + COLUMNS.square()) / 8)


def stripes(degrees, *, frequency=0.2, phase=0.0, colour=GREY, window=WINDOW):
    """A filter "1 3 9 9" of stripes that run at this angle, counter-clockwise from horizontal."""
    run = math.radians(degrees)
    across = ROWS * math.cos(run) + COLUMNS * math.sin(run)  # rows are counted downwards
    wave = torch.cos(2 * math.pi * frequency * across + phase) * window
    return (colour[:, None, None] * (wave - wave.mean()))[None]


def blob(colour):
    return (colour[:, None, None] * WINDOW)[None]


def white(n, *, seed=0, side=9):
    return torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(seed))


def between(a, b):
    """The angle between two orientations: at most 90 degrees."""
    return abs((a - b + 90) % 180 - 90)


@pytest.mark.parametrize("degrees", [0, 10, 30, 45, 60, 90, 100, 135, 150, 179])
@pytest.mark.parametrize("phase", [0.0, 1.0, math.pi / 2])
def test_stripes_run_where_they_were_drawn(degrees, phase):
    found, concentration = filters.orientation(stripes(degrees, phase=phase))
    assert between(found.item(), degrees) < 2
    assert 0 <= found.item() < 180
    assert concentration.item() > 0.8


def test_directions_are_those_that_one_sees():
    """Drawn by hand: a bright row is horizontal, a bright column vertical, a rising diagonal is 45 degrees."""
    row, column = torch.zeros(1, 3, 9, 9), torch.zeros(1, 3, 9, 9)
    row[:, :, 4] = 1
    column[:, :, :, 4] = 1
    rising = torch.eye(9).flip(1).expand(1, 3, 9, 9)
    degrees, _ = filters.orientation(torch.cat([row, column, rising]))
    assert between(degrees[0].item(), 0) < 0.1
    assert degrees[1].item() == pytest.approx(90, abs=0.1)
    assert degrees[2].item() == pytest.approx(45, abs=0.1)


def test_turning_a_filter_by_90_degrees_turns_its_orientation_by_90():
    weight = white(50)
    before, concentration = filters.orientation(weight)
    after, same = filters.orientation(weight.rot90(1, dims=(2, 3)))
    clear = concentration > 0.02
    # Frequencies ±0.5 share one entry of the spectrum, so that a turned spectrum is not quite the same.
    assert all(between(a.item() - 90, b.item()) < 8 for a, b in zip(after[clear], before[clear]))
    assert torch.allclose(concentration, same, atol=0.02)


def test_the_sign_and_strength_of_a_filter_do_not_matter():
    weight = white(20)
    one, other = filters.measure(weight), filters.measure(-7 * weight)
    for name in ("norm", "noise", "orientation", "concentration", "chromatic"):
        assert torch.allclose(getattr(one, name), getattr(other, name), atol=1e-3), name


def test_a_round_spot_and_a_flat_filter_prefer_no_direction():
    _, concentration = filters.orientation(
        torch.cat([blob(GREY), torch.ones(1, 3, 9, 9), torch.zeros(1, 3, 9, 9)])
    )
    assert concentration[0] < 1e-3
    assert concentration[1] < 0.05
    assert concentration[2] == 0


def test_a_filter_that_is_the_same_in_all_colours_is_grey():
    share = filters.chromatic_share(torch.cat([stripes(d) for d in range(0, 180, 5)]))
    assert share.min() >= 0
    assert share.max() < 1e-5


@pytest.mark.parametrize("colour", [(1, -1, 0), (1, 1, -2), (0, 1, -1)])
def test_a_filter_of_opposing_colours_that_cancel_is_pure_colour(colour):
    weight = blob(torch.tensor(colour, dtype=torch.float32))
    assert filters.chromatic_share(weight).item() == pytest.approx(1)


def test_a_filter_on_one_primary_is_two_thirds_colour():
    assert filters.chromatic_share(blob(torch.tensor([1.0, 0, 0]))).item() == pytest.approx(2 / 3)


def test_what_a_grey_picture_excites_is_the_rest_of_the_chromatic_share():
    weight = white(5)
    grey = weight.mean(dim=1, keepdim=True).expand_as(weight)
    share = grey.square().sum((1, 2, 3)) / weight.square().sum((1, 2, 3))
    assert torch.allclose(filters.chromatic_share(weight), 1 - share, atol=1e-6)


def test_a_filter_of_zeros_has_no_colour_and_no_noise():
    found = filters.measure(torch.cat([torch.zeros(1, 3, 9, 9), white(3)]))
    assert found.norm[0] == found.noise[0] == found.concentration[0] == found.chromatic[0] == 0


def test_white_noise_scores_what_the_docstrings_say():
    weight = white(2000)
    assert filters.chromatic_share(weight).mean().item() == pytest.approx(2 / 3, abs=0.01)
    assert filters.noise_share(weight).mean().item() == pytest.approx(1 - math.pi * 0.35**2, abs=0.01)


@pytest.mark.parametrize(("frequency", "share"), [(0.2, 0.0), (0.48, 1.0)])
def test_noise_is_what_changes_faster_than_edges_do(frequency, share):
    field = stripes(90, frequency=frequency, window=torch.ones(9, 9))
    assert filters.noise_share(field).item() == pytest.approx(share, abs=0.12)


def test_the_spectrum_keeps_all_energy():
    for side in (3, 9, 11, 32):
        weight = white(4, side=side)
        assert torch.allclose(filters.spectrum(weight).sum((1, 2)), weight.square().sum((1, 2, 3)), rtol=1e-4)


def test_the_spectrum_of_a_wave_peaks_at_its_frequency():
    wave = torch.cos(2 * math.pi * 0.25 * torch.arange(9.0)).expand(1, 3, 9, 9)
    energy = filters.spectrum(wave)[0]
    f_y, f_x = filters.frequencies()
    assert f_y.shape == (32, 1)
    assert f_x.shape == (1, 32)
    at = energy.argmax().item()
    assert f_y[at // 32, 0] == 0
    assert abs(f_x[0, at % 32].item()) == pytest.approx(0.25, abs=1 / 32)


def test_the_spectrum_of_a_real_filter_is_symmetric():
    energy = filters.spectrum(white(2))[:, 1:, 1:]
    assert torch.allclose(energy, energy.flip(1, 2), rtol=1e-3, atol=1e-4)


def test_a_filter_as_a_picture_has_zero_at_middle_grey_and_uses_its_range():
    weight = white(10)
    weight[0, 0, 0, 0] = 0
    shown = filters.normalize_for_display(weight)
    assert shown[0, 0, 0, 0] == 0.5
    assert shown.min() >= 0
    assert shown.max() <= 1
    assert torch.allclose((shown - 0.5).abs().amax((1, 2, 3)), torch.full((10,), 0.5))
    ratio = (shown - 0.5) / weight
    assert torch.allclose(
        ratio.flatten(1).nanmean(1)[:, None, None, None].expand_as(ratio)[1:], ratio[1:], rtol=1e-3
    )


def test_a_filter_of_zeros_is_shown_as_middle_grey():
    assert (filters.normalize_for_display(torch.zeros(1, 3, 9, 9)) == 0.5).all()


def test_measures_leave_the_weights_alone():
    weight = white(5)
    before = weight.clone()
    filters.measure(weight)
    filters.kinds(weight)
    filters.normalize_for_display(weight)
    assert torch.equal(weight, before)


def radial(weight, edges=(0, 0.1, 0.2, 0.3, 0.4, 0.5)):
    """Mean energy of all filters by frequency, in rings, as shares of the total."""
    f_y, f_x = filters.frequencies()
    radius = (f_y.square() + f_x.square()).sqrt()
    energy = filters.spectrum(weight)
    mean = (energy / energy.sum((1, 2), keepdim=True)).mean(0)
    return torch.stack([mean[(radius >= a) & (radius < b)].sum() for a, b in pairwise(edges)])


def test_smooth_noise_is_as_smooth_as_the_layer_without_its_direction_and_colour():
    layer = torch.cat([stripes(20, frequency=0.15, phase=p / 7) for p in range(20)])
    noise = filters.smooth_noise(layer, 1000)
    assert noise.shape == (1000, 3, 9, 9)
    assert (radial(noise) - radial(layer)).abs().max() < 0.2  # the window blurs
    assert (radial(white(500)) - radial(layer)).abs().max() > 0.3
    f_y, f_x = filters.frequencies()
    mean = filters.spectrum(noise).mean(0)
    arrow = (mean * torch.exp(2j * torch.atan2(-f_y, f_x)) * ((f_y != 0) | (f_x != 0))).sum() / mean.sum()
    assert arrow.abs() < 0.03
    # On average, not filter by filter: a smooth filter has few independent numbers, and varies the more.
    total = noise.square().sum()
    assert (3 * noise.mean(1).square().sum() / total).item() == pytest.approx(1 / 3, abs=0.03)


def test_smooth_noise_depends_on_its_seed_alone():
    layer = white(8)
    assert torch.equal(filters.smooth_noise(layer, 5, seed=1), filters.smooth_noise(layer, 5, seed=1))
    assert not torch.equal(filters.smooth_noise(layer, 5, seed=1), filters.smooth_noise(layer, 5, seed=2))


def test_noise_limits_are_passed_by_one_noise_filter_in_a_hundred():
    layer = white(64)
    limits = filters.noise_limits(layer)
    fresh = filters.measure(filters.smooth_noise(layer, 2000, seed=99))
    assert (fresh.concentration > limits.concentration).float().mean().item() == pytest.approx(
        0.01, abs=0.008
    )
    assert (fresh.chromatic > limits.chromatic).float().mean().item() == pytest.approx(0.01, abs=0.008)


@pytest.mark.parametrize("scale", [1, 1e-3, 100], ids=["plain", "small", "large"])
def test_kinds_of_filters_that_were_made_to_be_of_a_kind(scale):
    made = {
        "oriented": torch.cat([stripes(d, phase=d) for d in (0, 40, 90)] + [stripes(70, colour=OPPONENT)]),
        "colour": torch.cat([blob(OPPONENT), blob(torch.tensor([-0.5, -0.5, 1.0]))]),
        "noisy": white(3, seed=5) * 0.3,
        "dead": torch.cat([torch.zeros(1, 3, 9, 9), white(1) * 1e-3]),
        "other": blob(GREY),
    }
    expected = [kind for kind, weight in made.items() for _ in weight]
    assert filters.kinds(torch.cat(list(made.values())) * scale) == expected


def test_of_a_layer_of_white_noise_few_filters_get_a_kind_by_chance():
    found = filters.kinds(white(1000, seed=7))
    assert found.count("oriented") / 1000 == pytest.approx(0.01, abs=0.01)
    assert found.count("colour") / 1000 == pytest.approx(0.01, abs=0.01)
    assert found.count("dead") == 0
    assert found.count("noisy") > 940


def test_a_layer_that_is_dead_all_through_is_called_so():
    assert filters.kinds(torch.zeros(4, 3, 9, 9)) == ["dead"] * 4
    assert filters.kinds(torch.cat([torch.zeros(5, 3, 9, 9), stripes(0)])) == ["dead"] * 5 + ["oriented"]


def test_double_precision_gives_the_same_answers():
    weight = torch.cat([stripes(30), blob(OPPONENT), white(6)])
    assert filters.kinds(weight.double()) == filters.kinds(weight)


def test_every_kind_has_a_name_in_the_list():
    assert set(filters.kinds(white(20))) <= set(filters.KINDS)
