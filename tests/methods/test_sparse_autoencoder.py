"""Training finds planted directions, goes on after a kill, and revives the dead."""

import dataclasses

import pytest
import torch

from mi_course.data import sparse_features
from mi_course.methods import sparse_autoencoder as method
from mi_course.methods.dictionary_recovery import recovery
from mi_course.methods.sparse_autoencoder import TrainingConfig, train
from mi_course.models.sparse_autoencoder import SparseAutoencoder
from tests.type_checks import unchecked

KINDS = {"topk": {"k": 2}, "l1": {"sparsity": 0.3}, "jumprelu": {"sparsity": 0.05}}
SMALL = {"d_sae": 24, "steps": 30, "batch": 64, "warm_up": 5, "lr": 3e-3}


@pytest.fixture(scope="module")
def world():
    true = sparse_features.dictionary(20, 16, seed=0)
    return sparse_features.sample(true, 20_000, density=0.05, seed=1)


def small(kind, **changes):
    return TrainingConfig(kind=kind, **{**SMALL, **KINDS[kind], **changes})


@pytest.mark.parametrize("kind", KINDS)
def test_the_true_directions_are_found_and_by_training(kind, world):
    config = small(kind, d_sae=40, steps=300 if kind == "topk" else 500, batch=200, lr=1e-2)
    with unchecked():
        trained = train(world.vectors, config, report_every=200)
    found = recovery(trained.sae, world.dictionary)
    assert found.mean_max_cosine > 0.95
    assert found.mean_max_cosine > found.random_interval().high + 0.2
    assert trained.curve[-1].explained > 0.8
    assert trained.curve[-1].l0 < 4
    untrained = SparseAutoencoder(trained.sae.config, seed=0)
    assert recovery(untrained, world.dictionary).mean_max_cosine < 0.7


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_was_killed_ends_with_the_same_weights(kind, world, tmp_path):
    whole = train(world.vectors, small(kind), report_every=7)
    sound = world.vectors

    def killed(step):
        if step == 17:
            raise KeyboardInterrupt
        return method._in_random_order(sound, small(kind))(step)

    options = {"report_every": 7, "checkpoint": tmp_path / "run.pt", "checkpoint_every": 5}
    with pytest.raises(KeyboardInterrupt):
        train(killed, small(kind), **options)
    resumed = train(sound, small(kind), **options)
    assert all(torch.equal(a, b) for a, b in zip(whole.sae.parameters(), resumed.sae.parameters()))
    assert whole.curve == resumed.curve
    assert [row.step for row in whole.curve] == [1, 8, 15, 22, 29, 30]


def test_a_checkpoint_of_another_run_is_refused(world, tmp_path):
    train(world.vectors, small("topk"), checkpoint=tmp_path / "run.pt", checkpoint_every=10)
    with pytest.raises(ValueError, match="other settings"):
        train(world.vectors, small("topk", seed=1), checkpoint=tmp_path / "run.pt")


@pytest.mark.parametrize("kind", KINDS)
def test_the_unit_of_the_activations_does_not_matter(kind, world):
    """A hundred times as long, and moved: the same directions, features a hundred times as active."""
    shift = torch.linspace(-3.0, 3.0, 16)
    one = train(world.vectors, small(kind)).sae
    other = train(100 * world.vectors + shift, small(kind)).sae
    x = world.vectors[:200]
    assert torch.allclose(one.W_dec, other.W_dec, atol=2e-2)
    assert torch.allclose(100 * one(x) + shift, other(100 * x + shift), atol=4.0)
    assert not torch.allclose(100 * one(x), other(100 * x), atol=4.0)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_the_decoder_have_length_1_and_it_is_ready_to_use(kind, world):
    trained = train(world.vectors, small(kind), hook_name="blocks.0.hook_resid_pre", model_name="tiny")
    sae = trained.sae
    assert torch.allclose(sae.W_dec.norm(dim=1), torch.ones(24), atol=1e-5)
    assert (sae.hook_name, sae.config.model_name, sae.config.kind) == (
        "blocks.0.hook_resid_pre",
        "tiny",
        kind,
    )
    assert not sae.training
    assert not any(parameter.requires_grad for parameter in sae.parameters())
    assert (sae.threshold is not None) == (kind == "jumprelu")


