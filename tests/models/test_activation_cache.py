"""A cache is a dictionary that cannot be changed and that helps with misspelt names."""

from collections.abc import Mapping

import pytest
import torch

from mi_course.errors import UnknownName
from mi_course.models.activation_cache import ActivationCache


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
