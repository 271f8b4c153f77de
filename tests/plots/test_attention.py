"""One head as a map, and all heads at a glance."""

import matplotlib
import numpy as np
import pytest
import torch

from mi_course.errors import UnknownName
from mi_course.plots import attention_heads, attention_pattern
from mi_course.plots.attention import FUTURE, contact_sheet
from mi_course.plots.style import COLOURS, ON_PAPER
from tests.plots.attention_patterns import causal
from tests.plots.odd_tokens import ODD

WORDS = ("when", "Mary", "and", "John")


def one(pattern, tokens=WORDS):
    return attention_pattern(pattern, tokens, title="Where it looks", alt="A head.")


def all_of(patterns, **options):
    return attention_heads(patterns, **{"title": "All heads", "alt": "Heads."} | options)


def image(picture):
    return picture.figure.axes[0].images[0]


def test_a_map_shows_the_weights_from_zero_to_one_by_query_and_key():
    pattern = causal(4, 4)
    picture = one(pattern)
    assert np.allclose(np.tril(image(picture).get_array().filled(0)), pattern.numpy())
    assert image(picture).get_clim() == (0, 1)
    axes = picture.figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(WORDS)
    assert [label.get_text() for label in axes.get_xticklabels()] == list(WORDS)
    assert "query" in axes.get_ylabel()
    assert "key" in axes.get_xlabel()


def test_few_tokens_carry_their_numbers_and_many_do_not():
    pattern = torch.tensor([[1.0, 0.0], [0.25, 0.75]])
    numbers = [text.get_text() for text in one(pattern, ["a", "b"]).figure.axes[0].texts]
    assert numbers == ["1.00", "0.25", "0.75"]
    assert not one(causal(13, 13), list("abcdefghijklm")).figure.axes[0].texts


def test_the_future_is_grey_only_where_no_weight_falls_on_it():
    assert np.array_equal(image(one(causal(4, 4))).get_array().mask, np.triu(np.ones((4, 4), bool), 1))
    assert not np.ma.is_masked(image(one(torch.full((4, 4), 0.25))).get_array())


@pytest.mark.filterwarnings("error")
def test_odd_tokens_can_be_labels():
    assert one(causal(len(ODD), len(ODD)), ODD).png()


def test_every_head_has_a_small_map_in_its_place():
    patterns = causal(2, 3, 5, 5)
    axes = all_of(patterns).figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["H0", "H1", "H2"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["L0", "L1"]
    assert len(axes.images) == 6
    for number, shown in enumerate(axes.images):
        layer, head = divmod(number, 3)
        left, right, bottom, top = shown.get_extent()
        assert head < left < right < head + 1
        assert layer < top < bottom < layer + 1
        wanted = matplotlib.colormaps[ON_PAPER](patterns[layer, head].numpy())[..., :3] * 255
        below = np.tril(np.ones((5, 5), bool))
        assert np.abs(shown.get_array()[below] - wanted[below]).max() < 3


def test_a_head_is_framed_by_its_name():
    frames = [
        patch.get_xy()
        for patch in all_of(causal(2, 3, 5, 5), marked=["L1H2"]).figure.axes[0].patches
        if matplotlib.colors.same_color(patch.get_edgecolor(), COLOURS["vermilion"])
    ]
    assert [(int(x), int(y)) for x, y in frames] == [(2, 1)]
    with pytest.raises(UnknownName, match="L1H2"):
        all_of(causal(2, 3, 5, 5), marked=["L1H3"])


def test_rows_can_be_checkpoints_instead_of_layers():
    axes = all_of(causal(2, 3, 5, 5), layers=["step 0", "step 100"]).figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["step 0", "step 100"]


def test_a_sheet_holds_every_weight_as_a_whole_percent_and_the_future_as_grey():
    patterns = causal(2, 3, 4, 4)
    sheet, colours = contact_sheet(patterns.numpy())
    tile = sheet[4:8, 8:12]
    below = np.tril(np.ones((4, 4), bool))
    assert np.array_equal(tile[below], np.rint(100 * patterns[1, 2].numpy())[below])
    assert (tile[~below] == 101).all()
    assert len(colours) == 102
    assert np.allclose(colours[101] / 255, matplotlib.colors.to_rgb(FUTURE), atol=0.01)


def test_a_model_of_gpt2s_size_on_64_tokens_fits_a_notebook():
    picture = all_of(causal(12, 12, 64, 64), marked=["L11H11"])
    assert len(picture.html()) < 250_000
    assert len(one(causal(64, 64), ["word"] * 64).html()) < 200_000


@pytest.mark.parametrize(
    ("pattern", "tokens", "said"),
    [
        (torch.zeros(4, 3), WORDS, "as many queries as keys"),
        (causal(1, 4, 4), WORDS, r"cache\[…\]\[0\]"),
        (causal(3, 3), WORDS, "4 tokens, but the pattern has 3 positions"),
        (torch.randn(4, 4), WORDS, "belong in a heatmap"),
        (torch.full((4, 4), float("nan")), WORDS, "between 0 and 1"),
        (torch.zeros(0, 0), (), "as many queries as keys"),
    ],
)
def test_what_is_no_pattern_is_refused(pattern, tokens, said):
    with pytest.raises(ValueError, match=said):
        one(pattern, tokens)


def test_heads_without_a_layer_axis_are_refused():
    with pytest.raises(ValueError, match="layer, head, query_pos, key_pos"):
        all_of(causal(3, 4, 4))
    with pytest.raises(ValueError, match="2 names of layers, but patterns has 3"):
        all_of(causal(3, 2, 4, 4), layers=["a", "b"])