@pytest.mark.parametrize("kind", ["l1", "jumprelu"])
def test_dead_features_get_directions_that_are_badly_explained(kind, world):
    config = small(kind, dead_after=3, resample_at=())
    run = method._Run(lambda step: world.vectors[64 * step : 64 * step + 64], config)
    run.advance(world.vectors[:64], measure=False)  # now the optimizer has moments
    run.sae.b_enc.data[:5] = -50.0
    for step in range(4):
        run.advance(world.vectors[64 * step : 64 * step + 64], measure=False)
    assert run.dead[:5].all()
    before = run.sae.W_dec.detach().clone()
    x = world.vectors[:500] * run.scale
    left = x - run.sae(x)
    run._resample(x)
    assert not run.dead.any()
    dead = torch.arange(24) < 5
    changed = (run.sae.W_dec != before).any(dim=1)
    assert changed[dead].all()
    assert (
        torch.nn.functional.cosine_similarity(run.sae.W_dec[:5, None], left[None], dim=-1).amax(1).min()
        > 0.999
    )
    assert not run.optimizer.state[run.sae.W_dec]["exp_avg"][:5].any()
    assert (run.sae.encode(x)[:, :5] > 0).any(dim=0).all()


def test_resampling_happens_where_it_was_asked_for(world, monkeypatch):
    asked = []
    monkeypatch.setattr(method._Run, "_resample", lambda run, x: asked.append(run.step))
    train(world.vectors, small("l1", resample_at=(0.2, 0.5)))
    train(world.vectors, small("topk", resample_at=(0.2, 0.5)))
    assert asked == [6, 15]


def test_the_extra_term_brings_topks_dead_features_back(world):
    """Of 40 features 30 begin dead. The 10 others cannot express 20 directions: ten are needed."""
    config = small("topk", d_sae=40, steps=120, dead_after=10, lr=1e-2)
    quiet = dataclasses.replace(config, dead_after=10**6)
    source = method._in_random_order(world.vectors, config)

    def alive_again(settings):
        run = method._Run(source, settings)
        run.sae.W_enc.data[:, :30] *= 0.01  # never among the largest
        with unchecked():
            for step in range(settings.steps):
                run.advance(source(step), measure=False)
        return int((run.sae.encode(world.vectors[:4000] * run.scale)[:, :30] > 0).any(dim=0).sum())

    assert alive_again(config) >= 8
    assert alive_again(quiet) <= 3


def test_every_vector_is_read_once_before_any_comes_again():
    source = method._in_random_order(torch.arange(40.0)[:, None], small("topk", batch=10))
    first, second = (torch.cat([source(step) for step in steps])[:, 0] for steps in (range(4), range(4, 8)))
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(40))
    assert not torch.equal(first, second)
    assert torch.equal(
        source(2), method._in_random_order(torch.arange(40.0)[:, None], small("topk", batch=10))(2)
    )


def test_a_live_picture_hears_what_the_curve_holds(world):
    heard = []
    trained = train(world.vectors, small("topk", lr=0.03), report=heard.append, report_every=10)
    assert tuple(heard) == trained.curve
    assert [row.step for row in heard] == [1, 11, 21, 30]
    assert heard[-1].explained > heard[0].explained + 0.05
    assert all(row.l0 <= 2 for row in heard)


def test_training_works_where_gradients_are_off_and_leaves_them_off(world):
    with torch.no_grad():
        trained = train(world.vectors, small("l1", sparsity=1, lr=0.03))
        assert not torch.is_grad_enabled()
    begun = SparseAutoencoder(trained.sae.config, seed=0)
    assert not torch.allclose(trained.sae.W_dec, begun.W_dec, atol=0.05)


def test_activations_that_do_not_vary_are_refused():
    with pytest.raises(ValueError, match="do not vary"):
        train(torch.ones(500, 12), small("topk"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "l1"}, "needs a positive price"),
        ({"kind": "topk", "k": 2, "sparsity": 0.1}, "as sparse as its k"),
        ({"kind": "topk", "k": 2, "steps": 0}, "at least 1 step"),
    ],
    ids=["no price", "price and k", "no steps"],
)
def test_settings_that_make_no_sense_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        TrainingConfig(d_sae=8, **options)
