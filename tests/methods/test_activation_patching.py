"""Patching: every cell is what one whole run with a hook gives, and only what can have changed is computed."""

import dataclasses
from functools import cache

import pytest
import torch

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.activation_patching import patch, patched_logits
from mi_course.methods.metrics import at_position, logit_diff
from mi_course.methods.patching_result import PatchingResult
from mi_course.methods.patching_sites import HEAD_SITES, STREAM_SITES
from mi_course.models.transformer import MLP
from tests.methods.naive_patching import every_cell, every_cells_logits, read_by
from tests.methods.planted import BOS, STRENGTH, induction_model
from tests.models.small_transformers import CONFIGS, hooks_left, make, random_tokens, word_tokenizer
from tests.type_checks import values_only

N, POS, PREFIX = 5, 7, 2
SITES = STREAM_SITES + HEAD_SITES
DIRECTIONS = ("denoising", "noising")
every_site = pytest.mark.parametrize("site", SITES)
every_direction = pytest.mark.parametrize("direction", DIRECTIONS)
OTHER_KINDS = {
    name: dataclasses.replace(config, n_layers=2) for name, config in CONFIGS.items() if name != "gpt2"
}
HAS_SITE = [
    pytest.param(config, site, id=f"{name}-{site}")
    for name, config in OTHER_KINDS.items()
    for site in SITES
    if config.d_mlp or site not in ("resid_mid", "mlp_out")
]


def metric(logits):
    return logit_diff(logits, 3, 4)


def pairs():
    """Row 0 is twice the same prompt; the others have a common prefix and differ behind it, and so at its end."""
    clean, corrupted = random_tokens(N, POS, seed=1), random_tokens(N, POS, seed=2)
    corrupted[:, :PREFIX] = clean[:, :PREFIX]
    corrupted[0] = clean[0]
    return clean, corrupted


CLEAN, CORRUPTED = pairs()


@pytest.fixture(scope="module")
def model():
    return make(CONFIGS["gpt2"]).requires_grad_(False)


@pytest.fixture(scope="module")
def logits_by_hand(model):
    """A function: site and direction → the logits of every cell's whole run, which several tests read in their way."""

    @cache
    def computed(site, direction="denoising"):
        return every_cells_logits(model, CLEAN, CORRUPTED, site=site, direction=direction)

    return computed


@values_only
@pytest.mark.parametrize(("config", "site"), HAS_SITE)
def test_every_cell_is_what_a_whole_run_with_a_hook_gives(config, site):
    model = make(config).requires_grad_(False)
    naive = every_cell(model, CLEAN, CORRUPTED, metric, site=site)
    found = patch(model, CLEAN, CORRUPTED, metric, site=site)
    assert torch.allclose(found.by_example, naive, atol=1e-4)
    assert (found.by_example - found.base).abs().max() > 1e-2, "these prompts leave something to find"
    assert torch.allclose(found.clean, metric(model(CLEAN)), atol=1e-4)
    assert torch.allclose(found.corrupted, metric(model(CORRUPTED)), atol=1e-4)


@every_site
@every_direction
def test_in_either_direction_it_is_what_whole_runs_give(model, logits_by_hand, site, direction):
    """With GPT-2's parts, and with the shapes of all that runs checked."""
    found = patch(model, CLEAN, CORRUPTED, metric, site=site, direction=direction)
    assert torch.allclose(found.by_example, read_by(metric, logits_by_hand(site, direction)), atol=1e-4)
    assert (found.by_example - found.base).abs().max() > 1e-2, "these prompts leave something to find"


@values_only
@every_site
@pytest.mark.parametrize("chunk_size", [3, 10_000])
def test_the_chunk_size_changes_nothing(model, site, chunk_size):
    whole = patch(model, CLEAN, CORRUPTED, metric, site=site)
    found = patch(model, CLEAN, CORRUPTED, metric, site=site, chunk_size=chunk_size)
    assert torch.allclose(found.by_example, whole.by_example, atol=1e-5)


@values_only
@every_site
def test_only_the_chosen_positions_are_patched(model, site):
    chosen = [5, 3, -1]
    naive = every_cell(model, CLEAN, CORRUPTED, metric, site=site, positions=[5, 3, POS - 1])
    found = patch(model, CLEAN, CORRUPTED, metric, site=site, positions=chosen)
    assert torch.allclose(found.by_example, naive, atol=1e-4)
    assert found.columns == (("H0", "H1", "H2", "H3") if site in HEAD_SITES else ("5", "3", "6"))


