import pytest

from mi_course.plots.piles import piles


def test_every_card_stands_under_its_pile():
    picture = piles(
        {"left": ["one", "a card with a long name that takes several lines"], "right": []},
        title="Two piles",
        alt="left: two",
        marked=["one"],
    )
    axes = picture.figure.axes[0]
    at = {text.get_text().replace("\n", " "): text.get_position() for text in axes.texts}
    assert at["one"][0] == at["left"][0] == at["a card with a long name that takes several lines"][0] == 0.5
    assert at["right"][0] == 1.5
    assert at["one"][1] < at["a card with a long name that takes several lines"][1], "rows run downwards"
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    frames = {text.get_text(): text.get_bbox_patch() for text in axes.texts if text.get_bbox_patch()}
    marked, plain = frames["one"], list(frames.values())[1]
    assert marked.get_edgecolor() != plain.get_edgecolor()
    assert marked.get_linewidth() > 2 * plain.get_linewidth(), "also without colours"
    assert picture.png()


def test_without_piles_there_is_nothing_to_draw():
    with pytest.raises(ValueError, match="cards is empty"):
        piles({}, title="t", alt="a")
