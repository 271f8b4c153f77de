"""How the tiny world's autoencoders are made: texts by seed, going on after a kill, shipping with a card."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file

from mi_course.data.token_truths import as_rows
from mi_course.methods import sparse_autoencoder
from mi_course.models import model_folder, pretrained
from mi_course.recipes import tiny_world_sae as recipe
from tests.type_checks import unchecked

SMALL = recipe.Schedule(documents=6, paragraphs=3, d_sae=16, k=2, steps=6, batch=32)


@pytest.fixture(autouse=True)
def quick():
    with unchecked():
        yield


def weights(folder):
    return load_file(folder / "sae_weights.safetensors")


def test_texts_are_those_of_training_and_more_paragraphs():
    read = recipe.documents(30, 20, seed=4)
    kinds = [document.kind for document in read]
    assert len(read) == 50
    assert kinds.count("paragraph") >= 20
    assert set(kinds) > {"paragraph"}
    assert set(kinds[:25]) & {"gift", "facts"}, "they are mixed, not one kind behind the other"
    assert [d.text for d in read] == [d.text for d in recipe.documents(30, 20, seed=4)]
    assert [d.text for d in read] != [d.text for d in recipe.documents(30, 20, seed=5)]


def test_every_token_gives_one_vector_in_16_bits(monkeypatch):
    monkeypatch.setattr(recipe, "CHUNK", 4)
    model = pretrained.load("tiny-world")
    found = recipe.vectors(model, SMALL)
    read = recipe.documents(SMALL.documents, SMALL.paragraphs, 1_000_003)
    assert found.shape == (sum(len(document.tokens) for document in read), 192)
    assert found.dtype == torch.float16
    tokens, own = as_rows(read)
    all_at_once = sparse_autoencoder.collect(model, tokens, SMALL.hook_name, where=own)
    # Texts are read in another order: the same lengths must come out, whichever vector has them.
    lengths, expected = (x.float().norm(dim=1).sort().values for x in (found, all_at_once))
    assert torch.allclose(lengths, expected, rtol=1e-3)
    assert expected.std() > 5


def test_a_run_that_was_killed_ends_with_the_same_weights(tmp_path, monkeypatch):
    whole = recipe.train_one(tmp_path / "whole", SMALL, checkpoint_every=2)
    advance = sparse_autoencoder._Run.advance

    def killed(run, vectors, measure):
        if run.step == 5:
            raise KeyboardInterrupt
        return advance(run, vectors, measure)

    with monkeypatch.context() as patch:
        patch.setattr(sparse_autoencoder._Run, "advance", killed)
        with pytest.raises(KeyboardInterrupt):
            recipe.train_one(tmp_path / "cut", SMALL, checkpoint_every=2)
    resumed = recipe.train_one(tmp_path / "cut", SMALL, checkpoint_every=2)
    assert whole["curve"] == resumed["curve"]
    expected = weights(tmp_path / "whole")
    assert all(torch.equal(expected[name], tensor) for name, tensor in weights(tmp_path / "cut").items())


def test_a_shipped_one_has_a_card_with_what_it_is_and_does(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "HELD_OUT_SEED", 3)
    recipe.train_one(tmp_path / "run", dataclasses.replace(SMALL, steps=2))
    small = recipe.measure
    monkeypatch.setattr(recipe, "measure", lambda model, sae: small(model, sae, n=4))
    monkeypatch.setattr(
        recipe, "true_latents", lambda model, sae: {"well_said": 0}
    )  # seconds; the cards are tested
    card = recipe.ship(tmp_path / "run", "sae", tmp_path / "sae")
    assert set(card["files"]) == {"cfg.json", "sae_weights.safetensors"}
    assert (card["d_sae"], card["k"], card["hook_name"]) == (16, 2, SMALL.hook_name)
    assert card["validation"]["documents"]["l0"] <= 2
    assert (
        card["validation"]["paragraphs"]["loss"]["clean"] < card["validation"]["paragraphs"]["loss"]["mean"]
    )
    sae = model_folder.read(tmp_path / "sae")
    assert (sae.hook_name, sae.config.model_name) == (SMALL.hook_name, "tiny-world")
    assert all(
        (tmp_path / "sae" / file).stat().st_size == facts["bytes"] for file, facts in card["files"].items()
    )
