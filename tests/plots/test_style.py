"""The colours can be told apart, on the panel and by colour-blind readers."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from mi_course.plots import COLOURS, DIVERGING, SEQUENTIAL, use_style
from mi_course.plots.style import INK, PANEL, wrapped

# Machado, Oliveira and Fernandes (2009), severity 1: linear RGB to linear RGB.
COLOUR_BLINDNESS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(light):
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ light
    x, y, z = np.cbrt(xyz / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(first, second):
    dark, bright = sorted(linear(colour) @ [0.2126, 0.7152, 0.0722] for colour in (first, second))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("blindness", COLOUR_BLINDNESS)
def test_any_two_colours_look_different_to_colour_blind_readers(blindness):
    seen = [
        lab(np.clip(np.array(COLOUR_BLINDNESS[blindness]) @ linear(colour), 0, 1))
        for colour in COLOURS.values()
    ]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 12


def test_every_colour_stands_out_from_the_panel_and_the_first_five_do_as_thin_lines():
    contrasts = [contrast(colour, PANEL) for colour in COLOURS.values()]
    assert min(contrasts) > 2
    assert min(contrasts[:5]) > 3
    assert contrast(INK, PANEL) > 12


def test_the_diverging_colours_are_pale_at_zero_and_equally_strong_at_both_ends():
    colours = matplotlib.colormaps[DIVERGING]
    low, middle, high = (lab(linear(colours(at)[:3]))[0] for at in (0.02, 0.5, 0.98))
    assert middle > 95
    assert abs(low - high) < 10


def test_the_sequential_colours_grow_evenly_in_lightness():
    steps = np.diff(
        [lab(linear(matplotlib.colormaps[SEQUENTIAL](at)[:3]))[0] for at in np.linspace(0, 1, 11)]
    )
    assert steps.min() > 0
    assert steps.max() < 2 * steps.min()


def test_the_style_also_holds_for_figures_of_ones_own():
    with matplotlib.rc_context():
        use_style()
        assert matplotlib.rcParams["figure.facecolor"] == PANEL
        assert matplotlib.rcParams["font.family"] == ["DejaVu Sans"]
        assert matplotlib.rcParams["axes.prop_cycle"].by_key()["color"] == list(COLOURS.values())


def test_the_font_ships_with_matplotlib():
    from matplotlib.font_manager import findfont

    assert findfont("DejaVu Sans").startswith(matplotlib.get_data_path())


def test_long_titles_are_wrapped_and_the_authors_line_breaks_stay():
    assert wrapped("one\ntwo") == "one\ntwo"
    assert max(map(len, wrapped("word " * 40).splitlines())) <= 76
