"""How the tiny world's model is made: what it reads when, going on after a kill, and shipping."""

import dataclasses
import itertools
import json
import random

import pytest
import torch

from mi_course.data import tiny_world as tw
from mi_course.models import model_folder
from mi_course.models.transformer import TransformerConfig
from mi_course.recipes import tiny_world as recipe
from mi_course.recipes import tiny_world_measures as measures

SMALL = recipe.Schedule(steps=6, documents=8, repeats_only=2, warm_up=2)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The recipe at a size that trains in a second."""
    config = TransformerConfig(
        n_layers=2, d_model=16, n_heads=2, d_head=8, d_mlp=32, d_vocab=len(tw.vocabulary()), n_ctx=64
    )
    monkeypatch.setattr(recipe, "shape", lambda: config)
    monkeypatch.setattr(measures, "quick", lambda model: {"glance": 1})


def weights(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)["model"]


def kinds_read(step, schedule):
    rng = random.Random(f"{schedule.seed}-{step}")
    kind = "repeat" if step < schedule.repeats_only else None
    return {tw.world().document(rng, kind).kind for _ in range(schedule.documents)}


def test_the_first_steps_read_nothing_but_repeated_strings():
    schedule = dataclasses.replace(SMALL, documents=40)
    assert kinds_read(1, schedule) == {"repeat"}
    assert kinds_read(2, schedule) == set(tw.SHARES)


def test_a_step_always_reads_the_same_and_no_two_steps_do():
    ids = tw.token_ids()
    first, again, next_one = (recipe.batches_at(step, SMALL, ids) for step in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(first, again))
    assert not all(a.shape == b.shape and torch.equal(a, b) for a, b in zip(first, next_one))


def test_every_document_of_a_batch_stands_between_two_ends_of_text():
    for batch in recipe.batches_at(3, SMALL, tw.token_ids()):
        for row in batch:
            document = row[row >= 0]
            assert document[0] == document[-1] == 0
            assert (document[1:-1] > 1).all()


def test_filling_does_not_count_in_the_loss():
    batch = recipe.batches_at(3, SMALL, tw.token_ids())[0]
    model = recipe.untrained(0)
    filled = torch.cat([batch, torch.full((len(batch), 3), -1)], dim=1)
    loss, tokens = recipe.summed_loss(model, batch)
    again, as_many = recipe.summed_loss(model, filled)
    assert tokens == as_many == int((batch[:, 1:] >= 0).sum())
    assert again.item() == pytest.approx(loss.item(), rel=1e-5)


def test_the_learning_rate_rises_stays_and_falls_to_zero():
    schedule = recipe.Schedule(steps=1000, warm_up=10, decay_from=0.5)
    rates = [recipe.learning_rate(step, schedule) for step in range(1000)]
    assert rates[:10] == pytest.approx([0.1 * (k + 1) for k in range(10)])
    assert set(rates[10:500]) == {1.0}
    assert all(a > b for a, b in itertools.pairwise(rates[501:]))
    assert 0 < rates[-1] < 0.01


def test_the_mlps_do_not_learn_while_they_are_off(tmp_path):
    recipe.train(tmp_path, dataclasses.replace(SMALL, steps=2))
    before = recipe.untrained(0).state_dict()
    after = weights(tmp_path)
    assert torch.equal(after["blocks.0.mlp.W_in"], before["blocks.0.mlp.W_in"])
    assert not torch.equal(after["blocks.0.attn.W_QKV"], before["blocks.0.attn.W_QKV"])


def test_a_run_that_was_killed_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    recipe.train(whole, SMALL, evaluate_every=2, checkpoint_every=2)

    class Killed(Exception):
        pass

    real, calls = recipe.batches_at, iter(range(5))

    def dies(step, schedule, ids):
        if next(calls) == 4:
            raise Killed
        return real(step, schedule, ids)

    monkeypatch.setattr(recipe, "batches_at", dies)
    with pytest.raises(Killed):
        recipe.train(broken, SMALL, evaluate_every=2, checkpoint_every=2)
    monkeypatch.setattr(recipe, "batches_at", real)
    recipe.train(broken, SMALL, evaluate_every=2, checkpoint_every=2)
    assert all(torch.equal(a, b) for a, b in zip(weights(whole).values(), weights(broken).values()))
    assert [row["step"] for row in json.loads((broken / "record.json").read_text())["curve"]] == [2, 4, 6]


def test_a_run_of_another_schedule_is_not_taken_up(tmp_path):
    recipe.train(tmp_path, SMALL)
    with pytest.raises(ValueError, match="another run"):
        recipe.train(tmp_path, dataclasses.replace(SMALL, seed=1))


def test_what_ships_is_a_model_with_words_and_a_card(tmp_path, monkeypatch):
    monkeypatch.setattr(measures, "full", lambda model: {"measured": "yes"})
    recipe.train(tmp_path / "run", SMALL)
    card = recipe.ship(tmp_path / "run", tmp_path / "shipped")
    model = model_folder.read(tmp_path / "shipped")
    assert model.to_str_tokens("when Mary met John, John") == [
        tw.EOS,
        "when",
        "Mary",
        "met",
        "John",
        ",",
        "John",
    ]
    trained = weights(tmp_path / "run")["W_E"]
    assert (model.W_E - trained).abs().max() < 1e-3
    assert card["measured"] == "yes"
    assert card["steps_done"] == SMALL.steps
    assert set(card["files"]) == {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def test_text_reads_the_same_with_and_without_spaces_before_marks():
    tokenizer = recipe.word_tokenizer()
    loose = tokenizer.encode('Mary said : " we like the Amber Bridge . "')
    assert tokenizer.encode('Mary said: "we like the Amber Bridge."') == loose
    assert tokenizer.decode(tokenizer.encode("at the park , Tom met Mary .")) == "at the park, Tom met Mary."


def test_every_word_of_the_world_is_one_token():
    tokenizer = recipe.word_tokenizer()
    for word, number in tw.token_ids().items():
        assert tokenizer.encode(word) == [number]
