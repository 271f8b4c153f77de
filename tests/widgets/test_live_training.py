"""A live training keeps what was reported and can be shown when it is over."""

import pytest
import torch

from mi_course.methods.sparse_autoencoder import TrainingConfig, train
from mi_course.widgets.live_training import LiveTraining


def test_it_draws_what_training_reported():
    live = LiveTraining(6, "a small one")
    vectors = torch.randn(64, 5, generator=torch.Generator().manual_seed(0))
    trained = train(vectors, TrainingConfig(d_sae=8, k=2, steps=6, batch=16), report=live, report_every=2)
    assert live.rows == list(trained.curve)
    assert f"to {live.rows[-1].explained:.2f} at step 6" in live.picture().alt


def test_before_anything_was_reported_there_is_no_picture():
    with pytest.raises(ValueError, match="Nothing was reported"):
        LiveTraining(6, "a small one").picture()
