"""Synthetic pictures are what their parameters say."""

import math

import pytest
import torch

from mi_course.data import gratings
from mi_course.errors import UnknownName
from mi_course.methods import filters


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 120, 165])
def test_stripes_run_where_filters_say_they_run(degrees):
    picture = gratings.grating(degrees, 0.2, side=9) - 0.5
    found, concentration = filters.orientation(picture[None])
    assert (float(found[0]) - degrees + 90) % 180 - 90 == pytest.approx(0, abs=2.5)
    assert concentration > 0.7


def test_level_stripes_do_not_change_along_a_row():
    picture = gratings.grating(0, 1 / 8)
    assert torch.allclose(picture, picture[:, :, :1].expand_as(picture), atol=1e-5)
    assert not torch.allclose(picture, picture[:, :1].expand_as(picture), atol=0.1)


def test_a_cycle_takes_one_over_the_frequency_in_pixels():
    picture = gratings.grating(90, 1 / 8)
    assert torch.allclose(picture[:, :, :-8], picture[:, :, 8:], atol=1e-5)
    assert torch.allclose(picture[:, :, :-4] - 0.5, 0.5 - picture[:, :, 4:], atol=1e-5)


def test_phase_zero_puts_light_into_the_middle():
    assert gratings.grating(70, 0.1, side=65)[0, 32, 32] == pytest.approx(1)
    assert gratings.grating(70, 0.1, phase=180, side=65)[0, 32, 32] == pytest.approx(0)


def test_contrast_and_mean():
    picture = gratings.grating(20, 1 / 8, contrast=0.5)
    assert picture.amin() >= 0.25 - 1e-6
    assert picture.amax() <= 0.75 + 1e-6
    assert gratings.grating(90, 1 / 8).mean() == pytest.approx(0.5, abs=1e-5)
    assert torch.equal(gratings.grating(20, 1 / 8, contrast=0), torch.full((3, 64, 64), 0.5))


def test_coloured_stripes_hardly_change_brightness():
    for colour in ("red-green", "blue-yellow"):
        picture = gratings.grating(45, 1 / 8, colour=colour)
        assert picture.mean(dim=0) == pytest.approx(torch.full((64, 64), 0.5), abs=1e-6)
        assert picture.std() > 0.1


def test_the_set_is_laid_out_by_frequency_orientation_and_phase():
    every = gratings.gratings((0, 45), (0.1, 0.2, 0.25), n_phases=4, side=16, colour="red-green")
    assert every.shape == (3, 2, 4, 3, 16, 16)
    one = gratings.grating(45, 0.2, phase=270, side=16, colour="red-green")
    assert torch.equal(every[1, 1, 3], one)


def test_a_corner_is_light_where_it_opens_to():
    picture = gratings.corner(315, side=64)[0]
    assert picture[40:, 40:].min() == 1
    assert picture[:20].max() == 0
    assert picture[:, :20].max() == 0


def test_a_corner_of_180_degrees_is_a_straight_edge_and_so_is_a_curve_without_bend():
    edge = gratings.corner(90, opening=180)
    assert torch.allclose(edge, gratings.curve(90, radius=math.inf), atol=1e-5)
    assert edge[:, :31].min() == 1
    assert edge[:, 33:].max() == 0


def test_wide_corners_are_the_complement_of_narrow_ones():
    wide = gratings.corner(135, opening=270)
    assert torch.allclose(wide, gratings.corner(315, opening=90, contrast=-1), atol=1e-5)


def test_a_curve_runs_through_the_middle_and_has_its_area():
    disc = gratings.curve(0, radius=12, side=65)[0]
    assert disc.sum() == pytest.approx(math.pi * 12**2, rel=0.01)
    assert disc[32, 34] == 1
    assert disc[32, 30] == 0


def test_a_shift_moves_right_and_up():
    moved = gratings.corner(315, shift=(3, 5))
    assert torch.allclose(moved[:, :-5, 3:], gratings.corner(315)[:, 5:, :-3], atol=1e-5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: gratings.grating(0, 0.6), "pixel grid"),
        (lambda: gratings.grating(0, 0.1, contrast=2), "contrast=2"),
        (lambda: gratings.grating(0, 0.1, side=0), "side=0"),
        (lambda: gratings.corner(0, opening=360), "opening=360"),
        (lambda: gratings.curve(0, radius=0), "radius=0"),
    ],
    ids=["frequency", "contrast", "side", "opening", "radius"],
)
def test_what_cannot_be_drawn_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_an_unknown_colour_gets_the_nearest():
    with pytest.raises(UnknownName, match="red-green"):
        gratings.grating(0, 0.1, colour="redgreen")
