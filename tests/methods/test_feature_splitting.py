"""A feature that was split by hand is found to be split; one that was not is not."""

import pytest
import torch

from mi_course.methods.feature_splitting import descent, split
from mi_course.models.sparse_autoencoder import SparseAutoencoder, SparseAutoencoderConfig

D = 40


def with_directions(directions, hook_name="blocks.1.hook_resid_pre"):
    sae = SparseAutoencoder(
        SparseAutoencoderConfig(D, len(directions), kind="topk", k=2, hook_name=hook_name), seed=0
    ).requires_grad_(False)
    sae.W_dec.copy_(directions)
    return sae


@pytest.fixture(scope="module")
def family():
    """Three old features; the first has three descendants, the second stays, the third vanishes."""
    noise = torch.randn(9, D, generator=torch.Generator().manual_seed(0))
    old = noise[:3]
    children = torch.stack([old[0] + size * other for size, other in zip((0.6, 0.4, 0.2), noise[3:6])])
    return with_directions(old), with_directions(torch.cat([children, 3 * old[1:2], noise[6:9]]))


def test_descendants_are_found_the_nearest_first(family):
    found = descent(*family)
    assert found.family(0).tolist() == [2, 1, 0]
    assert found.family(1).tolist() == [3]
    assert found.cosine[3] == pytest.approx(1, abs=1e-5)
    assert found.family(2).tolist() == []


def test_near_is_nearer_than_nearly_all_random_directions(family):
    found = descent(*family)
    assert (found.random > found.near).float().mean() <= 1 / len(found.random)
    assert (found.cosine[4:] < found.near + 0.15).all()


def test_words_are_shared_out_among_the_family():
    small = torch.tensor([[1.0], [2.0], [0.0], [3.0], [1.0]])
    large = torch.tensor([[1.0, 0, 0], [0, 0, 2.0], [5.0, 0, 0], [1.0, 0, 1.0], [0, 0, 0]])
    found = split(0, torch.tensor([1, 2, 0]), small, large)
    assert found.members.tolist() == [2, 0]
    assert found.shares.tolist() == [0.5, 0.5]
    assert found.coverage == pytest.approx(0.75)
    assert split(0, torch.tensor([1]), small, large).coverage == 0


def test_errors_say_what_does_not_fit(family):
    with pytest.raises(ValueError, match="same activation"):
        descent(family[0], with_directions(torch.eye(D), hook_name="blocks.2.hook_resid_pre"))
    with pytest.raises(ValueError, match="none of these words"):
        split(0, torch.tensor([0]), torch.zeros(3, 1), torch.ones(3, 1))
