"""The shipped autoencoders' cards: their figures are those of the files, and good enough."""

import json

import pytest
import torch

import mi_course
from mi_course.data.token_truths import as_rows
from mi_course.methods import sae_metrics
from mi_course.methods.sparse_autoencoder import collect
from mi_course.models import pretrained, saelens_format
from mi_course.models.sparse_autoencoder import SparseAutoencoder
from mi_course.recipes import tiny_world_sae as recipe
from tests.type_checks import unchecked

NAMES = ("tiny-world-sae-small", "tiny-world-sae", "tiny-world-sae-large")
each = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def model():
    return mi_course.load("tiny-world").requires_grad_(False)


@pytest.fixture(scope="module")
def fresh():
    """Texts that neither training nor the card has seen."""
    return as_rows(recipe.documents(40, 20, seed=77))


@each
def test_its_hashes_are_those_of_the_files(name):
    card, folder = pretrained.card(name), pretrained.WEIGHTS / name
    assert set(card["files"]) == {path.name for path in folder.iterdir()} - {"card.json"}
    for file, facts in card["files"].items():
        pretrained.verify(folder / file, facts["sha256"])
        assert (folder / file).stat().st_size == facts["bytes"]


def test_all_together_take_less_than_6_megabytes():
    folders = [pretrained.WEIGHTS / name for name in NAMES]
    assert sum(path.stat().st_size for folder in folders for path in folder.iterdir()) < 6_000_000


@each
def test_the_door_gives_it_and_its_twin(name):
    sae, twin = SparseAutoencoder.from_pretrained(name), mi_course.load(f"{name}-untrained")
    assert pretrained.path_of(name) == pretrained.WEIGHTS / name / saelens_format.WEIGHTS
    assert sae.config == twin.config
    assert (sae.config.kind, sae.config.k) == ("topk", 16)
    assert (sae.hook_name, sae.config.model_name) == ("blocks.3.hook_resid_pre", "tiny-world")
    assert not torch.allclose(sae.W_dec, twin.W_dec, atol=0.01)
    assert torch.allclose(sae.W_dec.norm(dim=1), torch.ones(sae.config.d_sae), atol=1e-3)


def test_they_differ_in_size_alone():
    shapes = [json.loads((pretrained.WEIGHTS / name / "cfg.json").read_text()) for name in NAMES]
    assert [shape.pop("d_sae") for shape in shapes] == [256, 1024, 4096]
    assert shapes[0] == shapes[1] == shapes[2]


@each
def test_it_does_on_fresh_texts_what_its_card_says(name, model, fresh):
    tokens, own = fresh
    sae, said = mi_course.load(name), pretrained.card(name)["validation"]["documents"]
    with unchecked():
        x = collect(model, tokens, sae.hook_name, where=own)
        features = sae.encode(x)
        recovered = sae_metrics.loss_recovered(model, sae, tokens, where=own).recovered("mean")
    assert sae_metrics.l0(features) == pytest.approx(16, abs=0.1)
    assert sae_metrics.explained_variance(x, sae.decode(features)) == pytest.approx(
        said["explained_variance"], abs=0.02
    )
    assert said["explained_variance"] > 0.9
    assert recovered.low > 0.95
    assert said["loss_recovered_against_mean"][1] > 0.97


def test_the_larger_the_dictionary_the_more_it_explains():
    explained = [pretrained.card(name)["validation"]["documents"]["explained_variance"] for name in NAMES]
    assert explained == sorted(explained)
    assert explained[0] < explained[-1] - 0.01


@each
def test_ten_true_latents_and_more_are_said_by_one_feature_better_than_by_any_neuron(name):
    said = pretrained.card(name)["true_latents"]
    scores = said["f1_of_feature_and_neuron"].values()
    assert len(scores) > 40
    assert said["well_said"] == sum(ours >= 0.8 and ours > neuron for ours, neuron in scores) >= 10
    assert 5 <= said["surely"] <= said["well_said"]


def test_the_untrained_twin_expresses_little(model, fresh):
    tokens, own = fresh
    x = collect(model, tokens, "blocks.3.hook_resid_pre", where=own)
    assert sae_metrics.explained_variance(x, mi_course.load("tiny-world-sae-untrained")(x)) < 0.5
