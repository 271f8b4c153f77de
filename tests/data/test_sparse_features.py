"""Features that are off most of the time, and vectors of which we know what they are made of."""

import math

import pytest
import torch

from mi_course.data import sparse_features
from mi_course.methods.uncertainty import wilson_interval


@pytest.mark.parametrize("density", [0.02, 0.3, 1.0])
def test_a_feature_is_there_as_often_as_its_density_says(density):
    drawn = sparse_features.features(4_000, 5, density=density)
    share = wilson_interval(int((drawn > 0).sum()), drawn.numel(), confidence=0.999)
    assert share.low <= density <= share.high


@pytest.mark.parametrize("density", [0.1, 1.0])
def test_where_a_feature_is_there_it_is_uniform_from_0_to_1(density):
    drawn = sparse_features.features(20_000, 5, density=density)
    there = drawn[drawn > 0].sort().values
    steps = torch.arange(1, len(there) + 1) / len(there)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert (there - steps).abs().max() < 1.95 / math.sqrt(len(there))  # Kolmogorov and Smirnov, 1 in 1,000


def test_features_come_and_go_independently():
    there = (sparse_features.features(40_000, 4, density=0.2) > 0).float()
    others = torch.corrcoef(there.T).fill_diagonal_(0)
    assert others.abs().max() < 4 / math.sqrt(len(there))


def test_each_feature_may_have_a_density_of_its_own():
    wanted = torch.tensor([0.01, 0.1, 0.9])
    there = (sparse_features.features(20_000, 3, density=wanted) > 0).float().mean(dim=0)
    assert torch.allclose(there, wanted, atol=0.015)


def test_densities_may_differ_along_any_axis():
    density = torch.tensor([0.05, 0.5])[:, None]
    drawn = sparse_features.draw((5_000, 2, 3), density, torch.Generator().manual_seed(0))
    assert drawn.shape == (5_000, 2, 3)
    assert torch.allclose((drawn > 0).float().mean(dim=0), density.expand(2, 3), atol=0.03)


def test_directions_have_length_1_and_no_side_is_preferred():
    directions = sparse_features.dictionary(2_000, 3)
    assert torch.allclose(directions.norm(dim=-1), torch.ones(2_000))
    assert directions.mean(dim=0).norm() < 0.1
    second_moments = directions.T @ directions / len(directions)
    assert torch.allclose(second_moments, torch.eye(3) / 3, atol=0.03)


def test_two_random_directions_have_a_cosine_around_one_over_the_root_of_d():
    directions = sparse_features.dictionary(200, 25)
    cosines = (directions @ directions.T)[~torch.eye(200, dtype=torch.bool)]
    assert cosines.square().mean().sqrt().item() == pytest.approx(1 / 5, rel=0.1)


def test_a_vector_is_the_sum_of_its_features_directions():
    directions = sparse_features.dictionary(6, 3, seed=4)
    made = sparse_features.sample(directions, 7, density=0.5)
    for vector, present in zip(made.vectors, made.features):
        assert torch.allclose(vector, sum(a * d for a, d in zip(present, directions)), atol=1e-6)
    assert len(made) == 7
    assert made.dictionary is directions


def test_noise_is_added_to_the_vectors_and_not_to_the_features():
    directions = sparse_features.dictionary(6, 3)
    clean, noisy = (sparse_features.sample(directions, 4_000, noise=noise) for noise in (0, 0.2))
    assert torch.equal(clean.features, noisy.features)
    noise = noisy.vectors - clean.vectors
    assert noise.std().item() == pytest.approx(0.2, rel=0.05)
    assert abs(torch.corrcoef(torch.stack([noise[:, 0], noisy.features[:, 0]]))[0, 1]) < 0.07


def test_a_seed_repeats_itself_and_another_does_not():
    for make in (
        lambda seed: sparse_features.features(5, 4, density=0.5, seed=seed),
        lambda seed: sparse_features.dictionary(5, 4, seed=seed),
        lambda seed: sparse_features.sample(torch.eye(3), 5, density=0.5, noise=0.1, seed=seed).vectors,
    ):
        assert torch.equal(make(1), make(1))
        assert not torch.equal(make(1), make(2))


@pytest.mark.parametrize("density", [0, -0.1, 1.5])
def test_a_density_that_is_no_share_is_refused(density):
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        sparse_features.features(3, 2, density=density)


def test_what_cannot_be_drawn_is_refused_with_a_remedy():
    with pytest.raises(ValueError, match=r"3 numbers, but there are 2 features"):
        sparse_features.features(3, 2, density=torch.tensor([0.1, 0.1, 0.1]))
    with pytest.raises(ValueError, match="at least 1"):
        sparse_features.features(0, 2)
    with pytest.raises(ValueError, match="at least 1"):
        sparse_features.dictionary(0, 2)
    with pytest.raises(ValueError, match="0 or more"):
        sparse_features.sample(torch.eye(2), 3, noise=-1)
