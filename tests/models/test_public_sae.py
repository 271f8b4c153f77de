"""The way to the public autoencoder for GPT-2 small: where it is looked for, what is refused, what it reads.

The weights are random numbers in the format of the published files, with fewer features.
"""

import dataclasses

import pytest
import torch

import mi_course
from mi_course.commands import models
from mi_course.errors import CourseError, DamagedWeights, ModelNotHere
from mi_course.models import pretrained
from mi_course.models.sparse_autoencoder import SparseAutoencoder
from tests.models import public_sae


@pytest.fixture(autouse=True)
def a_machine_without_public_models(tmp_path, monkeypatch):
    monkeypatch.setenv("MI_COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "MI_COURSE_DEVICE"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def publish(monkeypatch):
    def published(folder, **options):
        monkeypatch.setitem(pretrained.PUBLIC, "gpt2-sae", public_sae.write(folder, **options))
        return folder

    return published


@pytest.fixture
def own_folder(tmp_path):
    return tmp_path / "home" / "models" / "gpt2-sae"


def in_the_cache(tmp_path):
    hub = tmp_path / "huggingface" / "hub" / "models--jbloom--GPT2-Small-SAEs-Reformatted"
    return hub / "snapshots" / "abc" / "blocks.8.hook_resid_pre"


def test_without_it_the_error_says_size_source_licence_and_command():
    with pytest.raises(ModelNotHere) as caught:
        mi_course.load("gpt2-sae")
    for what in ("151 MB", "GPT2-Small-SAEs-Reformatted", "MIT", "mi-course models fetch gpt2-sae"):
        assert what in str(caught.value)
    assert "gpt2-sae" in models.listing()


@pytest.mark.parametrize("where", ["own", "cache"])
def test_it_is_found_and_says_what_it_reads(where, publish, own_folder, tmp_path):
    folder = publish(own_folder if where == "own" else in_the_cache(tmp_path), d_sae=32)
    assert pretrained.path_of("gpt2-sae") == folder / "sae_weights.safetensors"
    sae = SparseAutoencoder.from_pretrained("gpt2-sae")
    assert (sae.hook_name, sae.config.model_name) == ("blocks.8.hook_resid_pre", "gpt2")
    assert torch.equal(sae.W_dec, public_sae.weights(d_sae=32)["W_dec"])


def test_it_reads_the_stream_as_it_was_in_the_model_it_was_trained_on(publish, own_folder):
    """There the weights that write were centred: the stream had a mean of 0 over coordinates."""
    publish(own_folder)
    sae, weights = mi_course.load("gpt2-sae"), public_sae.weights()
    x = torch.randn(3, 768) + 2.0
    centred = x - x.mean(-1, keepdim=True)
    by_hand = ((centred - weights["b_dec"]) @ weights["W_enc"] + weights["b_enc"]).relu()
    assert torch.allclose(sae.encode(x), by_hand, atol=1e-4)
    assert torch.allclose(
        sae(x), by_hand @ weights["W_dec"] + weights["b_dec"] + x.mean(-1, keepdim=True), atol=1e-4
    )


def test_a_folder_without_its_description_is_not_it(publish, own_folder):
    (publish(own_folder) / "cfg.json").unlink()
    with pytest.raises(ModelNotHere):
        mi_course.load("gpt2-sae")


def test_another_autoencoder_in_its_place_is_refused(publish, own_folder, monkeypatch):
    publish(own_folder, d_sae=32)
    entry = pretrained.PUBLIC["gpt2-sae"]
    monkeypatch.setitem(
        pretrained.PUBLIC, "gpt2-sae", dataclasses.replace(entry, shape={**entry.shape, "d_sae": 48})
    )
    with pytest.raises(CourseError, match="its d_sae is 32, expected 48"):
        mi_course.load("gpt2-sae")


def test_a_hash_that_is_known_is_checked(publish, own_folder, monkeypatch):
    publish(own_folder)
    entry = dataclasses.replace(pretrained.PUBLIC["gpt2-sae"], sha256_prefix="00000000")
    monkeypatch.setitem(pretrained.PUBLIC, "gpt2-sae", entry)
    with pytest.raises(DamagedWeights):
        mi_course.load("gpt2-sae")


def test_the_untrained_one_needs_no_file(publish, own_folder):
    publish(own_folder, d_sae=32)
    random = mi_course.load("gpt2-sae-untrained")
    assert random.config == mi_course.load("gpt2-sae").config
    assert not torch.equal(random.W_dec, public_sae.weights(d_sae=32)["W_dec"])
