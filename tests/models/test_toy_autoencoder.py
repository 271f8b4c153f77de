"""Many tiny autoencoders as one: the same as one after the other, and they find what theory says."""

import pytest
import torch

from mi_course.data import sparse_features
from mi_course.methods.superposition import represented
from mi_course.models import toy_autoencoder
from mi_course.models.toy_autoencoder import ToyAutoencoder


def random_examples(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def sweep():
    """Five features in two dimensions, common and rare."""
    return toy_autoencoder.train(
        torch.tensor([0.8, 0.05]),
        5,
        2,
        importance=0.7 ** torch.arange(5.0),
        restarts=3,
        steps=500,
        keep=[0, 50],
    )


@pytest.mark.parametrize("hidden", ["linear", "relu"])
@pytest.mark.parametrize("output", ["linear", "relu"])
def test_every_instance_is_the_formula_on_its_own_weights(hidden, output):
    model = ToyAutoencoder(3, 4, 2, hidden=hidden, output=output, seed=1)
    torch.nn.init.normal_(model.b_final)
    x = random_examples(3, 6, 4)
    for got, W, b, examples in zip(model(x), model.W, model.b_final, x):
        for back, example in zip(got, examples):
            h = sum(amount * direction for amount, direction in zip(example, W))
            if hidden == "relu":
                h = h.clamp(min=0)
            want = torch.stack([direction @ h for direction in W]) + b
            assert torch.allclose(back, want.clamp(min=0) if output == "relu" else want, atol=1e-6)


def test_encode_and_decode_are_the_two_halves():
    model = ToyAutoencoder(2, 4, 3)
    x = random_examples(2, 5, 4)
    assert model.encode(x).shape == (2, 5, 3)
    assert torch.equal(model.decode(model.encode(x)), model(x))


def test_the_loss_weighs_features_sums_them_and_averages_examples():
    x, back = torch.tensor([[1.0, 0.0], [0.0, 0.5]]), torch.tensor([[0.5, 0.0], [0.0, 0.0]])
    loss = toy_autoencoder.loss(x, back, torch.tensor([1.0, 10.0]))
    assert loss.item() == pytest.approx((1 * 0.25 + 10 * 0.25) / 2)


def test_instances_do_not_see_each_other():
    """A gradient in one world leaves the others' weights alone."""
    model = ToyAutoencoder(2, 4, 2)
    x = random_examples(2, 8, 4)
    toy_autoencoder.loss(x, model(x), torch.ones(2, 4))[0].backward()
    assert model.W.grad[0].abs().sum() > 0
    assert model.W.grad[1].abs().sum() == 0


def test_what_is_mostly_there_leaves_room_for_two_and_what_is_rare_for_more(sweep):
    assert represented(sweep.W[0]).sum(dim=-1).tolist() == [2, 2, 2]
    assert (represented(sweep.W[1]).sum(dim=-1) >= 4).all()


def test_the_two_that_are_kept_are_the_most_important_and_stand_at_right_angles(sweep):
    W = sweep.best_W[0]
    assert represented(W).tolist() == [True, True, False, False, False]
    assert abs(torch.cosine_similarity(W[0], W[1], dim=0)) < 0.05


def test_without_the_last_relu_rarity_changes_nothing():
    linear = toy_autoencoder.train(
        torch.tensor([0.05]), 5, 2, importance=0.7 ** torch.arange(5.0), steps=300, output="linear"
    )
    assert represented(linear.W).sum() == 2


def test_the_loss_is_that_of_the_finished_network_on_fresh_examples(sweep):
    for world, density in enumerate(sweep.density):
        x = sparse_features.features(60_000, 5, density=density.item(), seed=77)
        back = [(x @ W @ W.T + b).relu() for W, b in zip(sweep.W[world], sweep.b_final[world])]
        measured = torch.stack([toy_autoencoder.loss(x, each, sweep.importance[world]) for each in back])
        assert torch.allclose(measured, sweep.loss[world], rtol=0.2)


def test_the_best_restart_is_the_one_with_the_lowest_loss(sweep):
    assert sweep.best.tolist() == [row.index(min(row)) for row in sweep.loss.tolist()]
    for world, restart in enumerate(sweep.best):
        assert torch.equal(sweep.best_W[world], sweep.W[world, restart])


def test_steps_that_were_asked_for_are_kept_and_the_last_always(sweep):
    assert sweep.kept_steps == (0, 50, 500)
    assert sweep.history.shape == (3, 2, 3, 5, 2)
    assert torch.equal(sweep.history[-1], sweep.W)
    assert torch.equal(
        sweep.history[0].flatten(0, 1), ToyAutoencoder(6, 5, 2).W
    )  # the beginning, as it was drawn


def test_each_world_may_weigh_its_features_differently():
    importance = torch.tensor([[1.0, 0.1, 0.1], [0.1, 0.1, 1.0]])
    trained = toy_autoencoder.train(torch.tensor([0.9, 0.9]), 3, 1, importance=importance, steps=200)
    assert represented(trained.W[:, 0]).tolist() == [[True, False, False], [False, False, True]]


def test_a_seed_repeats_itself_another_does_not_and_the_loop_can_be_watched():
    seen = []

    def watch(steps):
        for step in steps:
            seen.append(step)
            yield step

    def train(seed, **options):
        return toy_autoencoder.train(torch.tensor([0.2]), 3, 2, steps=5, seed=seed, **options).W

    assert torch.equal(train(1, watch=watch), train(1))
    assert not torch.equal(train(1), train(2))
    assert seen == [0, 1, 2, 3, 4]


def test_it_trains_also_where_gradients_are_switched_off():
    with torch.no_grad():
        trained = toy_autoencoder.train(torch.tensor([0.2]), 3, 2, steps=5)
    assert not torch.equal(trained.W, toy_autoencoder.train(torch.tensor([0.2]), 3, 2, steps=1).W)
    assert not trained.model.W.requires_grad


def test_what_makes_no_sweep_is_refused_with_a_remedy():
    with pytest.raises(ValueError, match="at least 1"):
        toy_autoencoder.train(torch.tensor([0.5]), 3, 2, restarts=0)
    with pytest.raises(ValueError, match=r"3 features in 1 worlds.*one row a world"):
        toy_autoencoder.train(torch.tensor([0.5]), 3, 2, importance=torch.ones(2))
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        toy_autoencoder.train(torch.tensor([0.0]), 3, 2, steps=1)
    with pytest.raises(ValueError, match="at least 1"):
        ToyAutoencoder(1, 0, 2)
