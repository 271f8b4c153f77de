"""How the grokking run is made: going on after a kill, controls, shipping with history and card."""

import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file

from mi_course.methods import fourier
from mi_course.models import model_folder
from mi_course.recipes import grokking as recipe
from tests.type_checks import unchecked

SMALL = recipe.Schedule(p=7, d_model=8, n_heads=2, d_mlp=12, share=0.5, steps=8, look_every=2)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished run."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    with unchecked():
        recipe.train(folder, SMALL, checkpoint_every=4)
    return folder


def weights(folder):
    return load_file(folder / "model.safetensors")


def test_a_run_that_was_killed_ends_with_the_same_weights(tmp_path, monkeypatch, whole):
    train = recipe.grokking.train

    def killed(*args, **options):
        for marks in train(*args, **options):
            if marks.step == 6:
                raise KeyboardInterrupt
            yield marks

    with monkeypatch.context() as patch:
        patch.setattr(recipe.grokking, "train", killed)
        with pytest.raises(KeyboardInterrupt):
            recipe.train(tmp_path, SMALL, checkpoint_every=4)
    resumed = recipe.train(tmp_path, SMALL, checkpoint_every=4)
    assert resumed["curve"] == json.loads((whole / "record.json").read_text(encoding="utf-8"))["curve"]
    assert [row["step"] for row in resumed["curve"]] == [0, 2, 4, 6, 8]
    assert all(torch.equal(a, b) for a, b in zip(weights(tmp_path).values(), weights(whole).values()))


def test_another_run_is_not_taken_up(tmp_path):
    recipe.train(tmp_path, dataclasses.replace(SMALL, steps=4), checkpoint_every=2)
    with pytest.raises(ValueError, match="of another run"):
        recipe.train(tmp_path, dataclasses.replace(SMALL, seed=1))


def test_every_look_leaves_its_weights(whole):
    frames = sorted(path.name for path in (whole / "frames").iterdir())
    assert frames == [f"{step:06d}.safetensors" for step in (0, 2, 4, 6, 8)]
    start, end = (load_file(whole / "frames" / name) for name in (frames[0], frames[-1]))
    for name, weight in recipe.untrained(SMALL).state_dict().items():
        assert torch.equal(start[name], weight.half())
    for name, weight in model_folder.read(whole).state_dict().items():
        assert torch.equal(end[name].float(), weight)


def test_the_control_is_trained_on_answers_without_a_rule():
    assert recipe.targets(SMALL) is None
    found = recipe.targets(dataclasses.replace(SMALL, answers="random"))
    assert found.shape == (len(recipe.problems(SMALL).train),)


def test_weight_decay_is_the_schedules(tmp_path):
    norms = []
    for decay in (0.0, 100.0):
        record = recipe.train(tmp_path / str(decay), dataclasses.replace(SMALL, weight_decay=decay, steps=4))
        norms.append(record["curve"][-1]["weight_norm"])
    assert norms[1] < 0.9 * norms[0]


@pytest.mark.parametrize(("level", "expected"), [(0.5, 20), (0.9, 30), (1.0, None)])
def test_the_first_step_that_reaches_a_level(level, expected):
    curve = [{"step": 10 * i, "test_accuracy": value} for i, value in enumerate([0.1, 0.2, 0.6, 0.95, 0.7])]
    assert recipe.first_step(curve, "test_accuracy", level) == expected


def test_shipping_lays_down_a_model_its_history_and_a_card(tmp_path, whole):
    card = recipe.ship(whole, "small", [whole], [2, 6], dense_until=2, every=4, to=tmp_path)
    assert card == json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert set(card["files"]) == {path.name for path in tmp_path.iterdir()} - {"card.json"}
    history, model = load_file(tmp_path / "history.safetensors"), model_folder.read(tmp_path)
    assert history["step"].tolist() == [0, 2, 4, 8]
    assert history["moment"].tolist() == [2, 6]
    assert torch.equal(history["W_E"][-1].float(), model.W_E)
    assert torch.equal(history["W_E"][0], recipe.untrained(SMALL).W_E.half())
    for name, weight in model.state_dict().items():
        assert history[f"moment.{name}"].shape == (2, *weight.shape)
    assert [row["step"] for row in card["curve"]] == [0, 2, 4, 6, 8]
    readings = fourier.read(model)
    keys = fourier.spectrum(readings.embedding).key_frequencies()
    assert card["validation"]["trained"]["key_frequencies"] == list(keys)
    assert card["curve"][-1]["restricted_loss"] == pytest.approx(
        fourier.restricted_loss(readings.logits, keys), rel=1e-3
    )
    assert card["others"][0]["step"] == [0, 2, 4, 6, 8]
    assert model_folder.untrained(tmp_path, seed=0, std=card["untrained_twin"]["std"]).W_E[3, 3].item() == (
        pytest.approx(recipe.untrained(SMALL).W_E[3, 3].item())
    )
