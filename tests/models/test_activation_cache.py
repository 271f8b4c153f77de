"""A cache is a dictionary that cannot be changed and that helps with misspelt names."""

from collections.abc import Mapping

import pytest
import torch

from mi_course.errors import CourseError, UnknownName
from mi_course.models.activation_cache import ActivationCache, point_name


@pytest.fixture
def cache():
    return ActivationCache({"conv1": torch.zeros(1, 4, 5, 5), "logits": torch.ones(1, 10)})


def test_it_is_a_mapping(cache):
    assert isinstance(cache, Mapping)
    assert list(cache) == ["conv1", "logits"]
    assert len(cache) == 2
    assert [name for name, tensor in cache.items() if tensor.any()] == ["logits"]
    assert "conv1" in cache
    assert "conv9" not in cache
    assert cache.get("conv1") is cache["conv1"]


def test_get_gives_the_default_for_a_name_that_is_not_there(cache):
    assert cache.get("conv9") is None
    assert cache.get("conv9", 3) == 3


def test_it_cannot_be_changed(cache):
    with pytest.raises(TypeError):
        cache["conv1"] = torch.ones(1)


def test_it_does_not_follow_the_dictionary_that_it_was_made_from():
    activations = {"a": torch.zeros(1)}
    cache = ActivationCache(activations)
    activations["b"] = torch.ones(1)
    assert list(cache) == ["a"]


def test_a_misspelt_name_offers_the_nearest(cache):
    with pytest.raises(UnknownName, match=r"no cached activation named 'logit'.*'logits'"):
        cache["logit"]


def test_it_shows_names_and_shapes_and_no_numbers(cache):
    assert repr(cache) == "ActivationCache(\n  conv1: (1, 4, 5, 5)\n  logits: (1, 10)\n)"


@pytest.fixture
def layers():
    """Three layers of a language model, each filled with its number."""
    names = ["hook_embed", "ln_final.hook_scale"]
    names += [f"blocks.{n}.{point}" for n in range(3) for point in ("hook_resid_pre", "attn.hook_pattern")]
    names += [f"blocks.{n}.ln1.hook_scale" for n in range(3)]
    return ActivationCache(
        {n: torch.full((1, 2), float(n.split(".")[1] if "." in n[:7] else 9)) for n in names}
    )


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (("pattern", 1), "blocks.1.attn.hook_pattern"),
        (("attn_scores", 0), "blocks.0.attn.hook_attn_scores"),
        (("q", 11), "blocks.11.attn.hook_q"),
        (("z", 2), "blocks.2.attn.hook_z"),
        (("resid_pre", 2), "blocks.2.hook_resid_pre"),
        (("attn_out", 2), "blocks.2.hook_attn_out"),
        (("resid_mid", 2), "blocks.2.hook_resid_mid"),
        (("mlp_out", 2), "blocks.2.hook_mlp_out"),
        (("pre", 2), "blocks.2.mlp.hook_pre"),
        (("post", 2), "blocks.2.mlp.hook_post"),
        (("scale", 2, "ln1"), "blocks.2.ln1.hook_scale"),
        (("normalized", 0, "ln2"), "blocks.0.ln2.hook_normalized"),
        (("scale",), "ln_final.hook_scale"),
        (("embed",), "hook_embed"),
        (("pos_embed",), "hook_pos_embed"),
    ],
)
def test_a_short_name_means_the_full_one(key, name):
    assert point_name(*key) == name


def test_short_names_find_what_full_names_find(layers):
    assert layers["pattern", 1] is layers["blocks.1.attn.hook_pattern"]
    assert layers["scale", 2, "ln1"] is layers["blocks.2.ln1.hook_scale"]
    assert layers["embed"] is layers["hook_embed"]
    assert layers["scale"] is layers["ln_final.hook_scale"]
    assert ("pattern", 1) in layers
    assert ("pattern", 3) not in layers
    assert 3 not in layers
    assert layers.get(("pattern", 2)) is layers["pattern", 2]
    assert layers.get(("pattern", 7)) is None


def test_a_negative_layer_counts_from_the_last(layers):
    assert layers["pattern", -1] is layers["pattern", 2]
    assert layers["resid_pre", -3] is layers["resid_pre", 0]


def test_the_last_layer_is_the_models_last_also_when_less_was_cached(layers):
    part = ActivationCache({"blocks.1.attn.hook_pattern": torch.zeros(1)}, n_layers=3)
    assert part.n_layers == 3
    assert ("pattern", -2) in part
    with pytest.raises(
        UnknownName, match=r"'blocks\.2\.attn\.hook_pattern'.*'blocks\.1\.attn\.hook_pattern'"
    ):
        part["pattern", -1]


@pytest.mark.parametrize(
    ("key", "near"),
    [
        (("patern", 1), "blocks.1.attn.hook_pattern"),
        (("pattern", 3), "blocks.0.attn.hook_pattern"),
        (("scale", 1), "blocks.1.ln1.hook_scale"),
        ("pattern", "blocks.0.attn.hook_pattern"),
    ],
)
def test_a_key_that_is_not_there_offers_the_nearest_names(layers, key, near):
    with pytest.raises(UnknownName) as caught:
        layers[key]
    assert near in str(caught.value)


def test_one_point_of_all_layers_can_be_stacked(layers):
    assert layers.stack("pattern")[:, 0, 0].tolist() == [0, 1, 2]
    assert layers.stack("scale", "ln1").shape == (3, 1, 2)
    with pytest.raises(UnknownName):
        layers.stack("z")


def test_what_has_no_layers_cannot_be_stacked(cache):
    assert cache.n_layers == 0
    with pytest.raises(CourseError, match="holds no layers; it has: conv1, logits"):
        cache.stack("pattern")
