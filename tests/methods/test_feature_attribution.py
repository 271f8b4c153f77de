"""Attribution of an answer to features: exact where the rest of the model is straight, and never far from the truth."""

import pytest
import torch

from mi_course.errors import CourseError
from mi_course.methods.feature_attribution import attribute, taken_away
from mi_course.methods.metrics import log_prob
from mi_course.models.sparse_autoencoder import SparseAutoencoder, SparseAutoencoderConfig
from tests.methods.planted_facts import random_with_words

TEXTS = ["the old fox lives in", "a cold owl is in"]


def setting(**shape):
    model = random_with_words(seed=1, **shape).requires_grad_(False)
    last = f"blocks.{model.config.n_layers - 1}.hook_resid_post"
    config = SparseAutoencoderConfig(model.config.d_model, 30, k=6, hook_name=last)
    return model, SparseAutoencoder(config, seed=0).requires_grad_(False), model.to_tokens(TEXTS)


def logit_of_rome(model):
    rome = model.to_single_token("Rome")

    def metric(logits):
        return logits[:, -1, rome]

    return metric


def test_behind_the_last_layer_without_a_norm_it_is_exact():
    model, sae, tokens = setting(norm=None)
    _, cache = model.run_with_cache(tokens, [sae.hook_name])
    features = sae.encode(cache[sae.hook_name])
    found = attribute(model, sae, tokens, logit_of_rome(model))
    want = features * (sae.W_dec @ model.W_U[:, model.to_single_token("Rome")])
    want[:, :-1] = 0
    assert torch.allclose(found, want, atol=1e-4)
    true = taken_away(model, sae, tokens, logit_of_rome(model), range(30))
    assert torch.allclose(found.sum(dim=1).T, true, atol=1e-4)
    assert true.abs().max() > 0.1


def test_for_small_features_it_is_what_taking_away_does():
    """With layers in between, to first order: shrink the features, and the two agree ever better."""
    model, sae, tokens = setting()
    at, metric = "blocks.0.hook_resid_post", lambda logits: log_prob(logits, 12)
    sae.W_dec *= 1e-2
    found = attribute(model, sae, tokens, metric, at=at).sum(dim=1).T
    true = taken_away(model, sae, tokens, metric, range(30), at=at)
    assert true.abs().max() > 1e-3
    assert torch.allclose(found, true, atol=0.05 * float(true.abs().max()))


def test_features_that_are_not_active_get_exactly_nothing():
    model, sae, tokens = setting()
    _, cache = model.run_with_cache(tokens, [sae.hook_name])
    silent = sae.encode(cache[sae.hook_name]) == 0
    found = attribute(model, sae, tokens, logit_of_rome(model))
    assert (found[silent] == 0).all()
    assert (found[~silent] != 0).any()
    assert not found.requires_grad


def test_it_works_where_gradients_are_switched_off():
    model, sae, tokens = setting()
    with torch.no_grad():
        off = attribute(model, sae, tokens, logit_of_rome(model))
    assert torch.equal(off, attribute(model, sae, tokens, logit_of_rome(model)))


def test_what_cannot_be_attributed_is_refused():
    model, sae, tokens = setting()
    with pytest.raises(CourseError, match="one number for each of the 2 rows"):
        attribute(model, sae, tokens, lambda logits: logits[:, -1])
    nameless = SparseAutoencoder(SparseAutoencoderConfig(model.config.d_model, 30, k=6), seed=0)
    for call in (attribute, taken_away):
        with pytest.raises(CourseError, match="name it"):
            call(model, nameless, tokens, logit_of_rome(model), *([[0]] if call is taken_away else []))
