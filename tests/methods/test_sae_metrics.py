"""The four figures of an autoencoder, by hand and against plain formulas."""

import pytest
import torch

from mi_course.methods import sae_metrics
from mi_course.methods.metrics import loss_by_position
from mi_course.models.sparse_autoencoder import SparseAutoencoder, SparseAutoencoderConfig
from mi_course.models.transformer import Transformer, TransformerConfig

FEATURES = torch.tensor([[[0.0, 2.0, 0.0], [1.0, 3.0, 0.0]], [[0.0, 0.0, 0.0], [0.5, 0.1, 0.0]]])
POINT = "blocks.1.hook_resid_pre"


def test_sparsity_is_counted():
    assert sae_metrics.l0(FEATURES) == pytest.approx(5 / 4)
    assert sae_metrics.density(FEATURES).tolist() == pytest.approx([0.5, 0.75, 0.0])


def test_explained_variance_is_1_for_all_0_for_the_mean_and_less_for_worse():
    x = torch.randn(50, 6) + 4
    assert sae_metrics.explained_variance(x, x) == 1
    assert sae_metrics.explained_variance(x, x.mean(0).expand_as(x)) == pytest.approx(0, abs=1e-5)
    assert sae_metrics.explained_variance(x, torch.zeros_like(x)) < -1
    half = x.mean(0) + 0.5 * (x - x.mean(0))
    assert sae_metrics.explained_variance(x, half) == pytest.approx(0.75, abs=1e-5)
    assert sae_metrics.explained_variance(x.view(5, 10, 6), half.view(5, 10, 6)) == pytest.approx(
        0.75, abs=1e-5
    )


@pytest.mark.usefixtures("without_type_checks")
def test_vectors_and_reconstructions_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="has shape"):
        sae_metrics.explained_variance(torch.ones(3, 4), torch.ones(2, 4))


@pytest.fixture(scope="module")
def model():
    """Random weights of a size at which layers matter."""
    model = Transformer(TransformerConfig(2, 8, 2, 4, 16, 20, 12), seed=0).requires_grad_(False)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(20 if parameter.ndim > 1 else 1)
    return model


TOKENS = torch.randint(20, (6, 9), generator=torch.Generator().manual_seed(0))
OWN = torch.arange(9) < torch.tensor([9, 9, 4, 6, 3, 9])[:, None]
OWN[:, 0] = False


def perfect():
    """Reconstructs every vector: each coordinate has one feature for above and one for below zero."""
    sae = SparseAutoencoder(SparseAutoencoderConfig(8, 16, "l1", hook_name=POINT))
    with torch.no_grad():
        sae.W_dec.copy_(torch.cat([torch.eye(8), -torch.eye(8)]))
        sae.W_enc.copy_(sae.W_dec.T)
    return sae


def constant(value):
    """Reconstructs nothing but a constant."""
    sae = perfect()
    with torch.no_grad():
        sae.b_enc.fill_(-1e6)
        sae.b_dec.copy_(value)
    return sae


def test_a_perfect_autoencoder_recovers_all(model):
    found = sae_metrics.loss_recovered(model, perfect(), TOKENS, where=OWN, rows=4)
    assert torch.allclose(found.reconstructed, found.clean, atol=1e-4)
    assert found.recovered("mean").estimate == pytest.approx(1, abs=1e-3)
    assert (found.zero - found.clean).abs().max() > 0.1
    assert (found.mean - found.clean).abs().max() > 0.1


def test_one_that_knows_the_mean_alone_recovers_nothing_against_the_mean(model):
    mean = model.run_with_cache(TOKENS)[1][POINT][OWN].mean(0)
    found = sae_metrics.loss_recovered(model, constant(mean), TOKENS, where=OWN)
    assert torch.allclose(found.reconstructed, found.mean, atol=1e-4)
    assert found.recovered("mean").estimate == pytest.approx(0, abs=1e-3)
    nothing = sae_metrics.loss_recovered(model, constant(torch.zeros(8)), TOKENS, where=OWN)
    assert torch.allclose(nothing.reconstructed, nothing.zero, atol=1e-4)


def test_losses_are_those_of_the_texts_own_tokens(model):
    found = sae_metrics.loss_recovered(model, constant(torch.zeros(8)), TOKENS, where=OWN, rows=2)
    for row, own in enumerate(OWN.sum(1).tolist()):
        text = TOKENS[row : row + 1, : own + 1]
        resid = model.run_with_cache(text)[1][POINT]
        resid[:, 1:] = 0
        by_hand = loss_by_position(model.run_from(resid, 1), text).mean()
        assert found.zero[row].item() == pytest.approx(by_hand.item(), abs=1e-4)
        assert found.clean[row].item() == pytest.approx(
            loss_by_position(model(text), text).mean().item(), abs=1e-4
        )


def test_without_a_mask_all_but_the_first_token_count(model):
    where = torch.ones_like(OWN)
    where[:, 0] = False
    sae = constant(torch.zeros(8))
    default, said = (
        sae_metrics.loss_recovered(model, sae, TOKENS, **options) for options in ({}, {"where": where})
    )
    assert torch.equal(default.reconstructed, said.reconstructed)


def test_a_text_without_tokens_is_refused(model):
    with pytest.raises(ValueError, match="no token to predict"):
        sae_metrics.loss_recovered(model, perfect(), TOKENS, where=torch.zeros_like(OWN))
