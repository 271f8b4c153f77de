"""The patching map: every cell with its value, and what the model says when just this cell is patched."""

import re

import pytest

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.activation_patching import patch, patched_logits
from mi_course.widgets.patching_map import DIRECTIONS, PatchingMap, in_one_line, two_prompts
from tests.type_checks import values_only
from tests.widgets.page import Page
from tests.widgets.small_language_model import small_language_model

CLEAN = "when Mary and John went to the store , John gave a drink to"
CORRUPTED = "when Mary and Mary went to the store , John gave a drink to"
ODD = "when <script>alert(1)</script> and </style> gave a\"b'c&amp; to $x$"
OTHER_ODD = "when <script>alert(1)</script> and Mary gave a\"b'c&amp; to $x$"
DENOISING, NOISING = DIRECTIONS


@pytest.fixture(scope="module")
def model():
    return small_language_model().requires_grad_(False)


@pytest.fixture
def explorer(model):
    explorer = PatchingMap(model, CLEAN, CORRUPTED)
    _ = explorer.view
    return explorer


def shown(explorer):
    return Page(explorer._picture.value)


def values(explorer):
    """The number in every cell, column by column."""
    labels = [button["aria-label"] for button in shown(explorer).all("input", type="radio")]
    return [float(re.search(r": (-?\d+\.\d\d), says", label)[1]) for label in labels]


def both(model, **options):
    pairs = [model.to_tokens(text) for text in (CLEAN, CORRUPTED)]
    clean, corrupted = (model(tokens)[0, -1].softmax(-1) for tokens in pairs)
    answers = int((clean - corrupted).argmax()), int((clean - corrupted).argmin())
    metric = lambda logits: logits[:, -1, answers[0]] - logits[:, -1, answers[1]]  # noqa: E731
    return patch(model, *pairs, metric, **options), patched_logits(model, *pairs, **options)[:, :, 0, 0]


@values_only
@pytest.mark.parametrize("site", ["resid_pre", "mlp_out", "z", "pattern"])
def test_every_cell_is_a_patched_run(model, explorer, site):
    explorer._controls["site"].value = site
    for direction in DIRECTIONS:
        explorer._controls["direction"].value = direction
        shows_the_patched_runs(explorer, model, site, direction)


def shows_the_patched_runs(explorer, model, site, direction):
    result, logits = both(model, site=site, direction=DIRECTIONS[direction])
    assert values(explorer) == pytest.approx(result.values.T.flatten().tolist(), abs=0.006)
    page = shown(explorer)
    moved = [float(re.search(r"--v:([\d.]+)", cell["style"])[1]) for cell in page.all("label", class_="mi-c")]
    share = result.values if direction == DENOISING else 1 - result.values
    assert moved == pytest.approx(share.T.flatten().clamp(0, 1).tolist(), abs=0.001)
    probability, token = logits[1, 2].softmax(-1).max(-1)
    word = model.to_str_tokens([int(token)])[0]
    assert f"{word}{float(probability):.1%}" in page.text
    into = "corrupted" if direction == DENOISING else "clean"
    name = "L1H2" if site in ("z", "pattern") else "L1 at Mary"
    assert (
        f"The {into} run, patched at {name} ({round(float(result.values[1, 2]), 2) + 0.0:.2f}), says"
        in page.text
    )


def test_the_strongest_cell_is_chosen_at_first(model, explorer):
    result, _ = both(model)
    row, column = divmod(int(result.values.argmax()), result.values.shape[1])
    chosen = [button for button in shown(explorer).all("input", type="radio") if "checked" in button]
    assert [button["aria-describedby"].rsplit("-", 2)[1:] for button in chosen] == [[str(row), str(column)]]


def test_the_plain_runs_stand_beside_and_the_differing_token_below(model, explorer):
    page = shown(explorer)
    for title, text in (("The clean run says", CLEAN), ("The corrupted run says", CORRUPTED)):
        probability, token = model(model.to_tokens(text))[0, -1].softmax(-1).max(-1)
        assert f"{title}{model.to_str_tokens([int(token)])[0]}{float(probability):.1%}" in page.text
    assert len(page.all("span", class_="mi-o")) == 1


def test_a_cell_is_described_by_its_details(explorer):
    page = shown(explorer)
    described = [button["aria-describedby"] for button in page.all("input", type="radio")]
    assert described == [details["id"] for details in page.all("span", class_="mi-k")]
    assert len(set(described)) == len(described) == 3 * 15


def test_the_static_twin_tells_the_same(model):
    picture = PatchingMap(model, CLEAN, CORRUPTED).static(direction=NOISING)
    result, _ = both(model, direction="noising")
    row, column = divmod(int(result.values.argmin()), result.values.shape[1])
    token = model.to_str_tokens(CLEAN)[column]
    assert f"strongest cell is L{row} at {token}, {result.values[row, column]:.2f}" in picture.alt
    assert "First choices: clean “" in picture.alt
    with pytest.raises(UnknownName, match="'site'"):
        PatchingMap(model, CLEAN, CORRUPTED).static(sight="z")


def test_the_ends_of_the_scale_are_told(model, explorer):
    result, _ = both(model)
    clean, corrupted = float(result.clean), float(result.corrupted)
    assert clean > corrupted
    assert (
        f": {clean:.2f} in the clean run (1.00), {corrupted:.2f} in the corrupted run (0.00)"
        in shown(explorer).text
    )


def test_a_pair_is_written_as_one_line():
    line = in_one_line(CLEAN, CORRUPTED)
    assert line == "when Mary and [John|Mary] went to the store , John gave a drink to"
    assert two_prompts(line) == (CLEAN, CORRUPTED)
    assert two_prompts(in_one_line("a b c", "a c")) == ("a b c", "a c")
    assert two_prompts("[a|b] x [c d|e f]") == ("a x c d", "b x e f")


def test_prompts_that_are_no_pair_are_told_in_words(model, explorer):
    before, field = explorer._picture.value, explorer._controls["prompts"]
    field.value = in_one_line(CLEAN, CORRUPTED + " the")
    assert "not aligned" in explorer._status.value
    assert explorer._picture.value == before
    field.value = CLEAN
    assert "The two prompts are the same" in explorer._status.value
    field.value = in_one_line(CLEAN, CORRUPTED)
    assert "alert" not in explorer._status.value
    with pytest.raises(CourseError, match=r"\[John\|Mary\]"):
        PatchingMap(model, CLEAN, CLEAN).static()


def test_odd_tokens_stay_text(model):
    explorer = PatchingMap(model, ODD, OTHER_ODD)
    page = Page(explorer.view.children[-1].value)
    assert "script" not in page.tags
    assert "<script>alert(1)</script>" in page.text
    assert page.handlers == []
    assert len(page.all("label", class_="mi-c")) == 3 * 9


def test_an_attention_only_model_offers_no_site_that_it_lacks():
    model = small_language_model()
    sites = PatchingMap(model, CLEAN, CORRUPTED).controls()["site"].options
    assert "mlp_out" in sites
    model.config = type(model.config)(**{**model.config.to_dict(), "d_mlp": 0})
    assert "mlp_out" not in PatchingMap(model, CLEAN, CORRUPTED).controls()["site"].options
