"""Tokens × layers: what each layer would say next."""

import re

import pytest
import torch

from mi_course.methods import logit_lens
from mi_course.widgets.logit_lens_table import ANSWER, DISTANCE, OWN, LogitLensTable
from tests.widgets.page import Page
from tests.widgets.small_language_model import ODD_PROMPT, PROMPT, small_language_model


@pytest.fixture(scope="module")
def model():
    return small_language_model()


@pytest.fixture
def table(model):
    table = LogitLensTable(model, PROMPT)
    _ = table.view
    return table


@pytest.fixture(scope="module")
def lens(model):
    with torch.no_grad():
        return logit_lens.read(model, model.to_tokens(PROMPT))


def cells(table):
    """Each cell's numbers x, y, z, column by column, from the embedding down."""
    return [
        {name: float(number) for name, number in re.findall(r"--(\w):([\d.]+)", cell["style"])}
        for cell in Page(table._table.value).all("label", class_="mi-c")
    ]


def test_every_cell_carries_its_probabilities_and_its_distance(table, lens):
    n_layers, n_pos = len(lens.layers), lens.tokens.shape[1]
    found = cells(table)
    assert len(found) == n_layers * n_pos
    own = lens.log_probs.max(-1).values[:, 0].exp()
    answer = lens.log_prob(lens.answers)[:, 0].exp()
    kl = lens.kl_to_final()[:, 0]
    for pos in range(n_pos):
        for layer in range(n_layers):
            cell = found[pos * n_layers + layer]
            assert cell["x"] == pytest.approx(float(own[layer, pos]), abs=0.001)
            assert cell["y"] == pytest.approx(float(answer[layer, pos]), abs=0.001)
            assert cell["z"] == pytest.approx(float(kl[layer, pos] / max(1, kl.max())), abs=0.001)


def test_a_cell_says_its_layer_its_token_and_its_word(table, lens):
    labels = [button["aria-label"] for button in Page(table._table.value).all("input", type="radio")]
    word = table.model.to_str_tokens([int(lens.answers[0, -1])])[0]
    probability = float(lens.log_probs[-1, 0, -1].max().exp())
    assert labels[-1] == f"L2 at to: {word} {probability:.0%}"
    assert len(set(labels)) > len(labels) / 2


def test_a_cell_is_described_by_its_details(table):
    shown = Page(table._table.value)
    described = [button["aria-describedby"] for button in shown.all("input", type="radio")]
    assert described == [details["id"] for details in shown.all("span", class_="mi-k")]
    assert len(set(described)) == len(described)


def test_the_details_of_a_cell_are_its_top_words_with_their_probabilities(table, lens):
    top = lens.top(5)
    shown = Page(table._table.value).text
    for word, log_prob in zip(top.words[1][0][2], top.log_probs[1, 0, 2]):
        assert f"{word}{float(log_prob.exp()):.1%}" in shown
    place = 1 + int(lens.rank(lens.answers)[1, 0, 2])
    assert f"has place {place:,} and {float(lens.log_prob(lens.answers)[1, 0, 2].exp()):.1%} here" in shown


@pytest.mark.parametrize(("colour", "property_"), [(OWN, "x"), (ANSWER, "y"), (DISTANCE, "z")])
def test_another_colour_leaves_the_table_in_place(table, colour, property_):
    before = table._table.value
    table._controls["colour"].value = colour
    assert table._table.value == before
    assert f".mi-c{{--v:var(--{property_})}}" in table._picture.value
    assert colour.split(" (")[0] in Page(table._picture.value).text


def test_more_or_fewer_words_a_cell(model):
    table = LogitLensTable(model, "when Mary", k=2)
    assert table.view
    assert len(Page(table._table.value).all("i", style=None)) == 0
    assert table._table.value.count("<i ") == 2 * 4 * 3


def test_another_prompt_is_read_anew_and_a_bad_one_is_told(table):
    table._controls["prompt"].value = "when Mary"
    assert len(cells(table)) == 4 * 3
    before = table._table.value
    table._controls["prompt"].value = "when Mery"
    assert "Mery" in table._status.value
    assert table._table.value == before
    assert table._controls["prompt"].value == "when Mery"


def test_no_token_becomes_code_or_breaks_the_page(model):
    table = LogitLensTable(model, ODD_PROMPT)
    assert table.view
    shown = Page(table._table.value + table._picture.value)
    assert shown.tags <= {"style", "div", "span", "b", "i", "label", "input", "fieldset", "legend"}
    assert shown.handlers == []
    assert all(word in shown.text for word in ODD_PROMPT.split())
    assert "<" not in shown.styles


def test_the_static_twin_says_the_way_to_the_answer(model, lens):
    alt = LogitLensTable(model, PROMPT).static().alt
    top = lens.top(1)
    for layer, name in enumerate(lens.layers):
        probability = float(top.log_probs[layer, 0, -1, 0].exp())
        assert f"{name}: “{top.words[layer][0][-1][0]}” {probability:.2f}" in alt


def test_the_title_tells_from_where_on_the_answer_leads(model, lens):
    [title] = [LogitLensTable(model, PROMPT).static().figure.get_suptitle()]
    words = [layer[0][-1][0] for layer in lens.top(1).words]
    leads = next(name for n, name in enumerate(lens.layers) if set(words[n:]) == {words[-1]})
    assert title.endswith(f"it leads from {leads} on")


def test_the_static_twin_follows_the_colour(model, lens):
    picture = LogitLensTable(model, PROMPT).static(colour=DISTANCE)
    assert torch.allclose(
        torch.as_tensor(picture.figure.axes[0].images[0].get_array().filled(0)).float(),
        lens.kl_to_final()[:, 0].clamp(min=0),
        atol=1e-5,
    )


def test_tables_of_different_models_can_stand_on_one_page(model):
    tables = [LogitLensTable(model, "a"), LogitLensTable(small_language_model(2, 2), "a")]
    rows = [
        re.search(r"grid-template-rows:repeat\((\d+)", Page(t._table.value).all("fieldset")[0]["style"])[1]
        for t in tables
        if t.view
    ]
    assert rows == ["5", "4"]
    assert "grid-template-rows" not in Page(tables[0]._table.value).styles


def test_a_notebook_keeps_the_static_picture_only(model):
    bundle = LogitLensTable(model, PROMPT)._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert Page(data["text/html"]).tags == {"img"}
    assert len(data["text/html"]) < 150_000