@values_only
@every_site
@pytest.mark.parametrize("read", [-3, 0])
def test_the_answer_can_be_read_at_any_position(model, logits_by_hand, site, read):
    at = read % POS
    naive = read_by(metric, logits_by_hand(site), slice(at, at + 1))
    found = patch(model, CLEAN, CORRUPTED, metric, site=site, position=read)
    assert torch.allclose(found.by_example, naive, atol=1e-4)


@values_only
@every_site
@pytest.mark.parametrize("chunk_size", [2, 256])
def test_each_row_can_be_read_at_a_position_of_its_own(model, logits_by_hand, site, chunk_size):
    own = torch.tensor([6, 2, -4, 5, 1])

    def at_its_own(logits):
        return metric(at_position(logits, own)[:, None])

    naive = read_by(at_its_own, logits_by_hand(site), slice(None))
    found = patch(model, CLEAN, CORRUPTED, metric, site=site, position=own, chunk_size=chunk_size)
    assert torch.allclose(found.by_example, naive, atol=1e-4)


@values_only
@every_site
def test_a_metric_can_ask_for_the_logits_of_all_positions(model, logits_by_hand, site):
    def everywhere(logits):
        assert logits.shape == (N, POS, model.config.d_vocab)
        return (logits * torch.linspace(-1, 1, POS)[:, None]).square().mean(dim=(1, 2))

    naive = read_by(everywhere, logits_by_hand(site), slice(None))
    found = patch(model, CLEAN, CORRUPTED, everywhere, site=site, position=None)
    assert torch.allclose(found.by_example, naive, rtol=1e-4, atol=1e-4)


@every_site
def test_a_prompt_patched_from_itself_answers_as_before(model, site):
    found = patch(model, CLEAN, CORRUPTED, metric, site=site)
    assert torch.allclose(
        found.by_example[..., 0], found.clean[0].expand(found.by_example.shape[:2]), atol=1e-4
    )
    same = patch(model, CLEAN, CLEAN, metric, site=site)
    assert not same.effect.any()
    with pytest.raises(CourseError, match="does not tell the runs apart"):
        _ = same.values


def test_where_all_information_passes_patching_gives_the_other_run(model):
    """At the end of the last layer, and at the only position in which the prompts differ."""
    corrupted = CLEAN.clone()
    corrupted[:, 4] = random_tokens(N, 1, seed=3)[:, 0]
    for site, row, column in (("resid_post", -1, POS - 1), ("resid_pre", 0, 4)):
        for direction, value in (("denoising", 1.0), ("noising", 0.0)):
            found = patch(model, CLEAN, corrupted, metric, site=site, direction=direction)
            assert float(found.values[row, column]) == pytest.approx(value, abs=1e-4)
            other = found.clean if direction == "denoising" else found.corrupted
            assert torch.allclose(found.by_example[row, column], other, atol=1e-4)


@every_site
def test_denoising_is_noising_with_the_prompts_exchanged(model, site):
    one = patch(model, CLEAN, CORRUPTED, metric, site=site, direction="denoising")
    other = patch(model, CORRUPTED, CLEAN, metric, site=site, direction="noising")
    assert torch.equal(one.by_example, other.by_example)
    assert torch.allclose(one.values, 1 - other.values, atol=1e-5)


# ---- a model of which everything is known: L0H0 looks one back, L1H0 is the induction head -----------------


known_model = cache(induction_model)


def planted(clean, corrupted, site, direction="denoising", **options):
    clean, corrupted = torch.tensor([clean, clean]), torch.tensor([corrupted, corrupted])
    answer, other = (int(known_model()(tokens)[0, -1].argmax()) for tokens in (clean, corrupted))
    return patch(
        known_model(),
        clean,
        corrupted,
        lambda logits: logit_diff(logits, answer, other),
        site=site,
        direction=direction,
        **options,
    )


WHAT_FOLLOWED = ([BOS, 5, 6, 7, 8, 5], [BOS, 5, 9, 7, 8, 5])
"""The second word differs: 6 or 9 is to be copied."""
WHO_ASKS = ([BOS, 5, 6, 7, 8, 5], [BOS, 5, 6, 7, 8, 7])
"""The last word differs: what followed 5, or what followed 7."""


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(
    ("pair", "carriers"),
    [(WHAT_FOLLOWED, {"z", "v"}), (WHO_ASKS, {"z", "q", "pattern"})],
    ids=["what followed", "who asks"],
)
def test_the_planted_induction_head_carries_the_answer_where_it_must(pair, carriers, direction):
    for site in HEAD_SITES:
        found = planted(*pair, site, direction)
        moved = torch.zeros(2, 2)
        moved[1, 0] = float(site in carriers)
        assert torch.allclose(found.values, moved if direction == "denoising" else 1 - moved, atol=1e-5)
        assert found.clean.tolist() == [STRENGTH, STRENGTH]
        assert found.corrupted.tolist() == [-STRENGTH, -STRENGTH]


