"""What is refused, in words, when a folder does not hold an autoencoder that can be read."""

import json

import pytest
import torch
from safetensors.torch import save_file

import mi_course
from mi_course.errors import CourseError
from mi_course.models import model_folder, saelens_format
from mi_course.models.sparse_autoencoder import SparseAutoencoder, SparseAutoencoderConfig


@pytest.fixture
def folder(tmp_path):
    shape = SparseAutoencoderConfig(4, 6, "topk", 2, hook_name="blocks.0.hook_resid_pre", model_name="tiny")
    SparseAutoencoder(shape, seed=0).save_pretrained(tmp_path)
    return tmp_path


def change(folder, **changes):
    path = folder / "cfg.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architecture": "gated"}, "'gated' is not known here: standard, topk, jumprelu"),
        ({"activation_fn": "tanh-relu"}, "'tanh-relu' is not known here"),
        ({"reshape_activations": "hook_z"}, "side by side"),
        ({"normalize_activations": "whitened"}, "'whitened' is not known here"),
        ({"k": 7}, "k between 1 and d_sae = 6"),
        ({"k": None}, "needs k"),
    ],
    ids=["architecture", "activation", "heads", "normalization", "k too large", "no k"],
)
def test_what_is_not_understood_is_named(folder, changes, said):
    change(folder, **changes)
    with pytest.raises(CourseError, match=said):
        model_folder.read(folder)


def test_a_missing_or_misshapen_weight_is_named(folder):
    good = dict(SparseAutoencoder.from_pretrained(folder).state_dict())
    save_file({"W_enc": good["W_enc"]}, folder / "sae_weights.safetensors")
    with pytest.raises(CourseError, match=r"expected \['W_dec'"):
        model_folder.read(folder)
    save_file({**good, "b_enc": torch.zeros(5)}, folder / "sae_weights.safetensors")
    with pytest.raises(CourseError, match="have the shapes"):
        model_folder.read(folder)
    (folder / "sae_weights.safetensors").unlink()
    with pytest.raises(CourseError, match="holds no weights"):
        model_folder.read(folder)


@pytest.mark.parametrize("text", ["{", "[]"], ids=["half", "a list"])
def test_a_broken_description_is_named(folder, text):
    (folder / "cfg.json").write_text(text)
    with pytest.raises(CourseError, match=r"cfg\.json"):
        model_folder.read(folder)


def test_a_folder_without_one_is_named(tmp_path):
    with pytest.raises(CourseError, match=r"has no cfg\.json"):
        saelens_format.read_config(tmp_path)


def test_the_door_reads_folders_and_keeps_sixteen_bits_close(folder, tmp_path):
    sae = mi_course.load(str(folder))
    assert isinstance(sae, SparseAutoencoder)
    assert not sae.training
    sae.save_pretrained(tmp_path / "half", torch.float16)
    rounded = mi_course.load(str(tmp_path / "half"))
    assert rounded.W_dec.dtype == torch.float32
    assert torch.allclose(rounded.W_dec, sae.W_dec, atol=1e-3)
    assert not torch.equal(rounded.W_dec, sae.W_dec)


def test_an_autoencoder_of_a_centred_model_centres_what_it_reads(tmp_path):
    """Public SAEs for GPT-2 small read a residual stream whose mean over coordinates was taken out of the weights."""
    sae = SparseAutoencoder(SparseAutoencoderConfig(4, 6, "l1"), seed=0)
    sae.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "cfg.json").read_text())
    config["metadata"]["model_from_pretrained_kwargs"] = {"center_writing_weights": True}
    (tmp_path / "cfg.json").write_text(json.dumps(config))
    centring, x = model_folder.read(tmp_path), torch.randn(5, 4)
    centred = x - x.mean(-1, keepdim=True)
    assert torch.allclose(centring.encode(x), sae.encode(centred), atol=1e-6)
    assert torch.allclose(centring(x), sae(centred) + x.mean(-1, keepdim=True), atol=1e-6)
    centring.save_pretrained(tmp_path / "again")
    assert model_folder.read(tmp_path / "again").config.normalize == "centre"
