"""The next token's probabilities, and a text that grows by sampling."""

import pytest
import torch

from mi_course.widgets.next_token_explorer import ALL, NextTokenExplorer, distribution
from tests.widgets.page import Page
from tests.widgets.small_language_model import ODD_PROMPT, PROMPT, WORDS, small_language_model


@pytest.fixture(scope="module")
def model():
    return small_language_model()


@pytest.fixture
def explorer(model):
    explorer = NextTokenExplorer(model, PROMPT)
    _ = explorer.view
    return explorer


def press(explorer, button):
    getattr(explorer._controls["written"], button).click()


def written(explorer):
    return explorer._controls["written"].value


def own(model, text):
    with torch.no_grad():
        return model(model.to_tokens(text))[0, -1].softmax(-1)


def bars(picture):
    axes = picture.figure.axes[0]
    return {
        label.get_text(): bar.get_width()
        for label, bar in zip(axes.get_yticklabels(), axes.patches, strict=True)
    }


def test_the_bars_are_the_models_probabilities_largest_first(model):
    picture = NextTokenExplorer(model, PROMPT, most=6).static()
    probabilities = own(model, PROMPT)
    best = probabilities.topk(6)
    assert list(bars(picture).values()) == pytest.approx(best.values.tolist(), abs=1e-6)
    word = WORDS[int(best.indices[0])]
    assert f"“{word}” with {float(best.values[0]):.1%}" in picture.alt


def test_temperature_and_top_k_change_the_bars_and_the_models_own_stay_as_lines(model):
    picture = NextTokenExplorer(model, PROMPT, most=4).static(temperature=0.5, top_k=2)
    probabilities = own(model, PROMPT)
    two = probabilities.topk(2).values ** 2
    assert list(bars(picture).values()) == pytest.approx([*(two / two.sum()).tolist(), 0, 0], abs=1e-5)
    lines = [line.get_segments()[0][0][0] for line in picture.figure.axes[0].collections]
    assert lines == pytest.approx(probabilities.topk(4).values.tolist(), abs=1e-6)
    assert "temperature 0.5, top 2 only" in picture.alt


def test_a_distribution_adds_up_to_one_whatever_is_asked():
    logits = torch.tensor([1.0, 3.0, 2.0, -1.0])
    for temperature in (0.0, 0.1, 1.0, 2.0):
        for top_k in (1, 2, 4, 50, ALL):
            chances = distribution(logits, temperature, top_k)
            assert float(chances.sum()) == pytest.approx(1)
            assert (chances > 0).sum() <= (4 if top_k == ALL else top_k)
    assert distribution(logits, 0.0).tolist() == [0, 1, 0, 0]
    assert distribution(logits, 2.0)[1] < distribution(logits)[1] < distribution(logits, 0.5)[1]


def test_sampling_appends_tokens_and_undo_takes_them_back(model, explorer):
    assert explorer._controls["written"].undo.disabled
    press(explorer, "sample")
    press(explorer, "sample")
    first, second = written(explorer)
    assert not explorer._controls["written"].undo.disabled
    highlighted = Page(explorer._picture.value).all("span", class_="mi-by")
    assert len(highlighted) == 2
    press(explorer, "undo")
    assert written(explorer) == (first,)
    press(explorer, "undo")
    assert written(explorer) == ()
    assert explorer._controls["written"].undo.disabled
    assert explorer._picture.value == NextTokenExplorer(model, PROMPT).live_html(PROMPT)
    assert 0 <= second < len(WORDS)


def test_what_was_sampled_is_read_by_the_model(model, explorer):
    press(explorer, "sample")
    text = f"{PROMPT} {WORDS[written(explorer)[0]]}"
    best = own(model, text).max()
    assert f"{float(best):.1%}" in Page(explorer._picture.value).all("img")[0]["alt"]


@pytest.fixture
def undrawn(monkeypatch):
    """Nothing is drawn: what is sampled does not depend on it, and a picture takes long."""
    monkeypatch.setattr(NextTokenExplorer, "live_html", lambda *_, **__: "")


@pytest.mark.usefixtures("undrawn")
def test_sampling_follows_the_distribution(model):
    explorer = NextTokenExplorer(model, PROMPT, seed=1)
    assert explorer.view
    explorer._controls["top_k"].value = 3
    explorer._controls["temperature"].value = 2.0
    allowed = set(own(model, PROMPT).topk(3).indices.tolist())
    drawn = []
    for _ in range(40):
        press(explorer, "sample")
        drawn.append(written(explorer)[0])
        press(explorer, "undo")
    assert set(drawn) <= allowed
    assert len(set(drawn)) > 1
    explorer._controls["temperature"].value = 0.0
    press(explorer, "sample")
    assert written(explorer) == (int(own(model, PROMPT).argmax()),)


@pytest.mark.usefixtures("undrawn")
def test_the_same_seed_writes_the_same_text(model):
    texts = []
    for _ in range(2):
        explorer = NextTokenExplorer(model, PROMPT, seed=3)
        assert explorer.view
        explorer._controls["temperature"].value = 2.0
        for _ in range(6):
            press(explorer, "sample")
        texts.append(written(explorer))
    assert texts[0] == texts[1]
    assert len(texts[0]) == 6


def test_another_prompt_begins_afresh(explorer):
    press(explorer, "sample")
    explorer._controls["prompt"].value = "when Mary"
    assert written(explorer) == ()
    assert len(Page(explorer._picture.value).all("span", class_="mi-w")) == 3


def test_an_unknown_word_is_told_and_the_prompt_stays(explorer):
    before = explorer._picture.value
    explorer._controls["prompt"].value = "when Mery"
    assert "Mery" in explorer._status.value
    press(explorer, "sample")
    assert "Mery" in explorer._status.value
    assert written(explorer) == ()
    assert explorer._controls["prompt"].value == "when Mery"
    assert explorer._picture.value == before
    explorer._controls["prompt"].value = "when Mary"
    assert "alert" not in explorer._status.value


def test_a_text_beyond_what_the_model_sees_goes_on_from_its_end(model):
    explorer = NextTokenExplorer(
        model, "a " * 62
    )  # one place is left: 64, and a text begins with a token of its own
    assert explorer.view
    for _ in range(2):
        press(explorer, "sample")
    assert len(written(explorer)) == 2
    assert "alert" not in explorer._status.value


def test_no_token_becomes_code_or_breaks_the_page(model):
    explorer = NextTokenExplorer(model, ODD_PROMPT, most=len(WORDS))
    assert explorer.view
    shown = Page(explorer._picture.value)
    assert shown.tags == {"style", "div", "span", "img"}
    assert shown.handlers == []
    assert all(word in shown.text for word in ODD_PROMPT.split())


def test_only_the_picture_is_stored(explorer):
    bundle = explorer._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert Page(data["text/html"]).tags == {"img"}
