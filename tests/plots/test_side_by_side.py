"""Texts in columns: every word is drawn, inside its column, and the marked ones stand on colour."""

import pytest

from mi_course.plots.side_by_side import side_by_side
from tests.plots.drawn import renderer_of

PLAIN = "we saw the boat and the waves . they rowed the boat near the island ."
TEXTS = {"as it is": PLAIN.split(), "turned up": ["we", "saw", "the", "cable", "and", "the", "cables", "."]}


def draw(texts=TEXTS, **options):
    options = {"marked": {"cable", "cables"}, "title": "What does it write?", "alt": "Two texts.", **options}
    return side_by_side(texts, **options)


def words(picture):
    return [text.get_text() for text in picture.figure.axes[0].texts]


@pytest.mark.parametrize("n_columns", [1, 2, 3])
def test_every_word_is_drawn_inside_its_column(n_columns):
    texts = {f"text {number}": TEXTS["as it is"] for number in range(n_columns)}
    picture = draw(texts)
    renderer, [axes] = renderer_of(picture), picture.figure.axes
    assert sorted(words(picture)).count("boat") == 2 * n_columns
    width = axes.get_window_extent(renderer).width
    for text in axes.texts:
        extent = text.get_window_extent(renderer)
        if text.get_text() in TEXTS["as it is"]:
            left, right = extent.x0 / width, extent.x1 / width
            assert any(
                number / n_columns <= left and right <= (number + 1) / n_columns
                for number in range(n_columns)
            )
        assert extent.y0 >= 0
        assert extent.y1 <= axes.get_window_extent(renderer).height


def test_marked_words_stand_on_colour_and_are_underlined():
    picture = draw()
    [axes] = picture.figure.axes
    assert len(axes.patches) == 2
    assert len(axes.lines) == 2 + len(TEXTS), "one line below each marked word, and one below each label"


def test_the_given_words_are_grey_and_notes_stand_below():
    picture = draw(prompt=3, notes={"turned up": "2 of 3 words"})
    colours = {text.get_text(): text.get_color() for text in picture.figure.axes[0].texts}
    assert colours["saw"] != colours["cable"]
    assert "2 of 3 words" in words(picture)


def test_words_cannot_become_formulas():
    picture = draw({"odd": ["$x_1$", "<b>", "\n"]})
    renderer_of(picture)
    assert r"\$x_1\$" in words(picture)
    assert "↵" in words(picture)


@pytest.mark.parametrize(
    ("texts", "options", "said"),
    [
        ({}, {}, "0 texts"),
        ({str(n): ["a"] for n in range(4)}, {}, "4 texts"),
        ({"a": ["b"]}, {"notes": {"c": "d"}}, r"notes for \['c'\]"),
    ],
    ids=["none", "too many", "foreign note"],
)
def test_what_cannot_be_drawn_is_refused(texts, options, said):
    with pytest.raises(ValueError, match=said):
        draw(texts, **options)
