"""How the attention-only models are made, and that what ships is what their cards say."""

import dataclasses

import pytest
import torch

import mi_course
from mi_course.data import three_rules
from mi_course.models import pretrained
from mi_course.recipes import induction as recipe

SMALL = recipe.Schedule(steps=6, batch=4, warm_up=2)
NAMES = ("induction-1l", "induction-2l")


def weights(folder):
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def test_a_step_always_reads_the_same_and_no_two_steps_do():
    first, again, next_one = (recipe.texts_at(step, SMALL) for step in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, next_one)
    assert not torch.equal(first, recipe.texts_at(3, dataclasses.replace(SMALL, seed=1)))


def test_the_rows_for_scoring_hold_no_word_of_a_rule():
    rows = recipe.repeated_words(4)
    assert rows[:, 1:].max() < len(three_rules.ANYTHING)
    assert torch.equal(rows[:, 1 : 1 + recipe.PERIOD], rows[:, 1 + recipe.PERIOD :])


def test_the_learning_rate_rises_stays_and_falls():
    schedule = recipe.Schedule(steps=100, warm_up=10, decay_from=0.5, lr=1.0)
    rates = [recipe.learning_rate(step, schedule) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1 * (k + 1) for k in range(10)])
    assert set(rates[10:50]) == {1.0}
    assert rates[-1] == pytest.approx(0.02)


def test_a_run_that_was_killed_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    recipe.train(tmp_path / "whole", SMALL, checkpoint_every=2)

    class Killed(Exception):
        pass

    real = recipe.texts_at

    def dies(step, schedule):
        if step == 5:
            raise Killed
        return real(step, schedule)

    monkeypatch.setattr(recipe, "texts_at", dies)
    with pytest.raises(Killed):
        recipe.train(tmp_path / "broken", SMALL, checkpoint_every=2)
    monkeypatch.setattr(recipe, "texts_at", real)
    recipe.train(tmp_path / "broken", SMALL, checkpoint_every=2)
    whole, broken = weights(tmp_path / "whole"), weights(tmp_path / "broken")
    assert all(torch.equal(whole[name], broken[name]) for name in whole)


def test_a_jump_is_where_the_accuracy_crosses_from_low_to_high():
    curve = [
        {"step": s, "accuracy_on_second_copy": a} for s, a in ((0, 0.0), (20, 0.05), (40, 0.5), (60, 0.95))
    ]
    assert recipe.jump(curve) == {"from_step": 20, "to_step": 60}
    assert recipe.jump(curve[:3]) == {"from_step": None, "to_step": None}


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_those_of_the_card(name):
    card, folder = pretrained.card(name), pretrained.WEIGHTS / name
    assert set(card["files"]) == {path.name for path in folder.iterdir()} - {"card.json"}
    for file, known in card["files"].items():
        pretrained.verify(folder / file, known["sha256"])


def test_two_layers_foresee_a_second_copy_and_one_layer_does_not():
    rows = recipe.repeated_words(64, seed=77)
    right = {name: recipe.accuracy_on_second_copy(mi_course.load(name), rows) for name in NAMES}
    assert right["induction-2l"] >= 0.9
    assert right["induction-1l"] <= 0.1
    for name in NAMES:
        card = pretrained.card(name)
        assert card["validation"]["accuracy_on_second_copy"] == pytest.approx(right[name], abs=0.02)


def test_every_seed_of_two_layers_jumps_and_none_of_one_layer():
    one, two = (pretrained.card(name)["seeds"] for name in NAMES)
    assert len(two) >= 3
    assert all(run["to_step"] and run["accuracy_on_second_copy"] >= 0.9 for run in two)
    assert all(run["to_step"] is None and run["accuracy_on_second_copy"] <= 0.1 for run in one)


@pytest.mark.parametrize("name", NAMES)
def test_the_history_ends_with_the_weights_that_ship_and_begins_with_the_untrained_twin(name):
    history = pretrained.history(name)
    model, twin = mi_course.load(name), mi_course.load(f"{name}-untrained")
    steps = history["step"].tolist()
    assert steps == sorted(set(steps))
    assert steps[0] == 0
    stored = {key: value for key, value in history.items() if key != "step"}
    assert stored
    assert all(len(value) == len(steps) for value in stored.values())
    state, start = model.state_dict(), twin.state_dict()
    shared = [key for key in stored if key in state]
    for key in shared:
        assert torch.allclose(stored[key][-1].float(), state[key], atol=1e-3)
        assert torch.allclose(stored[key][0].float(), start[key], atol=1e-3)
    assert shared
