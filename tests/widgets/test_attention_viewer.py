"""Hover a token, choose a head: who looks at whom."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from mi_course.errors import UnknownName
from mi_course.widgets.attention_viewer import AttentionViewer
from tests.plots.attention_patterns import causal
from tests.plots.odd_tokens import ODD
from tests.widgets.page import Page
from tests.widgets.small_language_model import ODD_PROMPT, PROMPT, WORDS, small_language_model

MAY_STAND_IN_A_PAGE = {"style", "div", "span", "b", "i", "br", "img", "label", "input", "fieldset", "legend"}


@pytest.fixture(scope="module")
def model():
    return small_language_model()


@pytest.fixture
def viewer(model):
    viewer = AttentionViewer(model, PROMPT, head="L1H2")
    _ = viewer.view
    return viewer


def control(viewer, name):
    return viewer._controls[name]


def page(viewer):
    """Everything that the viewer shows beside its controls."""
    return Page(viewer._text.value + viewer._picture.value + viewer._heads_style.value)


def rules(viewer):
    """For each token that is hovered: the numbers that it sets, by name."""
    found = {}
    for pos, body in re.findall(r":has\(\.mi-t(\d+):hover\),[^{]*\{([^}]*)\}", viewer._picture.value):
        found[int(pos)] = dict(re.findall(r"--(\w+):(\w+)", body))
    return found


def weights(model, text, layer, head):
    _, cache = model.run_with_cache(model.to_tokens(text))
    return cache["pattern", layer][0, head].detach().numpy()


def test_hovering_a_token_sets_where_it_looks_and_who_looks_at_it_in_percent(model, viewer):
    percent = np.rint(100 * weights(model, PROMPT, 1, 2)).astype(int)
    n = len(percent)
    found = rules(viewer)
    assert sorted(found) == list(range(n))
    for pos, numbers in found.items():
        assert [int(numbers.get(f"a{key}", 0)) for key in range(n)] == percent[pos].tolist()
        others = [query for query in range(n) if query != pos]
        assert [int(numbers.get(f"b{query}", 0)) for query in others] == percent[others, pos].tolist()
        assert numbers["q"] == str(pos)
        assert numbers[f"d{pos}"] == "block"


def test_each_token_is_a_labelled_button_that_takes_its_colours_from_these_numbers(viewer):
    shown = Page(viewer._text.value)
    tokens = shown.all("label", class_="mi-t")
    assert len(tokens) == 1 + len(PROMPT.split())
    assert "--to:var(--a3,0);--by:var(--b3,0)" in tokens[3]["style"]
    buttons = shown.all("input", type="radio")
    assert len({button["name"] for button in buttons}) == 1
    assert ["checked" in button for button in buttons] == [False] * (len(tokens) - 1) + [True]
    described = {button["aria-describedby"] for button in buttons}
    assert described == {part["id"] for part in Page(viewer._picture.value).all("div") if "id" in part}
    assert all("data-lm-suppress-shortcuts" in button for button in buttons)


def test_a_sentence_names_the_strongest_in_words(model, viewer):
    last = weights(model, PROMPT, 1, 2)[-1]
    best = int(last.argmax())
    word = ["<|endoftext|>", *PROMPT.split()][best]
    assert f"{word} ({best}) {100 * last[best]:.0f}\xa0%" in page(viewer).text


def test_another_head_changes_the_numbers_and_leaves_the_text_in_place(model, viewer):
    text, before = viewer._text.value, viewer._picture.value
    control(viewer, "head").value = "L2H0"
    assert viewer._text.value == text
    assert viewer._picture.value != before
    assert int(rules(viewer)[3]["a0"]) == round(100 * weights(model, PROMPT, 2, 0)[3, 0])
    assert "Head L2H0" in page(viewer).text


def heads_of(viewer):
    return next(
        child
        for child in viewer.view.children[-1].children
        if "mi-heads" in getattr(child, "_dom_classes", ())
    )


def test_heads_can_be_chosen_on_their_small_maps_as_in_the_list(viewer):
    heads = heads_of(viewer)
    assert (
        heads.options
        == control(viewer, "head").options
        == tuple(f"L{n}H{h}" for n in range(3) for h in range(4))
    )
    assert heads.value == "L1H2"
    heads.value = "L0H3"
    assert control(viewer, "head").value == "L0H3"
    assert "Head L0H3" in page(viewer).text
    control(viewer, "head").value = "L2H1"
    assert heads.value == "L2H1"


def test_another_prompt_is_read_anew(viewer):
    control(viewer, "prompt").value = "when Mary went"
    assert len(Page(viewer._text.value).all("label", class_="mi-t")) == 4
    assert sorted(rules(viewer)) == [0, 1, 2, 3]


def test_a_word_that_the_model_does_not_know_is_told_and_nothing_is_lost(viewer):
    shown = viewer._text.value, viewer._picture.value
    control(viewer, "prompt").value = "when Mery went"
    assert "Mery" in viewer._status.value
    assert 'role="alert"' in viewer._status.value
    assert control(viewer, "prompt").value == "when Mery went"
    assert (viewer._text.value, viewer._picture.value) == shown
    control(viewer, "prompt").value = "when Mary went"
    assert "alert" not in viewer._status.value
    assert len(Page(viewer._text.value).all("label", class_="mi-t")) == 4


def test_a_prompt_that_is_too_long_is_told_in_words(viewer):
    control(viewer, "prompt").value = "a " * 70
    assert "at most n_ctx = 64" in viewer._status.value


@pytest.mark.filterwarnings("error")
def test_no_token_becomes_code_or_breaks_the_page():
    viewer = AttentionViewer.of(causal(2, 2, len(ODD), len(ODD)), ODD)
    shown = page(viewer) if viewer.view else None
    assert shown.tags <= MAY_STAND_IN_A_PAGE
    assert shown.handlers == []
    assert "<script>alert(1)</script>" in shown.text
    assert "</style>" in shown.text
    assert not set(shown.styles) & set("<↵∅漢$"), "styles hold numbers and our own names only"
    (viewer._text.value + viewer._picture.value).encode("utf-8")
    assert viewer.static().png()


def test_a_prompt_of_odd_words_stays_text(model):
    viewer = AttentionViewer(model, ODD_PROMPT)
    assert viewer.view
    assert page(viewer).tags <= MAY_STAND_IN_A_PAGE
    assert all(word in page(viewer).text for word in ODD_PROMPT.split())


def test_weights_at_hand_need_no_model_and_have_no_prompt():
    patterns = causal(2, 3, 4, 4)
    viewer = AttentionViewer.of(patterns, [7, 8, 7, 8], head="L1H0")
    assert set(viewer.controls()) == {"head"}
    assert "7" in Page(viewer._text.value if viewer.view else "").text
    assert int(rules(viewer)[2]["a1"]) == round(100 * float(patterns[1, 0, 2, 1]))


def test_tokens_stand_in_for_a_prompt_where_a_model_has_no_words():
    model = small_language_model(tokenizer=False)
    viewer = AttentionViewer(model, torch.tensor([0, 5, 6, 5]))
    assert set(viewer.controls()) == {"head"}
    assert viewer.view
    assert re.findall(r"<span>(\d+)</span>", viewer._text.value) == ["0", "5", "6", "5"]


def test_a_head_that_does_not_exist_is_refused_with_those_that_do(model):
    with pytest.raises(UnknownName, match="L2H3"):
        AttentionViewer(model, PROMPT, head="L3H3")
    with pytest.raises(UnknownName, match="L1H2"):
        AttentionViewer(model, PROMPT).static(head="L1H9")


@pytest.mark.parametrize(
    ("patterns", "tokens", "said"),
    [
        (causal(3, 4, 4), list("abcd"), "layer, head, query_pos, key_pos"),
        (causal(1, 3, 4, 4), list("abc"), "3 tokens, but the pattern has 4 positions"),
        (causal(1, 3, 4, 4) * 5, list("abcd"), "between 0 and 1"),
    ],
)
def test_what_is_no_attention_is_refused(patterns, tokens, said):
    with pytest.raises(ValueError, match=said):
        AttentionViewer.of(patterns, tokens)


def test_the_static_twin_shows_all_heads_and_one_and_says_numbers(model):
    picture = AttentionViewer(model, PROMPT).static(head="L1H2")
    pattern = weights(model, PROMPT, 1, 2)
    assert len(picture.pictures) == 2
    assert f"L1H2: on average {pattern[1:, 0].mean():.2f} to the first token" in picture.alt
    assert f"{np.diagonal(pattern, -1).mean():.2f} to the token before" in picture.alt
    assert f"{pattern[-1].max():.2f}" in picture.alt


def test_who_hears_the_small_maps_hears_which_heads_have_the_clearest_habits():
    copies_the_one_before = np.eye(4, k=-1) + np.eye(4) * [[1], [0], [0], [0]]
    looks_at_the_first, looks_at_itself = np.eye(4)[[0, 0, 0, 0]], np.eye(4)
    even = np.tril(np.ones((4, 4))) / np.arange(1, 5)[:, None]
    patterns = np.stack([[even, copies_the_one_before], [looks_at_itself, looks_at_the_first]])
    heads, _ = AttentionViewer.of(patterns, "abcd").static().pictures
    assert heads.alt == (
        "2 layers of 2 heads. Looks most at the first token: L1H1 (1.00 on average); at the token before: "
        "L0H1 (1.00 on average); at itself: L1H0 (1.00 on average)."
    )


def test_one_token_alone_has_its_words_too(model):
    assert "on one token" in AttentionViewer(model, "").static().alt


def test_two_viewers_on_one_page_do_not_answer_for_each_other(model):
    first, second = AttentionViewer(model, PROMPT), AttentionViewer(model, PROMPT)
    assert first.view
    assert second.view
    names = [{part["name"] for part in Page(v._text.value).all("input")} for v in (first, second)]
    assert not names[0] & names[1]
    scoped = re.sub(r"\s+", " ", first._picture.value)
    assert all(
        f".{first._scope}:has(" in selector
        for selector in re.findall(r"[^{}]*:has\(\.mi-t\d+:hover\)", scoped)
    )


def test_a_notebook_keeps_the_static_picture_only_and_the_same_each_time(model):
    viewers = [AttentionViewer(small_language_model(4, 6), PROMPT + " when Mary went to") for _ in range(2)]
    bundles = [viewer._repr_mimebundle_() for viewer in viewers]
    data = [bundle[0] if isinstance(bundle, tuple) else bundle for bundle in bundles]
    assert data[0]["text/html"] == data[1]["text/html"]
    assert data[0]["text/plain"] == data[1]["text/plain"]
    assert set(Page(data[0]["text/html"]).tags) == {"div", "img"}
    assert len(data[0]["text/html"]) < 150_000


def test_a_model_of_gpt2s_size_on_64_tokens_stays_light():
    viewer = AttentionViewer.of(causal(12, 12, 64, 64), ["word"] * 64)
    assert viewer.view
    assert len(viewer._picture.value) < 80_000, "what is sent when another head is chosen"
    assert len(viewer._text.value) + len(viewer._heads_style.value) < 400_000, "what is sent once a prompt"


def test_every_word_of_the_model_can_be_shown(model):
    viewer = AttentionViewer(model, " ".join(WORDS[2:]))
    assert viewer.view
    assert "alert(1)" in page(viewer).text


def test_the_small_maps_lie_behind_their_buttons(model, viewer):
    style = viewer._heads_style.value
    n, n_layers, n_heads = 15, 3, 4
    data = re.search(r"base64,([\w+/=]+)", style)[1]
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert sheet.shape == (n_layers * n, n_heads * n)
    assert f"0 0/{n_heads * 100}% {n_layers * 100}%" in style
    for layer in range(n_layers):
        for head in range(n_heads):
            tile = sheet[layer * n : (layer + 1) * n, head * n : (head + 1) * n]
            percent = np.rint(100 * weights(model, PROMPT, layer, head))
            assert np.array_equal(np.where(tile > 100, 0, tile), percent)
    # A share of 100 % lays a background's right edge on the button's: 0, 1/3, 2/3 and 1 are heads 0 to 3.
    columns = re.findall(r"button:nth-child\(4n\+(\d)\)\{background-position-x:([\d.]+)%", style)
    assert [(int(number), float(share)) for number, share in columns] == [
        (1, 0),
        (2, 33.333),
        (3, 66.667),
        (4, 100),
    ]
    rows = re.findall(r"nth-child\(n\+(\d+)\):nth-child\(-n\+(\d+)\)\{background-position-y:([\d.]+)%", style)
    assert rows == [("1", "4", "0.000"), ("5", "8", "50.000"), ("9", "12", "100.000")]
