"""Pushes, clamps and levels: each does to the residual stream exactly what it says, everywhere, and nothing else."""

import pytest
import torch

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.steering import ablate, add, clamp, mean_activation, mean_difference, random_direction
from mi_course.models.sparse_autoencoder import SparseAutoencoder, SparseAutoencoderConfig
from tests.methods.planted_facts import random_with_words

AT = "blocks.0.hook_resid_post"


@pytest.fixture(scope="module")
def model():
    return random_with_words(seed=1).requires_grad_(False)


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def changed(hooks, resid):
    """What one hook makes of the activation; it may not touch what it is given."""
    [(name, hook)] = hooks
    before = resid.clone()
    after = hook(resid, name)
    assert torch.equal(resid, before)
    return after


def autoencoder(d_in, d_sae=20, **options):
    options = {"kind": "topk", "k": 4, "hook_name": AT, **options}
    sae = SparseAutoencoder(SparseAutoencoderConfig(d_in, d_sae, **options), seed=0).requires_grad_(False)
    sae.W_dec.mul_(torch.linspace(0.5, 2, d_sae)[:, None])
    sae.b_dec.copy_(noise(d_in, seed=9))
    return sae


def test_adding_moves_every_position_by_the_same_vector():
    resid, direction = noise(2, 5, 8), noise(8, seed=1)
    assert torch.allclose(
        changed(add(direction, 2.5, at=AT), resid) - resid, 2.5 * direction.expand(2, 5, 8), atol=1e-6
    )
    assert torch.equal(changed(add(direction, 0, at=AT), resid), resid)


def test_what_is_added_behind_the_last_layer_arrives_at_the_logits_as_it_is():
    """Without a norm behind it, a push raises each logit by its product with the token's direction."""
    model = random_with_words(seed=2, norm=None).requires_grad_(False)
    tokens, direction = model.to_tokens("the old fox"), noise(model.config.d_model)
    last = f"blocks.{model.config.n_layers - 1}.hook_resid_post"
    raised = model.run_with_hooks(tokens, add(direction, -3, at=last)) - model(tokens)
    assert torch.allclose(raised, (-3 * direction @ model.W_U).expand_as(raised), atol=1e-4)


def test_hooks_change_a_run_and_leave_the_model(model):
    tokens, direction = model.to_tokens("the old fox"), noise(model.config.d_model)
    plain = model(tokens)
    assert not torch.allclose(model.run_with_hooks(tokens, add(direction, 5, at=AT)), plain, atol=1e-2)
    assert torch.equal(model(tokens), plain)
    with pytest.raises(UnknownName, match="hook_resid_post"):
        model.run_with_hooks(tokens, add(direction, at="blocks.0.hook_resid_pst"))


@pytest.mark.parametrize("length", [1.0, 7.0])
@pytest.mark.parametrize("level", [0, -2.5])
def test_after_ablation_everything_lies_at_the_level_and_the_rest_is_untouched(length, level):
    resid, direction = noise(2, 5, 8), noise(8, seed=1)
    direction = length * direction / direction.norm()
    after = changed(ablate(direction, level, at=AT), resid)
    assert torch.allclose(after @ direction / length, torch.full((2, 5), float(level)), atol=1e-5)
    across = noise(8, seed=2)
    across -= (across @ direction) / length**2 * direction
    assert torch.allclose(after @ across, resid @ across, atol=1e-5)


def test_a_direction_of_length_zero_is_refused():
    with pytest.raises(CourseError, match="zero everywhere"):
        ablate(torch.zeros(4), at=AT)


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "l1", "k": None},
        {"kind": "topk"},
        {"kind": "jumprelu", "k": None},
        {"scale_by_norm": True},
        {"normalize": "layer_norm"},
    ],
    ids=["l1", "topk", "jumprelu", "scaled", "normalized"],
)
def test_a_clamp_adds_what_the_feature_makes_of_the_difference(options):
    """dose − activation times what one unit of the feature writes; what is not reconstructed stays."""
    sae, resid = autoencoder(8, **options), 2 * noise(2, 5, 8)
    features = sae.encode(resid)
    feature = int((features > 0).float().mean(dim=(0, 1)).sub(0.4).abs().argmin())
    active = features[..., feature] > 0
    assert active.any()
    assert not active.all()
    row = sae.W_dec[feature] / (sae.W_dec[feature].norm() if options.get("scale_by_norm") else 1)
    scale = resid.std(dim=-1, keepdim=True) + 1e-5 if "normalize" in options else 1
    want = resid + (3.0 - features[..., [feature]]) * row * scale
    assert torch.allclose(changed(clamp(sae, feature, 3.0), resid), want, atol=1e-4)


def test_a_clamp_at_the_present_value_changes_nothing():
    sae, resid = autoencoder(8), noise(1, 1, 8)
    features = sae.encode(resid)
    for feature in (int(features.argmax()), int(features.argmin())):
        value = float(features[0, 0, feature])
        assert torch.allclose(changed(clamp(sae, feature, value), resid), resid, atol=1e-5)
    assert not torch.allclose(changed(clamp(sae, feature, -1), resid), resid, atol=1e-2)


def test_several_features_are_clamped_together():
    """One after the other, the second would be computed from a stream that the first has changed."""
    sae, resid = autoencoder(8), noise(2, 5, 8)
    features, chosen = sae.encode(resid), [2, 7]
    for dose in ([1.5, -2.0], 3.0):
        missing = torch.as_tensor(dose) - features[..., chosen]
        want = resid + missing @ sae.W_dec[chosen]
        assert torch.allclose(changed(clamp(sae, chosen, dose), resid), want, atol=1e-4)
    with pytest.raises(CourseError, match="3 doses for 2 features"):
        clamp(sae, chosen, [1.0, 2.0, 3.0])


def test_a_clamp_acts_where_the_autoencoder_reads_unless_told_otherwise(model):
    sae = autoencoder(model.config.d_model)
    assert [name for name, _ in clamp(sae, 0, 1.0)] == [AT]
    assert [name for name, _ in clamp(sae, 0, 1.0, at="blocks.1.hook_resid_post")] == [
        "blocks.1.hook_resid_post"
    ]
    with pytest.raises(CourseError, match="does not say what it reads"):
        clamp(autoencoder(8, hook_name=None), 0, 1.0)
    with pytest.raises(CourseError, match="0 to 19"):
        clamp(sae, 20, 1.0)


def test_a_mean_is_over_tokens_and_neither_over_filling_nor_the_first_one(model):
    texts = ["the fox lives in Rome .", "owl", "a cold cat"]
    kept = []
    for text in texts:
        _, cache = model.run_with_cache(model.to_tokens(text), [AT])
        kept.append(cache[AT][0, 1:])
    assert torch.allclose(mean_activation(model, texts, at=AT), torch.cat(kept).mean(dim=0), atol=1e-5)


def test_a_difference_points_from_the_others_to_the_texts(model):
    texts, others = ["the fox lives in Rome ."], ["a cold cat", "owl"]
    there = mean_difference(model, texts, others, at=AT)
    assert torch.allclose(
        mean_activation(model, others, at=AT) + there, mean_activation(model, texts, at=AT), atol=1e-5
    )
    assert torch.allclose(mean_difference(model, others, texts, at=AT), -there, atol=1e-6)


def test_a_random_direction_is_as_long_as_the_other_and_repeats():
    like = noise(50, seed=3)
    one, again, other = (random_direction(like, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert float(one.norm()) == pytest.approx(float(like.norm()), rel=1e-5)
    assert abs(float(torch.cosine_similarity(one, other, dim=0))) < 0.5
