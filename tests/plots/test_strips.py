"""Every value is one dot, in the strip of its group, and no two of a group lie on top of one another."""

import pytest

from mi_course.plots.strips import strips


def drawn(groups, **options):
    words = {"title": "t", "xlabel": "x", "ylabel": "y", "alt": "a"}
    return strips(groups, **words, **options).figure.axes[0]


def test_every_value_is_a_dot_in_its_groups_strip():
    axes = drawn({"few": [0.5], "none": [], "many": [0.1, 0.1, 0.9]})
    dots = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert [list(line.get_ydata()) for line in dots] == [[0.5], [], [0.1, 0.1, 0.9]]
    assert [list(line.get_xdata().round()) for line in dots] == [[0], [], [2, 2, 2]]
    assert len(set(dots[2].get_xdata())) == 3
    assert [label.get_text() for label in axes.get_xticklabels()] == ["few", "none", "many"]


def test_levels_are_lines_with_their_names():
    axes = drawn({"a": [0.4]}, levels={"pair": 0.5, "pentagon": 0.4})
    lines = [line.get_ydata()[0] for line in axes.get_lines() if line.get_marker() != "o"]
    assert lines == [0.5, 0.4]
    assert [text.get_text() for text in axes.texts] == ["pair", "pentagon"]


def test_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        drawn({})
