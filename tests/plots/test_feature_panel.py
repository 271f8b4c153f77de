"""A feature panel draws every example, and says what it cannot draw."""

import matplotlib.text
import pytest
import torch

from mi_course.plots import dots, feature_panel

ROW = (["we", "saw", "the"], [0.0, 1.0, 4.0], 2)


def panel(**changed):
    given = {
        "edges": [0, 2, 4],
        "counts": [3, 1],
        "effects": [("boat", 1.5), ("soup", -0.5)],
        "title": "Feature 7",
        "alt": "A feature.",
    }
    return feature_panel({"most active": [ROW], "weaker": [ROW]}, **{**given, **changed})


def written(picture):
    return {text.get_text() for text in picture.figure.findobj(matplotlib.text.Text)}


def test_words_headings_and_effects_are_written():
    texts = written(panel())
    for word in ("Feature 7", "most active", "weaker", "saw", "boat", "soup"):
        assert word in texts


def test_the_darkest_word_is_the_most_active_one():
    axes = panel().figure.axes[0]
    light = [sum(patch.get_facecolor()[:3]) for patch in axes.patches]
    assert light[2] < light[1] < light[0]


def test_a_feature_without_examples_is_drawn():
    assert panel(edges=[0, 1], counts=[0]).png()


@pytest.mark.parametrize("number", [1, 3])
def test_dots_lie_where_the_numbers_say(number):
    marks = {f"way {i}": torch.tensor([0.2, 0.5, 0.9]) for i in range(number)}
    picture = dots({"A": ["a", "b"], "B": ["c"]}, marks, title="t", xlabel="F1", alt="x")
    lines = [line for line in picture.figure.axes[0].lines if line.get_linestyle() == "None"]
    assert len(lines) == number
    assert lines[0].get_xdata() == pytest.approx([0.2, 0.5, 0.9])
    assert list(lines[0].get_ydata()) == sorted(lines[0].get_ydata())
    texts = written(picture)
    assert all(word in texts for word in ("A", "B", "a", "b", "c", "F1"))


def test_dots_say_what_does_not_fit():
    with pytest.raises(ValueError, match="3 labels"):
        dots({"A": ["a", "b", "c"]}, {"x": [0.1]}, title="t", xlabel="F1", alt="x")
    with pytest.raises(ValueError, match="0 labels"):
        dots({}, {"x": []}, title="t", xlabel="F1", alt="x")
