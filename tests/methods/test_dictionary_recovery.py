"""Found, missed and found twice: true directions against dictionaries made by hand."""

import pytest
import torch

from mi_course.data.sparse_features import dictionary
from mi_course.methods.dictionary_recovery import recovery
from mi_course.models.sparse_autoencoder import SparseAutoencoder, SparseAutoencoderConfig

TRUE = torch.eye(4)[:3]
FOUND = torch.tensor(
    [
        [0.0, 5.0, 0.0, 0.0],  # the second one, longer
        [3.0, 0.0, 0.0, 0.1],  # the first one, nearly
        [2.0, 0.1, 0.0, 0.0],  # the first one again
        [0.0, 0.0, -1.0, 0.0],  # the third one backwards: not found
        [0.0, 0.0, 0.6, 0.8],  # the third one, roughly
    ]
)


def test_cosines_copies_and_what_was_missed():
    found = recovery(FOUND, TRUE)
    assert found.cosine.tolist() == pytest.approx([0.9994, 1.0, 0.6], abs=1e-3)
    assert found.which.tolist() == [1, 0, 4]
    assert found.copies.tolist() == [2, 1, 0]
    assert found.mean_max_cosine == pytest.approx(0.8665, abs=1e-3)


def test_a_dictionary_that_has_them_all_in_any_order_and_length_is_perfect():
    true = dictionary(30, 10, seed=3)
    order = torch.randperm(30)
    found = recovery(7 * true[order], true)
    assert found.mean_max_cosine == pytest.approx(1.0, abs=1e-5)
    assert torch.equal(order[found.which], torch.arange(30))


def test_random_directions_find_the_more_the_more_there_are():
    true = dictionary(30, 10, seed=3)
    few, many = (recovery(dictionary(n, 10, seed=4), true) for n in (20, 400))
    assert 0.3 < few.random.mean() < many.random.mean() < 0.9
    assert many.mean_max_cosine == pytest.approx(many.random.mean().item(), abs=0.05)
    assert few.random_interval().high < many.random_interval().low


def test_the_control_is_not_the_truth_of_the_same_seed():
    true = dictionary(30, 10, seed=0)
    assert recovery(true, true, seed=0).random.max() < 0.999


def test_of_an_autoencoder_the_rows_of_the_decoder_are_taken():
    sae = SparseAutoencoder(SparseAutoencoderConfig(10, 20, "l1"), seed=0)
    assert recovery(sae, sae.W_dec[:5].detach()).mean_max_cosine == pytest.approx(1.0, abs=1e-5)


@pytest.mark.usefixtures("without_type_checks")
def test_other_dimensions_are_refused():
    with pytest.raises(ValueError, match="live in 4 dimensions, the true ones in 3"):
        recovery(FOUND, torch.eye(3))
