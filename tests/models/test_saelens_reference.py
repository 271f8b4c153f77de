"""Encode and decode are SAELens' for the same weights, in every layout of files that the course reads.

What SAELens computes was stored once: see make_saelens_reference.py.
"""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from mi_course.models import model_folder
from mi_course.models.sparse_autoencoder import SparseAutoencoder

FILE = Path(__file__).with_name("saelens_reference.safetensors")
LAYOUTS = (
    "standard",
    "standard, b_dec not subtracted",
    "standard, layer norm",
    "standard, constant norm",
    "topk",
    "topk, by decoder norm",
    "jumprelu",
    "old standard",
    "old topk",
    "old jumprelu",
)


def stored(layout):
    """The layout's ``cfg.json``, its weights, and what SAELens made of them."""
    weights, found = {}, {}
    with safe_open(FILE, "pt") as file:
        for key in file.keys():  # noqa: SIM118 (the file cannot be iterated)
            owner, part, *name = key.split("/")
            if owner == layout:
                (weights if name else found)[name[0] if name else part] = file.get_tensor(key)
        return json.loads(file.metadata()[layout]), weights, found


@pytest.fixture
def folder(tmp_path):
    def written(layout, **changes):
        config, weights, found = stored(layout)
        (tmp_path / "cfg.json").write_text(json.dumps(config))
        save_file({**weights, **changes}, tmp_path / "sae_weights.safetensors")
        return tmp_path, found

    return written


@pytest.mark.parametrize("layout", LAYOUTS)
def test_features_and_reconstruction_are_those_of_saelens(layout, folder):
    where, expected = folder(layout)
    sae = SparseAutoencoder.from_pretrained(where)
    features = sae.encode(expected["x"])
    assert torch.allclose(features, expected["features"], atol=1e-5)
    assert torch.allclose(
        sae.decode(features, like=expected["x"]), expected["reconstruction"], atol=1e-5, rtol=1e-5
    )
    assert torch.equal(sae(expected["x"]), sae.decode(features, like=expected["x"]))


def test_the_file_has_every_layout_and_none_is_trivial():
    with safe_open(FILE, "pt") as file:
        assert tuple(file.metadata()) == LAYOUTS or set(file.metadata()) == set(LAYOUTS)
    results = {layout: stored(layout)[2]["features"] for layout in LAYOUTS}
    assert all(0.05 < (features > 0).float().mean() < 0.95 for features in results.values())
    assert all(features.std() > 0.1 for features in results.values())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_written_reads_back_the_same(layout, folder, tmp_path):
    sae = model_folder.read(folder(layout)[0])
    sae.save_pretrained(tmp_path / "again")
    again = model_folder.read(tmp_path / "again")
    assert again.config == sae.config
    assert again.state_dict().keys() == sae.state_dict().keys()
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in sae.state_dict().items())


def test_where_an_old_file_says_what_it_reads_is_found(folder):
    sae = model_folder.read(folder("old standard")[0])
    assert (sae.hook_name, sae.config.model_name) == ("blocks.8.hook_resid_pre", "gpt2-small")


def test_a_threshold_may_be_stored_as_its_logarithm(folder, tmp_path):
    where, expected = folder("jumprelu")
    weights = stored("jumprelu")[1]
    weights["log_threshold"] = weights.pop("threshold").log()
    save_file(weights, where / "sae_weights.safetensors")
    assert torch.allclose(model_folder.read(where).encode(expected["x"]), expected["features"], atol=1e-5)


def test_an_early_files_factor_on_each_feature_is_taken_into_the_decoder(folder):
    factor = torch.linspace(0.5, 2.0, 20)
    where, expected = folder("old standard", scaling_factor=factor)
    sae = model_folder.read(where)
    weights = stored("old standard")[1]
    by_hand = (expected["features"] * factor) @ weights["W_dec"] + weights["b_dec"]
    assert torch.allclose(sae.decode(sae.encode(expected["x"])), by_hand, atol=1e-4)
