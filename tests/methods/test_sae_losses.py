"""The three losses against their plain formulas, and the gradients that are not the plain ones."""

import math

import pytest
import torch

from mi_course.methods import sae_losses
from mi_course.models.sparse_autoencoder import SparseAutoencoder, SparseAutoencoderConfig

X = torch.randn(64, 8, generator=torch.Generator().manual_seed(1))
NONE_DEAD = torch.zeros(20, dtype=torch.bool)


def some(kind, k=None):
    sae = SparseAutoencoder(SparseAutoencoderConfig(8, 20, kind, k), seed=0)
    with torch.no_grad():
        sae.b_dec.copy_(torch.linspace(-0.5, 0.5, 8))
        if sae.threshold is not None:
            sae.threshold.fill_(0.4)
    return sae


def test_l1_adds_the_price_of_all_activity():
    sae = some("l1")
    loss, error, active = sae_losses.l1(sae, X, 0.3)
    features = sae.encode(X)
    expected = (X - sae(X)).square().mean()
    assert torch.allclose(error, expected)
    assert torch.allclose(loss, expected + 0.3 * features.sum(-1).mean() / math.sqrt(8))
    assert torch.equal(active, (features > 0).sum(0))


def test_jumprelu_adds_the_price_of_the_number_of_active_features():
    sae = some("jumprelu")
    loss, error, active = sae_losses.jumprelu(sae, X, 0.3, 1.0)
    features = sae.encode(X)
    expected = (X - sae(X)).square().mean()
    assert torch.allclose(error, expected)
    assert torch.allclose(loss, expected + 0.3 * (features > 0).float().sum(-1).mean())
    assert torch.equal(active, (features > 0).sum(0).float())


def test_a_price_raises_every_threshold_that_has_inputs_near_it():
    sae = some("jumprelu")
    free, dear = (sae_losses.jumprelu(sae, X, price, 1.0)[0] for price in (0.0, 5.0))
    without, with_price = (torch.autograd.grad(loss, sae.threshold)[0] for loss in (free, dear))
    assert (with_price < without).all()  # gradient descent then raises the threshold
    assert (with_price < 0).all()


def test_a_threshold_is_moved_by_the_inputs_near_it_alone():
    pre = torch.tensor([[0.9, 3.0], [1.2, -1.0]])
    threshold = torch.tensor([1.0, 1.0], requires_grad=True)
    active = sae_losses._Step.apply(pre, threshold, 0.5)
    assert torch.equal(active, torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    active.sum().backward()
    assert torch.equal(threshold.grad, torch.tensor([-4.0, 0.0]))  # two inputs near it, each −1 / bandwidth


def test_topks_gradients_are_those_of_the_plain_formula():
    sae = some("topk", k=3)
    loss, error, active = sae_losses.topk(sae, X, NONE_DEAD)
    ours = torch.autograd.grad(loss, [*sae.parameters()])
    features = sae.activate((X - sae.b_dec.detach()) @ sae.W_enc + sae.b_enc)
    plain = (X - sae.decode(features)).square().mean()
    assert torch.allclose(loss, plain, atol=1e-6)
    assert torch.allclose(error, plain, atol=1e-6)
    assert torch.equal(active, (features > 0).sum(0))
    for gradient, expected in zip(ours, torch.autograd.grad(plain, [*sae.parameters()])):
        assert expected.abs().max() > 1e-4
        assert torch.allclose(gradient, expected, atol=1e-6)


@pytest.mark.parametrize("n_dead", [3, 12])
def test_the_extra_term_trains_the_dead_on_what_is_left_over_and_nothing_else(n_dead):
    """As many of the dead as half the coordinates (4 here) explain the error of the living."""
    sae, dead = some("topk", k=3), torch.arange(20) >= 20 - n_dead
    with torch.no_grad():
        sae.W_enc[:, dead] *= 0.01
    plain = sae_losses.topk(sae, X, NONE_DEAD)[0]
    extra = sae_losses.topk(sae, X, dead)[0] - plain
    centred = X - sae.b_dec.detach()
    pre = (centred @ sae.W_enc[:, dead] + sae.b_enc[dead]).relu()
    smallest = pre.topk(min(4, n_dead), dim=-1).values[:, -1:]
    left = (X - sae(X)).detach()
    by_hand = (left - (pre * (pre >= smallest)) @ sae.W_dec[dead]).square().sum() / left.square().sum() / 32
    assert torch.allclose(extra, by_hand, atol=1e-6)
    gradient = torch.autograd.grad(extra, sae.W_dec, retain_graph=True)[0]
    assert gradient[dead].abs().sum(1).min() > 0
    assert gradient[~dead].abs().max() < 1e-7
