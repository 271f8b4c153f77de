"""Another network in every number, the same one in everything that it computes."""

import pytest
import torch

from mi_course.errors import CourseError
from mi_course.methods.copying import copying
from mi_course.methods.rank_one_edit import EditedTransformer, RankOneEdit
from mi_course.methods.sealed.disguise import disguise, rotation_that_keeps_the_mean
from mi_course.models.transformer import Transformer
from tests.models.small_transformers import CONFIGS, make, random_tokens


@pytest.fixture(scope="module")
def model():
    return make(CONFIGS["gpt2"]).requires_grad_(False)


@pytest.fixture(scope="module")
def disguised(model):
    return disguise(model, seed=3)


def run(model, names=None):
    with torch.no_grad():
        return model.run_with_cache(random_tokens(), names)


def test_logits_and_patterns_are_the_same(model, disguised):
    (logits, cache), (its_logits, its_cache) = run(model), run(disguised)
    assert (logits - its_logits).abs().max() < 1e-4
    for layer in range(model.config.n_layers):
        assert torch.allclose(cache["pattern", layer], its_cache["pattern", layer], atol=1e-5)


def test_lengths_in_the_stream_survive_and_directions_do_not(model, disguised):
    (_, cache), (_, its_cache) = run(model), run(disguised)
    for name in ("resid_post", "attn_out", "mlp_out"):
        mine, its = cache[name, 1], its_cache[name, 1]
        mine = mine - mine.mean(dim=-1, keepdim=True)  # the part that layer norms read
        assert torch.allclose(mine.norm(dim=-1), its.norm(dim=-1), rtol=1e-4)
        assert torch.cosine_similarity(mine, its, dim=-1).abs().mean() < 0.5


def test_eigenvalues_of_ov_circuits_survive(model, disguised):
    assert torch.allclose(copying(model).values, copying(disguised).values, atol=1e-3)


def test_no_weight_stays_what_it_was(model, disguised):
    for (name, mine), its in zip(model.named_parameters(), disguised.parameters()):
        assert (mine - its).norm() > 0.1 * mine.norm(), name


def test_the_model_itself_is_left_alone_and_a_seed_decides(model, disguised):
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    again, other = disguise(model, seed=3), disguise(model, seed=4)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert torch.equal(again.W_E, disguised.W_E)
    assert not torch.allclose(other.W_E, disguised.W_E)


def test_noise_reaches_every_matrix_and_changes_the_answers_a_little(model, disguised):
    noisy = disguise(model, seed=3, noise=0.02)
    difference = (run(noisy)[0] - run(disguised)[0]).abs()
    assert difference.max() > 1e-3
    assert difference.mean() < 0.2 * run(model)[0].std()


def test_an_edited_models_disguise_does_not_remember_the_edit(model):
    edit = RankOneEdit(1, torch.ones(model.config.d_mlp), torch.ones(model.config.d_model))
    sealed = disguise(EditedTransformer(model, [edit]), seed=0)
    assert type(sealed) is Transformer
    assert not hasattr(sealed, "edits")


def test_the_rotation_keeps_means_and_lengths():
    turn = rotation_that_keeps_the_mean(6, torch.Generator().manual_seed(1))
    x = torch.randn(20, 6, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(turn @ turn.T, torch.eye(6), atol=1e-5)
    assert torch.allclose((x @ turn).mean(dim=-1), x.mean(dim=-1), atol=1e-5)
    assert not torch.allclose(turn, torch.eye(6), atol=0.3)


@pytest.mark.parametrize("kind", ["tied", "no norm", "no bias", "attention-only"])
def test_what_cannot_be_disguised_says_so(kind):
    with pytest.raises(CourseError, match="layer norms, biases and an unembedding"):
        disguise(make(CONFIGS[kind]), seed=0)
