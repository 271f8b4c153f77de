"""The three kinds of autoencoders by hand, what they refuse, and the door to them."""

import pytest
import torch

from mi_course.errors import CourseError
from mi_course.models.sparse_autoencoder import SparseAutoencoder, SparseAutoencoderConfig

PRE = torch.tensor([[3.0, -1.0, 2.0, 0.5], [0.1, 0.2, 0.3, -0.4]])
"""What the encoder of `planted` finds, by construction."""


def planted(kind, **options):
    """Reads coordinate i of x as feature i, and writes it twice as long into coordinate i."""
    sae = SparseAutoencoder(SparseAutoencoderConfig(4, 4, kind, **options), seed=0)
    with torch.no_grad():
        sae.W_enc.copy_(torch.eye(4))
        sae.W_dec.copy_(2 * torch.eye(4))
        sae.b_enc.copy_(torch.tensor([0.0, 0.0, 0.0, 1.0]))
        sae.b_dec.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))
        if sae.threshold is not None:
            sae.threshold.copy_(torch.tensor([0.0, 0.0, 0.35, 0.4]))
    return sae


X = PRE - torch.tensor([0.0, 0.0, 0.0, 1.0]) + torch.tensor([1.0, 0.0, 0.0, 0.0])

EXPECTED = {
    "l1": [[3.0, 0.0, 2.0, 0.5], [0.1, 0.2, 0.3, 0.0]],
    "topk": [[3.0, 0.0, 2.0, 0.0], [0.0, 0.2, 0.3, 0.0]],
    "jumprelu": [[3.0, 0.0, 2.0, 0.5], [0.1, 0.2, 0.0, 0.0]],
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_each_kind_makes_its_own_zeros(kind):
    sae = planted(kind, k=2 if kind == "topk" else None)
    assert torch.allclose(sae.pre_activations(X), PRE, atol=1e-6)
    features = sae.encode(X)
    assert torch.allclose(features, torch.tensor(EXPECTED[kind]), atol=1e-6)
    assert torch.equal(features > 0, torch.tensor(EXPECTED[kind]) > 0)
    assert torch.allclose(sae.decode(features), 2 * features + torch.tensor([1.0, 0.0, 0.0, 0.0]))
    assert torch.equal(sae(X), sae.decode(features))


def test_a_threshold_itself_is_not_above_it():
    sae = planted("jumprelu")
    assert not sae.activate(sae.threshold.detach()).any()
    assert (sae.activate(sae.threshold.detach() + 0.01) > 0).all()


def test_topk_never_has_more_than_k_and_may_have_fewer():
    sae = SparseAutoencoder(SparseAutoencoderConfig(8, 32, "topk", 5), seed=1)
    assert (sae.encode(torch.randn(50, 8)) > 0).sum(-1).max() == 5
    with torch.no_grad():
        sae.b_enc.fill_(-100.0)
    assert not sae.encode(torch.randn(50, 8)).any()


def test_any_leading_axes_are_kept():
    sae = SparseAutoencoder(SparseAutoencoderConfig(8, 32, "topk", 5), seed=1)
    x = torch.randn(2, 3, 8)
    assert torch.allclose(sae.encode(x)[1, 2], sae.encode(x[1, 2]), atol=1e-6)
    assert torch.allclose(sae(x)[1, 2], sae(x[1, 2]), atol=1e-6)


def test_scaling_by_the_decoders_length_changes_nothing_where_every_length_is_1():
    plain, scaled = (
        SparseAutoencoder(SparseAutoencoderConfig(8, 32, "topk", 5, scale_by_norm=scale), seed=1)
        for scale in (False, True)
    )
    x = torch.randn(20, 8)
    assert torch.allclose(plain.encode(x), scaled.encode(x), atol=1e-5)
    with torch.no_grad():
        scaled.W_dec *= 3.0
    assert torch.allclose(scaled.encode(x), 3 * plain.encode(x), atol=1e-5)


@pytest.mark.parametrize("normalize", ["centre", "layer_norm", "constant_norm"])
def test_what_is_normalized_away_comes_back(normalize):
    """With an encoder and decoder that pass everything on, the input comes out again."""
    sae = SparseAutoencoder(SparseAutoencoderConfig(4, 8, "l1", normalize=normalize))
    with torch.no_grad():
        sae.W_dec.copy_(torch.cat([torch.eye(4), -torch.eye(4)]))
        sae.W_enc.copy_(sae.W_dec.T)
    x = 5 * torch.randn(7, 4) + 3
    assert torch.allclose(sae(x), x, atol=1e-3)
    with pytest.raises(CourseError, match="like=x"):
        sae.decode(sae.encode(x))


def test_the_same_seed_gives_the_same_weights_and_leaves_torchs_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again, other = (
        SparseAutoencoder(SparseAutoencoderConfig(4, 6, "l1"), seed=seed) for seed in (0, 0, 1)
    )
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first.W_dec, again.W_dec)
    assert not torch.equal(first.W_dec, other.W_dec)
    assert torch.allclose(first.W_dec.norm(dim=1), torch.ones(6))


def test_random_weights_are_not_the_directions_drawn_with_the_same_seed():
    """Otherwise an autoencoder would start from the truth of `data.sparse_features`, and find it at once."""
    from mi_course.data.sparse_features import dictionary

    sae = SparseAutoencoder(SparseAutoencoderConfig(16, 32, "l1"), seed=0)
    assert (sae.W_dec @ dictionary(32, 16, seed=0).T).max() < 0.99


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "topk"}, "k=None"),
        ({"kind": "topk", "k": 9}, "between 1 and d_sae = 8"),
        ({"kind": "l1", "k": 2}, "only topk autoencoders have a k"),
        ({"kind": "gated"}, "kind='gated'"),
        ({"kind": "l1", "normalize": "twice"}, "normalize='twice'"),
        ({"kind": "l1", "d_in": 0}, "d_in=0"),
    ],
    ids=["no k", "k too large", "k for l1", "kind", "normalize", "d_in"],
)
def test_a_shape_that_makes_no_sense_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        SparseAutoencoderConfig(**{"d_in": 4, "d_sae": 8, **options})


def test_vectors_of_another_size_are_refused():
    sae = SparseAutoencoder(SparseAutoencoderConfig(4, 6, "l1", hook_name="blocks.2.hook_resid_pre"))
    with pytest.raises(CourseError, match=r"d_in = 4, the size of blocks\.2\.hook_resid_pre"):
        sae.encode(torch.randn(3, 5))


def test_a_language_model_is_not_taken_for_an_autoencoder():
    with pytest.raises(CourseError, match="not a sparse autoencoder but a Transformer"):
        SparseAutoencoder.from_pretrained("induction-1l")
