"""The second moment of keys, over text and nothing else."""

import pytest
import torch

from mi_course.errors import CourseError
from mi_course.methods.key_covariance import KeyCovariance, key_covariance, key_covariances, ordinary_texts
from tests.methods.planted_facts import random_with_words
from tests.type_checks import values_only

TEXTS = ["the fox lives in Rome .", "owl", "a cold cat is in the old Oslo ."] * 2


@pytest.fixture(scope="module")
def model():
    return random_with_words(d_mlp=10)


def keys_by_hand(model, layer):
    keys = []
    for text in TEXTS:
        _, cache = model.run_with_cache(model.to_tokens(text))
        keys.append(cache["post", layer][0, 1:])
    return torch.cat(keys).double()


@values_only
@pytest.mark.parametrize("chunk_size", [1, 5, 100])
def test_it_is_the_mean_of_every_keys_product_with_itself(model, chunk_size):
    for layer, found in key_covariances(model, texts=TEXTS, chunk_size=chunk_size).items():
        keys = keys_by_hand(model, layer)
        want = sum(torch.outer(key, key) for key in keys) / len(keys)
        assert torch.allclose(found.matrix, want, atol=1e-5)
        assert (found.layer, found.n_tokens) == (layer, len(keys))
    assert found.n_tokens == 2 * (6 + 1 + 9)


def test_one_layer_is_one_of_all(model):
    alone = key_covariance(model, 1, TEXTS)
    assert torch.allclose(alone.matrix, key_covariances(model, texts=TEXTS)[1].matrix)
    assert list(key_covariances(model, [2, 0], TEXTS)) == [2, 0]


def test_solving_undoes_the_covariance(model):
    covariance = key_covariance(model, 0, TEXTS, ridge=1e-3)
    keys = torch.randn(3, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(covariance.solve(keys) @ covariance.matrix, keys, atol=1e-8)


def test_a_key_like_ordinary_text_stands_out_less_than_another():
    C = KeyCovariance(torch.diag(torch.tensor([100.0, 1.0, 0.01], dtype=torch.float64)), 0, 1000)
    usual, rare = torch.eye(3)[0], torch.eye(3)[2]
    assert usual.double() @ C.solve(usual[None])[0] == pytest.approx(0.01)
    assert rare.double() @ C.solve(rare[None])[0] == pytest.approx(100)


def test_too_little_text_is_refused_with_a_remedy(model):
    little = key_covariance(model, 0, ["the fox ."])
    with pytest.raises(CourseError, match=r"3 keys of 10 numbers has no inverse.*ridge"):
        little.solve(torch.ones(1, 10))
    ridged = key_covariance(model, 0, ["the fox ."], ridge=0.01)
    assert ridged.solve(torch.ones(1, 10)).isfinite().all()
    mean = little.matrix.diagonal().mean()
    assert torch.allclose(ridged.matrix - little.matrix, 0.01 * mean * torch.eye(10, dtype=torch.float64))


def test_what_has_no_keys_is_refused(model):
    with pytest.raises(CourseError, match="layers 0 to 2"):
        key_covariance(model, 3, TEXTS)
    with pytest.raises(CourseError, match="layers 0 to 2"):
        key_covariance(model, -1, TEXTS)
    with pytest.raises(CourseError, match="attention-only"):
        key_covariance(random_with_words(d_mlp=0), 0, TEXTS)
    with pytest.raises(CourseError, match="no text"):
        key_covariance(model, 0, [])


def test_ordinary_texts_are_of_the_tiny_world_and_the_same_every_time():
    assert ordinary_texts(3, seed=4) == ordinary_texts(3, seed=4) != ordinary_texts(3, seed=5)
    assert len(ordinary_texts(20)) == 20
