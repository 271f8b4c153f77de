"""Activations token by token, no layer run in vain, and a model that lives on the reconstruction."""

import pytest
import torch

from mi_course.methods import sae_activations as method
from mi_course.models.sparse_autoencoder import SparseAutoencoder, SparseAutoencoderConfig
from mi_course.models.transformer import Transformer, TransformerConfig


@pytest.fixture(scope="module")
def model():
    shape = TransformerConfig(3, 8, 2, 4, 16, 20, 12)
    return Transformer(shape, seed=0).requires_grad_(False)


TOKENS = torch.randint(20, (5, 7), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("point", ["resid_pre", "resid_mid", "resid_post"])
def test_activations_are_collected_token_by_token(model, point):
    where = TOKENS > 5
    name = f"blocks.1.hook_{point}"
    expected = model.run_with_cache(TOKENS)[1][name]
    assert torch.allclose(
        method.collect(model, TOKENS, name, where=where, rows=2), expected[where], atol=1e-6
    )
    assert torch.allclose(method.collect(model, TOKENS, name), expected.flatten(0, 1), atol=1e-6)


def test_layers_behind_the_activation_do_not_run(model):
    reached = []
    with model.hooks([("blocks.2.hook_resid_pre", lambda x, name: reached.append(name))]):
        method.collect(model, TOKENS, "blocks.1.hook_resid_pre")
        assert not reached
        method.collect(model, TOKENS, "blocks.2.hook_resid_pre")
    assert reached


def test_features_are_those_of_the_cached_activation(model):
    shape = SparseAutoencoderConfig(8, 16, "topk", 3, hook_name="blocks.1.hook_resid_post")
    sae = SparseAutoencoder(shape, seed=0)
    expected = sae.encode(model.run_with_cache(TOKENS)[1][shape.hook_name])
    assert torch.allclose(method.features(model, sae, TOKENS), expected, atol=1e-6)


def test_a_model_that_lives_on_the_reconstruction_gets_the_reconstruction(model):
    shape = SparseAutoencoderConfig(8, 16, "topk", 3, hook_name="blocks.1.hook_resid_pre")
    sae = SparseAutoencoder(shape, seed=0)
    resid = model.run_with_cache(TOKENS)[1][shape.hook_name]
    with model.hooks([method.reconstruction_hook(sae)]):
        logits = model(TOKENS)
    assert torch.allclose(logits, model.run_from(sae(resid), 1), atol=1e-5)
    assert not torch.allclose(logits, model(TOKENS), atol=1e-3)


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_encoding_in_parts_gives_what_encoding_at_once_gives(rows):
    sae = SparseAutoencoder(SparseAutoencoderConfig(d_in=6, d_sae=20, kind="topk", k=4), seed=0)
    vectors = torch.randn(10, 6, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(method.encode(sae, vectors, rows=rows), sae.encode(vectors), atol=1e-6)