def test_the_planted_information_travels_from_the_word_to_the_end():
    found = planted(*WHAT_FOLLOWED, "resid_pre")
    assert found.values[:, [2, 5]].tolist() == [[1, 0], [1, 0]]
    assert planted(*WHAT_FOLLOWED, "resid_post").values[:, [2, 5]].tolist() == [[1, 0], [0, 1]]
    assert planted(*WHAT_FOLLOWED, "attn_out").values.nonzero().tolist() == [[1, 5]]


def test_the_previous_token_head_carries_who_asks_in_the_keys():
    """The last word stands somewhere else before: only the note behind it, "after 5", says where."""
    pair = ([BOS, 5, 6, 7, 8, 5], [BOS, 4, 6, 5, 8, 5])
    found = {site: planted(*pair, site).heads() for site in HEAD_SITES}
    carriers = {"z": {"L0H0", "L1H0"}, "v": {"L0H0"}, "k": {"L1H0"}, "pattern": {"L1H0"}, "q": set()}
    for site in HEAD_SITES:
        for head in ("L0H0", "L0H1", "L1H0", "L1H1"):
            assert found[site][head] == pytest.approx(float(head in carriers[site]), abs=1e-5), (site, head)


# ---- what is computed --------------------------------------------------------------------------------------


@pytest.fixture
def counted(monkeypatch):
    """Positions × rows that went through an MLP, call by call."""
    calls, forward = [], MLP.forward

    def count(self, x):
        calls.append(x.shape[:2])
        return forward(self, x)

    monkeypatch.setattr(MLP, "forward", count)
    return calls


def test_only_what_can_have_changed_is_computed(model, counted):
    """Two plain runs; then for position p of layer l only positions p … of the layers l …, and one in the last."""
    patch(model, CLEAN, CORRUPTED, metric)
    n_layers = model.config.n_layers
    plain = 2 * N * POS * n_layers
    suffixes = sum(POS - p for p in range(PREFIX, POS))
    deeper = sum(n_layers - 1 - layer for layer in range(n_layers))
    expected = plain + N * (suffixes * deeper + n_layers * (POS - PREFIX))
    assert sum(rows * pos for rows, pos in counted) == expected


@pytest.mark.parametrize("chunk_size", [3, 11])
def test_no_more_rows_run_at_once_than_the_chunk_size_says(model, counted, chunk_size):
    for site in ("attn_out", "k"):
        patch(model, CLEAN, CORRUPTED, metric, site=site, chunk_size=chunk_size)
    assert max(rows for rows, _ in counted) == chunk_size // N * N or chunk_size


def test_what_lies_behind_the_answer_is_not_run(model, counted):
    patch(model, CLEAN, CORRUPTED, metric, position=4)
    assert max(pos for _, pos in counted) == 5


# ---- the result --------------------------------------------------------------------------------------------


def result(by_example, clean, corrupted, **changes):
    given = {
        "by_example": torch.tensor(by_example),
        "clean": torch.tensor(clean),
        "corrupted": torch.tensor(corrupted),
        "rows": ("L0",),
        "columns": ("H0", "H1"),
        "site": "z",
        "direction": "denoising",
        "unit": "logits",
    }
    return PatchingResult(**{**given, **changes})


SMALL = ([[[1.0, 2.0, 0.0], [-1.0, -1.0, -1.0]]], [4.0, 5.0, 3.0], [-1.0, 0.0, -2.0])


def test_values_lie_on_a_scale_from_corrupted_to_clean():
    found = result(*SMALL)
    assert found.values.tolist() == [[pytest.approx(0.4), 0.0]]
    assert found.effect.tolist() == [[2.0, 0.0]]
    noising = result(*SMALL, direction="noising")
    assert torch.equal(noising.values, found.values)
    assert noising.effect.tolist() == [[-3.0, -5.0]]


def test_the_interval_draws_cell_and_scale_together():
    """Each patched metric lies two fifths of the way, prompt by prompt: however they are drawn, so does the mean."""
    found = result(*SMALL)
    sure = found.interval(0, 0)
    assert (sure.estimate, sure.low, sure.high) == pytest.approx((0.4, 0.4, 0.4), abs=1e-6)
    unsure = found.interval(0, 1)
    assert unsure.low < unsure.estimate == 0 < unsure.high
    assert found.interval(0, 1) == unsure
    with pytest.raises(ValueError, match="at least two"):
        result([[[1.0], [1.0]]], [4.0], [0.0]).interval(0, 0)


