"""The induction models' cards: their figures are those of the files that ship, and good enough."""

import pytest
import torch

import mi_course
from mi_course.data import repeated_tokens, three_rules
from mi_course.methods import attention_scores
from mi_course.models import pretrained
from mi_course.models.transformer import Transformer

NAMES = ("induction-1l", "induction-2l")
each = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def rows():
    """Repeated words that neither training nor the card has seen."""
    ruled = range(len(three_rules.ANYTHING), len(three_rules.WORDS))
    return repeated_tokens.batch(len(three_rules.WORDS), 64, 20, bos=three_rules.BOS, exclude=ruled, seed=77)


def accuracy(model, rows):
    where = repeated_tokens.predictable(20, bos=three_rules.BOS)
    with torch.no_grad():
        guesses = model(rows)[:, where].argmax(-1)
    return (guesses == rows[:, where.start + 1 : where.stop + 1]).float().mean().item()


@each
def test_its_hashes_are_those_of_the_files(name):
    card, folder = pretrained.card(name), pretrained.WEIGHTS / name
    assert set(card["files"]) == {path.name for path in folder.iterdir()} - {"card.json"}
    for file, facts in card["files"].items():
        pretrained.verify(folder / file, facts["sha256"])
        assert (folder / file).stat().st_size == facts["bytes"]


def test_both_together_take_about_2_megabytes():
    assert (
        sum(path.stat().st_size for name in NAMES for path in (pretrained.WEIGHTS / name).iterdir())
        < 2_000_000
    )


def test_two_layers_copy_and_one_does_not(rows):
    assert accuracy(mi_course.load("induction-2l"), rows) >= 0.9
    assert accuracy(mi_course.load("induction-1l"), rows) <= 0.1
    assert accuracy(mi_course.load("induction-2l-untrained"), rows) <= 0.1


@pytest.mark.parametrize(("name", "good"), [("induction-2l", True), ("induction-1l", False)])
def test_so_it_was_with_every_seed(name, good):
    card = pretrained.card(name)
    assert len({run["seed"] for run in card["seeds"]}) >= 4
    for run in card["seeds"]:
        assert run["accuracy_on_second_copy"] >= 0.9 if good else run["accuracy_on_second_copy"] <= 0.1
        assert (run["to_step"] is not None) == good
        if good:
            assert run["to_step"] - run["from_step"] <= 0.1 * card["steps"]


def test_one_head_looks_back_and_heads_of_the_next_layer_look_at_what_followed(rows):
    model = mi_course.load("induction-2l")
    previous, induction = (
        attention_scores.previous_token(model, rows),
        attention_scores.induction(model, rows),
    )
    assert previous.values[0].max() >= 0.9
    assert previous.values[0].sort().values[-2] < 0.2
    assert induction.values[1].max() >= 0.8
    assert induction.values[0].max() < 0.1


@each
def test_no_loss_is_below_what_is_possible_and_the_shipped_figures_are_measured_anew(name):
    card = pretrained.card(name)
    floor, found = card["optimum_by_kind"], card["validation"]["by_kind"]
    assert all(found[kind] > floor[kind] - 0.05 for kind in three_rules.KINDS)
    texts = three_rules.sample(1_000, seed=99)
    with torch.no_grad():
        log_probs = mi_course.load(name)(texts.tokens)[:, :-1].log_softmax(-1)
    losses = -log_probs.gather(-1, texts.tokens[:, 1:, None])[..., 0]
    assert losses.mean().item() == pytest.approx(card["validation"]["loss"], abs=0.06)


@each
def test_the_history_ends_with_the_model_and_begins_with_its_untrained_twin(name):
    history = pretrained.history(name)
    steps = history.pop("step").tolist()
    assert steps == sorted(set(steps))
    assert steps[0] == 0
    assert steps[-1] == pretrained.card(name)["steps"]
    for index, which in ((0, f"{name}-untrained"), (-1, name)):
        model = mi_course.load(which)
        assert isinstance(model, Transformer)
        for weight_name, weight in model.state_dict().items():
            assert torch.allclose(history[weight_name][index].float(), weight, atol=2e-3)
