"""How the induction models are made: texts by (seed, step), going on after a kill, shipping with a card."""

import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file

from mi_course.data import three_rules
from mi_course.models import model_folder
from mi_course.recipes import induction as recipe

SMALL = recipe.Schedule(layers=1, steps=6, batch=4, warm_up=2)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setitem(recipe.HISTORY_STEPS, 1, (0, 2))
    monkeypatch.setattr(recipe, "CHUNK", 4)
    recipe._made.clear()
    yield
    recipe._made.clear()


def weights(folder):
    return load_file(folder / "model.safetensors")


def test_a_step_always_reads_the_same_and_no_two_steps_do():
    first, other, again = (recipe.texts_at(step, SMALL) for step in (1, 5, 1))
    assert first.shape == (4, three_rules.LENGTH)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, recipe.texts_at(2, SMALL))
    assert not torch.equal(first, recipe.texts_at(1, dataclasses.replace(SMALL, seed=1)))


def test_the_learning_rate_rises_stays_and_falls_to_nearly_nothing():
    schedule = recipe.Schedule(steps=100, warm_up=10, decay_from=0.5)
    rates = [recipe.learning_rate(step, schedule) for step in range(100)]
    assert rates[0] == pytest.approx(schedule.lr / 10)
    assert set(rates[9:51]) == {schedule.lr}
    assert rates[51:] == sorted(rates[51:], reverse=True)
    assert 0 < rates[-1] < 0.05 * schedule.lr


def test_a_run_that_was_killed_ends_with_the_same_weights(tmp_path, monkeypatch):
    whole = recipe.train(tmp_path / "whole", SMALL, checkpoint_every=2)
    seen = []

    def killed(step, schedule, texts_at=recipe.texts_at):
        if step == 5:
            raise KeyboardInterrupt
        return texts_at(step, schedule)

    with monkeypatch.context() as patch:
        patch.setattr(recipe, "texts_at", killed)
        with pytest.raises(KeyboardInterrupt):
            recipe.train(tmp_path / "cut", SMALL, checkpoint_every=2)
    with monkeypatch.context() as patch:
        texts_at = recipe.texts_at
        patch.setattr(
            recipe, "texts_at", lambda step, schedule: (seen.append(step), texts_at(step, schedule))[1]
        )
        resumed = recipe.train(tmp_path / "cut", SMALL, checkpoint_every=2)
    assert seen == [4, 5]
    assert resumed["curve"] == whole["curve"]
    assert all(
        torch.equal(a, b)
        for a, b in zip(weights(tmp_path / "cut").values(), weights(tmp_path / "whole").values())
    )
    histories = [load_file(tmp_path / run / "history.safetensors") for run in ("cut", "whole")]
    assert all(torch.equal(histories[0][name], histories[1][name]) for name in histories[1])


def test_another_run_is_not_taken_up(tmp_path):
    recipe.train(tmp_path, SMALL, checkpoint_every=2)
    with pytest.raises(ValueError, match="of another run"):
        recipe.train(tmp_path, dataclasses.replace(SMALL, seed=1))


def test_the_history_begins_with_the_untrained_twin_and_ends_with_the_model(tmp_path):
    recipe.train(tmp_path, SMALL)
    history = load_file(tmp_path / "history.safetensors")
    assert history.pop("step").tolist() == [0, 2, 6]
    start, end = recipe.untrained(1, 0), model_folder.read(tmp_path)
    for index, model in ((0, start), (-1, end)):
        for name, weight in model.state_dict().items():
            assert torch.equal(history[name][index], weight.half())


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ([0.0, 0.05, 0.5, 0.95, 1.0], (20, 60)),
        ([0.0, 0.05, 0.95, 0.05, 0.95], (20, 40)),
        ([0.0, 0.1, 0.2, 0.3, 0.4], (None, None)),
        ([0.95, 1, 1, 1, 1], (0, 0)),
    ],
)
def test_the_jump_is_between_the_last_low_and_the_first_high_measurement(accuracies, expected):
    curve = [{"step": 20 * i, "accuracy_on_second_copy": value} for i, value in enumerate(accuracies)]
    assert tuple(recipe.jump(curve).values()) == expected


def test_the_rows_that_heads_are_scored_on_hold_only_words_without_a_rule():
    rows = recipe.repeated_words(5)
    assert (rows[:, 0] == three_rules.BOS).all()
    assert (rows[:, 1:] < len(three_rules.ANYTHING)).all()
    assert torch.equal(rows[:, 1 : 1 + recipe.PERIOD], rows[:, 1 + recipe.PERIOD :])


def test_shipping_lays_down_a_model_that_loads_and_a_card_that_sums_up_all_seeds(tmp_path):
    runs = [tmp_path / f"seed{seed}" for seed in (0, 1)]
    for seed, run in enumerate(runs):
        recipe.train(run, dataclasses.replace(SMALL, seed=seed))
    card = recipe.ship(runs[0], "small", runs, to=tmp_path / "shipped")
    assert card == json.loads((tmp_path / "shipped" / "card.json").read_text(encoding="utf-8"))
    assert [run["seed"] for run in card["seeds"]] == [0, 1]
    assert card["validation"]["accuracy_on_second_copy"] < 0.5
    assert set(card["files"]) == {p.name for p in (tmp_path / "shipped").iterdir()} - {"card.json"}
    model = model_folder.read(tmp_path / "shipped")
    assert model.to_str_tokens("winter brings snow") == [three_rules.END_OF_TEXT, "winter", "brings", "snow"]
