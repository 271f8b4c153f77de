"""Every activation is the one that TransformerLens caches for the same weights.

Its activations were stored once: see make_transformer_lens_reference.py.
"""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from mi_course.models.transformer import Transformer

FILE = Path(__file__).with_name("transformer_lens_reference.safetensors")


def stored(network):
    """The network's ``config.json``, and its tensors by what stands before the first slash of their names."""
    parts = {"weights": {}, "cache": {}}
    with safe_open(FILE, "pt") as file:
        for key in file.keys():  # noqa: SIM118 (the file cannot be iterated)
            owner, part, *name = key.split("/")
            if owner == network and name:
                parts[part][name[0]] = file.get_tensor(key)
            elif owner == network:
                parts[part] = file.get_tensor(key)
        return json.loads(file.metadata()[network]), parts


@pytest.mark.parametrize("network", ["gpt2", "attention-only", "relu"])
def test_every_cached_activation_equals_transformer_lens(network):
    config, expected = stored(network)
    model = Transformer.from_gpt2(config, expected["weights"])
    with torch.no_grad():
        logits, cache = model.run_with_cache(expected["tokens"])
    assert torch.allclose(logits, expected["logits"], atol=1e-4)
    assert set(cache) == set(expected["cache"])
    for name, theirs in expected["cache"].items():
        assert cache[name].shape == theirs.shape, name
        assert torch.allclose(cache[name], theirs, atol=1e-4), name


def test_the_reference_is_not_trivial():
    _, expected = stored("gpt2")
    finite = {name: x[x.isfinite()] for name, x in expected["cache"].items()}
    assert all(x.std() > 0.05 for x in finite.values())
    assert all(weight.std() > 0.1 for weight in expected["weights"].values())
