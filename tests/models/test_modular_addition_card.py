"""The grokking run's card: its figures are those of the files that ship, and good enough."""

import math

import pytest
import torch

import mi_course
from mi_course.data import modular_addition
from mi_course.methods import fourier
from mi_course.models import pretrained

NAME = "modular-addition"


@pytest.fixture(scope="module")
def card():
    return pretrained.card(NAME)


@pytest.fixture(scope="module")
def parts():
    return modular_addition.split(113, share=0.3, seed=0)


@pytest.fixture(scope="module")
def readings():
    return {name: fourier.read(mi_course.load(name)) for name in (NAME, f"{NAME}-untrained")}


def test_its_hashes_are_those_of_the_files_and_all_take_at_most_4_megabytes(card):
    folder = pretrained.WEIGHTS / NAME
    assert set(card["files"]) == {path.name for path in folder.iterdir()} - {"card.json"}
    for file, facts in card["files"].items():
        pretrained.verify(folder / file, facts["sha256"])
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 4_000_000


def test_it_has_the_published_shape_and_split(card):
    config = mi_course.load(NAME).config
    assert (config.n_layers, config.d_model, config.n_heads, config.d_head, config.d_mlp) == (
        1,
        128,
        4,
        32,
        512,
    )
    assert (config.norm, config.bias, config.act, config.d_vocab, config.n_ctx) == (
        None,
        False,
        "relu",
        114,
        3,
    )
    assert (card["p"], card["share"], card["seed"]) == (113, 0.3, 0)


def test_it_answers_what_it_never_saw_and_its_twin_does_not(readings, parts):
    assert fourier.accuracy(readings[NAME].logits, parts.test) >= 0.99
    assert fourier.accuracy(readings[f"{NAME}-untrained"].logits, parts.test) <= 0.03


def test_few_frequencies_hold_the_embedding_and_explain_the_logits(readings, card):
    trained, twin = readings[NAME], readings[f"{NAME}-untrained"]
    keys = fourier.spectrum(trained.embedding).key_frequencies()
    assert list(keys) == card["validation"]["trained"]["key_frequencies"]
    assert len(keys) <= 8
    assert fourier.spectrum(trained.embedding).held_by(keys) >= 0.85
    untrained = fourier.spectrum(twin.embedding)
    assert untrained.held_by(untrained.strongest(8)) <= 0.25
    assert fourier.cosine_fit(trained.logits, keys).total >= 0.9
    assert fourier.cosine_fit(twin.logits, keys).total <= 0.01


def test_it_depends_on_its_key_waves_and_not_on_others(readings, parts, card):
    logits, keys = readings[NAME].logits, card["validation"]["trained"]["key_frequencies"]
    others = [k for k in range(1, 57) if k not in keys][: len(keys)]
    assert fourier.restricted_loss(logits, keys) < 0.01
    assert fourier.excluded_loss(logits, keys, parts.train) > math.log(113)
    assert fourier.excluded_loss(logits, others, parts.train) < 0.01


def test_the_figures_on_the_card_are_measured_anew(readings, parts, card):
    for which, name in (("trained", NAME), ("untrained", f"{NAME}-untrained")):
        found, logits = card["validation"][which], readings[name].logits
        keys = card["validation"]["trained"]["key_frequencies"]
        fits = fourier.neuron_fits(readings[name].neurons)
        assert found["test_accuracy"] == pytest.approx(fourier.accuracy(logits, parts.test), abs=1e-3)
        assert found["neurons_of_one_frequency"] == pytest.approx(fits.n_fitted() / 512, abs=5e-3)
        assert found["logit_variance_explained"] == pytest.approx(
            fourier.cosine_fit(logits, keys).total, abs=5e-3
        )
        assert found["excluded_loss"] == pytest.approx(
            fourier.excluded_loss(logits, keys, parts.train), rel=1e-2
        )


def test_the_rule_is_there_before_it_shows(card):
    """The restricted loss falls while hardly any problem of the test is right."""
    row = [row for row in card["curve"] if row["test_accuracy"] < 0.2][-1]
    assert row["step"] > 5 * card["memorised_at"]
    assert row["restricted_loss"] < math.log(113) / 2
    assert row["test_loss"] > math.log(113)


def test_with_weight_decay_every_seed_grokked_and_the_controls_did_not(card):
    runs = card["others"]
    seeds = [run for run in runs if run["weight_decay"] and run["answers"] == "right"]
    assert len({run["seed"] for run in seeds}) >= 5
    assert all(run["memorised_at"] is not None for run in runs)
    assert all(run["grokked_at"] > 3 * run["memorised_at"] for run in seeds)
    controls = [run for run in runs if run not in seeds]
    assert {(run["weight_decay"], run["answers"]) for run in controls} == {(0.0, "right"), (3.0, "random")}
    assert all(run["grokked_at"] is None for run in controls)


def test_the_history_begins_with_the_untrained_twin_and_ends_with_the_model(card):
    history = pretrained.history(NAME)
    steps = history["step"].tolist()
    assert steps[0] == 0
    assert steps[-1] == card["steps"]
    assert len(steps) >= 30
    for index, name in ((0, f"{NAME}-untrained"), (-1, NAME)):
        assert torch.allclose(history["W_E"][index].float(), mi_course.load(name).W_E[:], atol=2e-3)


def test_at_stored_moments_the_curve_is_what_their_weights_give(card, parts):
    history, model = pretrained.history(NAME), mi_course.load(NAME)
    keys = card["validation"]["trained"]["key_frequencies"]
    rows = {row["step"]: row for row in card["curve"]}
    moments = history["moment"].tolist()
    for index, step in enumerate(moments[-2:], len(moments) - 2):
        model.load_state_dict({name: history[f"moment.{name}"][index].float() for name in model.state_dict()})
        logits = fourier.read(model).logits
        assert fourier.restricted_loss(logits, keys) == pytest.approx(rows[step]["restricted_loss"], rel=1e-2)
        assert fourier.accuracy(logits, parts.test) == pytest.approx(rows[step]["test_accuracy"], abs=0.02)