def test_a_head_site_is_a_table_of_heads():
    found = result(*SMALL)
    heads = found.heads()
    assert heads["L0H0"] == pytest.approx(0.4)
    assert torch.allclose(heads.examples("L0H0").mean(), heads.values[0, 0])
    assert found.largest(1) == [("L0H0", pytest.approx(0.4))]
    by_position = result(*SMALL, columns=("0 the", "1"), site="resid_pre")
    assert by_position.largest(1)[0][0] == "L0 at 0 the"
    with pytest.raises(CourseError, match="needs a head site"):
        by_position.heads()


def test_columns_name_the_token_that_all_clean_prompts_share():
    model = make(CONFIGS["gpt2"], tokenizer=word_tokenizer())
    clean = model.to_tokens(["Mary gave the store", "John gave the bank"])
    corrupted = model.to_tokens(["she gave the store", "he gave the bank"])
    found = patch(model, clean, corrupted, metric, unit="logits")
    assert found.columns == ("0 <|endoftext|>", "1", "2 gave", "3 the", "4")
    assert (found.rows, found.site, found.direction, found.unit) == (
        ("L0", "L1", "L2"),
        "resid_pre",
        "denoising",
        "logits",
    )


@every_direction
@pytest.mark.parametrize("site", ["resid_mid", "v"])
def test_the_logits_themselves_can_be_had(model, site, direction):
    options = {"site": site, "direction": direction}
    logits = patched_logits(model, CLEAN, CORRUPTED, chunk_size=12, **options)
    found = patch(model, CLEAN, CORRUPTED, metric, **options)
    assert logits.shape == (*found.by_example.shape, 1, model.config.d_vocab)
    assert torch.allclose(logits[..., 0, 3] - logits[..., 0, 4], found.by_example, atol=1e-5)


# ---- manners -----------------------------------------------------------------------------------------------


def test_nothing_is_changed_and_no_hook_is_left(model):
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    tokens = CLEAN.clone(), CORRUPTED.clone()
    for site in ("mlp_out", "pattern"):
        patch(model, CLEAN, CORRUPTED, metric, site=site)
        with pytest.raises(ZeroDivisionError):
            patch(model, CLEAN, CORRUPTED, lambda logits: 1 / 0, site=site)
    assert hooks_left(model) == 0
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())
    assert torch.equal(tokens[0], CLEAN)
    assert torch.equal(tokens[1], CORRUPTED)


def test_a_model_with_weights_that_learn_gives_results_without_history():
    model = make(CONFIGS["gpt2"])
    assert next(model.parameters()).requires_grad
    assert not patch(model, CLEAN, CORRUPTED, metric).by_example.requires_grad


def test_hooks_that_would_see_pieces_are_refused(model):
    with (
        model.hooks([("blocks.0.hook_attn_out", lambda x, name: None)]),
        pytest.raises(CourseError, match="pieces"),
    ):
        patch(model, CLEAN, CORRUPTED, metric)


@pytest.mark.usefixtures("without_type_checks")
def test_what_makes_no_experiment_is_refused_with_a_remedy(model):
    with pytest.raises(UnknownName, match="Did you mean 'resid_pre'"):
        patch(model, CLEAN, CORRUPTED, metric, site="residpre")
    with pytest.raises(UnknownName, match="'denoising'"):
        patch(model, CLEAN, CORRUPTED, metric, direction="denoise")
    with pytest.raises(CourseError, match=r"prompt_pairs\.pair"):
        patch(model, CLEAN, CORRUPTED[:, :-1], metric)
    with pytest.raises(CourseError, match=r"prompt_pairs\.pair"):
        patch(model, CLEAN, CORRUPTED[:2], metric)
    with pytest.raises(CourseError, match="no position 7"):
        patch(model, CLEAN, CORRUPTED, metric, positions=[7])
    with pytest.raises(CourseError, match="positions is empty"):
        patch(model, CLEAN, CORRUPTED, metric, positions=[])
    with pytest.raises(CourseError, match=r"one number an example, shape \(5,\)"):
        patch(model, CLEAN, CORRUPTED, lambda logits: logits.mean())
    with pytest.raises(CourseError, match="metric returned float"):
        patch(model, CLEAN, CORRUPTED, lambda logits: 0.5)
    with pytest.raises(ValueError, match="position"):
        patch(model, CLEAN, CORRUPTED, metric, position=POS)
    attention_only = make(CONFIGS["attention-only"])
    for site in ("resid_mid", "mlp_out"):
        with pytest.raises(CourseError, match="attention-only"):
            patch(attention_only, CLEAN, CORRUPTED, metric, site=site)
    assert hooks_left(model) == 0
