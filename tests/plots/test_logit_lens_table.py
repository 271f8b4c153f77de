"""The word that each layer would say, at each token."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from mi_course.plots import logit_lens_table
from tests.plots.drawn import renderer_of
from tests.plots.odd_tokens import ODD

LAYERS = ("embed", "L0", "L1")
TOKENS = ("a", "drink", "to")
WORDS = [["a", "cup", "the"], ["drink", "to", "the"], ["drink", "to", "Mary"]]
VALUES = [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]]


def draw(words=WORDS, values=VALUES, **options):
    settings = {"rows": LAYERS, "tokens": TOKENS, "title": "What would it say?", "alt": "A table."} | options
    return logit_lens_table(words, values, **settings)


def cells(picture):
    return {tuple(map(int, text.get_position()[::-1])): text for text in picture.figure.axes[0].texts}


def test_each_cell_holds_its_word_on_the_colour_of_its_value():
    picture = draw()
    assert {place: text.get_text() for place, text in cells(picture).items()} == {
        (row, column): WORDS[row][column] for row in range(3) for column in range(3)
    }
    axes, bar = picture.figure.axes
    assert np.allclose(axes.images[0].get_array(), VALUES)
    assert axes.images[0].get_clim() == (0, 1)
    assert bar.get_ylabel() == "probability of the word"
    assert [label.get_text() for label in axes.get_yticklabels()] == list(LAYERS)
    assert [label.get_text() for label in axes.get_xticklabels()] == list(TOKENS)


def test_cells_that_say_the_answer_are_framed_and_it_is_said_what_that_means():
    picture = draw(answers=["drink", "to", "Mary"], framed="what comes next")
    axes = picture.figure.axes[0]
    frames = {(round(p.get_y()), round(p.get_x())) for p in axes.patches if isinstance(p, Rectangle)}
    assert frames == {(1, 0), (1, 1), (2, 0), (2, 1), (2, 2)}
    assert axes.get_xlabel().endswith("framed: what comes next")
    assert not draw().figure.axes[0].patches


def test_sixteen_tokens_and_thirteen_layers_can_be_read():
    rng = np.random.default_rng(0)
    tokens = ["<|endoftext|>", "restaurant", *["Mary"] * 14]
    words = [list(rng.permutation(tokens)) for _ in range(13)]
    picture = draw(
        words, rng.random((13, 16)), rows=["embed", *(f"after L{n}" for n in range(12))], tokens=tokens
    )
    renderer = renderer_of(picture)
    axes = picture.figure.axes[0]
    room = axes.get_window_extent(renderer).width / 16
    texts = list(cells(picture).values())
    assert max(text.get_window_extent(renderer).width for text in texts) <= room
    assert min(text.get_fontsize() for text in texts) >= 6
    assert {text.get_text() for text in texts} >= {"Mary"}, "short words are not cut off"


@pytest.mark.filterwarnings("error")
def test_odd_tokens_can_stand_in_cells_and_at_columns():
    assert draw([list(ODD)], np.ones((1, len(ODD))), rows=["L0"], tokens=ODD).png()


def test_what_was_not_measured_is_grey():
    assert np.ma.is_masked(draw(values=[[np.nan, 0, 0]] * 3).figure.axes[0].images[0].get_array())


@pytest.mark.parametrize(
    ("words", "values", "options", "said"),
    [
        (WORDS[:2], VALUES, {}, "3 rows and 3 tokens"),
        (WORDS, VALUES[:2], {}, r"values has shape \(2, 3\)"),
        (WORDS, VALUES, {"tokens": ("a", "b")}, "3 rows and 2 tokens"),
        (WORDS, VALUES, {"answers": ["to"]}, "1 answers for 3 tokens"),
    ],
)
def test_what_does_not_fit_is_refused(words, values, options, said):
    with pytest.raises(ValueError, match=said):
        draw(words, values, **options)
