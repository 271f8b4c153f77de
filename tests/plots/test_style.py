"""The colours can be told apart, on the panel and by colour-blind readers."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from mi_course.plots import COLOURS, DIVERGING, ON_PAPER, SEQUENTIAL, curves, use_style
from mi_course.plots.style import INK, PANEL, QUIET, READABLE, contrast, ink_on, over_axes, wrapped
from tests.plots.drawn import renderer_of

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


def seen_by(blindness, colour):
    return lab(np.clip(np.array(COLOUR_BLINDNESS[blindness]) @ linear(colour), 0, 1))


@pytest.mark.parametrize("blindness", COLOUR_BLINDNESS)
def test_any_two_colours_look_different_to_colour_blind_readers(blindness):
    seen = [seen_by(blindness, colour) for colour in COLOURS.values()]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 12


def test_every_colour_stands_out_from_the_panel_and_the_first_five_do_as_thin_lines():
    contrasts = [contrast(colour, PANEL) for colour in COLOURS.values()]
    assert min(contrasts) > 2
    assert min(contrasts[:5]) > 3
    assert contrast(INK, PANEL) > 12
    assert contrast(QUIET, PANEL) > READABLE


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [("white", "black", 21), ("#767676", "white", 4.54), ("white", "#777777", 4.48), (INK, INK, 1)],
)
def test_contrast_is_the_ratio_of_the_web_guidelines(first, second, ratio):
    assert contrast(first, second) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize("name", [SEQUENTIAL, DIVERGING, ON_PAPER])
def test_a_number_can_be_read_on_every_colour_of_a_map(name):
    for colour in matplotlib.colormaps[name](np.arange(256)):
        assert contrast(ink_on(colour), colour[:3]) >= READABLE


@pytest.mark.parametrize("blindness", COLOUR_BLINDNESS)
@pytest.mark.parametrize(("name", "lighter"), [(SEQUENTIAL, 1), (ON_PAPER, -1)])
def test_one_signed_maps_keep_their_order_for_colour_blind_readers(blindness, name, lighter):
    colours = matplotlib.colormaps[name](np.linspace(0, 1, 21))
    lightness = [seen_by(blindness, colour[:3])[0] for colour in colours]
    assert (lighter * np.diff(lightness)).min() > 0.5


@pytest.mark.parametrize("blindness", COLOUR_BLINDNESS)
def test_signed_maps_keep_order_and_sign_for_colour_blind_readers(blindness):
    below, above = (
        [
            seen_by(blindness, matplotlib.colormaps[DIVERGING](0.5 + sign * at)[:3])
            for at in np.linspace(0, 0.48, 13)
        ]
        for sign in (-1, 1)
    )
    for side in (below, above):
        assert np.diff([colour[0] for colour in side]).max() < 0, "the farther from zero, the darker"
    apart = [np.linalg.norm(minus - plus) for minus, plus in zip(below, above)]
    assert min(apart[4:]) > 30, "from a third of the way on, nobody takes plus for minus"


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


def test_a_long_title_over_the_axes_ends_inside_the_figure():
    title = "Everybody new, noised: two heads of layer 0 are vital, and the estimate does not say so, whatever it says"
    picture = curves([0, 1], {"a": [1000.0, 2000.0]}, title=title, xlabel="x", ylabel="a long name", alt="a")
    renderer_of(picture)
    [heading] = picture.figure.findobj(
        lambda part: isinstance(part, Text) and part.get_text().startswith("Everybody")
    )
    assert heading.get_text().replace("\n", " ") == title
    assert heading.get_window_extent().x1 < picture.figure.bbox.x1


def test_the_authors_line_breaks_stay_in_a_title_over_the_axes():
    assert over_axes("one\ntwo three") == "one\ntwo three"
    assert over_axes("Wide " * 40).count("\n") >= 3


def test_long_titles_are_wrapped_and_the_authors_line_breaks_stay():
    assert wrapped("one\ntwo") == "one\ntwo"
    assert max(map(len, wrapped("word " * 40).splitlines())) <= 76
