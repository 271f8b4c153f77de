"""The area under the curve, the choice of the best channel, and what luck alone would choose."""

import pytest
import torch
from sklearn.metrics import roc_auc_score

from mi_course.methods import best_channel
from mi_course.methods.best_channel import (
    ablated,
    auc,
    auc_interval,
    chosen_and_confirmed,
    hardest_auc,
    permutation_test,
    ranks,
)
from tests.methods import striped_network


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_the_area_is_scikit_learns_ties_included():
    ours, others = (
        noise(20, 3).round(decimals=0),
        noise(30, 3, seed=1).round(decimals=0) - 0.5 * torch.arange(3).round(),
    )
    labels = [1] * 20 + [0] * 30
    expected = [roc_auc_score(labels, torch.cat([ours, others])[:, c]) for c in range(3)]
    assert auc(ours, others).tolist() == pytest.approx(expected, abs=1e-6)
    assert auc(ours[:, 0], others[:, 0]).item() == pytest.approx(expected[0], abs=1e-6)
    assert auc(torch.ones(4), torch.zeros(5)).item() == 1
    assert auc(torch.ones(4), torch.ones(5)).item() == 0.5


def test_a_channel_counts_as_good_as_against_its_hardest_opponent():
    ours, weak, strong = torch.ones(4, 2), torch.zeros(4, 2), torch.tensor([[2.0, 0.0]]).repeat(4, 1)
    assert hardest_auc(ours, weak).tolist() == [1, 1]
    assert hardest_auc(ours, weak, strong).tolist() == [0, 1]


def test_ranks_share_ties():
    assert ranks(torch.tensor([[3.0, 1], [1, 1], [3, 0]])).tolist() == [[2.5, 2.5], [1, 2.5], [2.5, 1]]


def planted(n=60, channels=40, shift=2.0):
    """Noise in which only channel 7 answers more to ours."""
    ours, others = noise(n, channels), noise(n, channels, seed=1)
    ours[:, 7] += shift
    return ours, others


def test_a_planted_channel_is_chosen_and_confirmed():
    found = chosen_and_confirmed(*planted())
    assert found.channel == 7
    assert found.chosen > 0.85
    assert found.confirmed.low > 0.8
    assert found.confirmed.high <= 1
    assert found.confirmed.low < found.confirmed.estimate < found.confirmed.high


def test_of_pure_noise_the_best_looks_good_where_it_was_chosen_and_nowhere_else():
    found = [chosen_and_confirmed(*planted(shift=0.0), seed=seed) for seed in range(12)]
    assert min(f.chosen for f in found) > 0.6
    assert sum(f.confirmed.estimate for f in found) / 12 == pytest.approx(0.5, abs=0.08)


def test_pairs_go_into_the_same_half():
    ours = torch.arange(10.0)[:, None] * torch.ones(1, 3)
    found = chosen_and_confirmed(ours, ours.clone() - 0.5, paired=True)
    halves = best_channel._halves(10, 0)
    second = ours[halves[1], 0]
    assert found.confirmed.estimate == pytest.approx(auc(second, second - 0.5).item())


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    truth = 0.5 * (1 + torch.erf(torch.tensor(1 / 2)).item())  # two normals, one spread apart
    inside = []
    for seed in range(60):
        interval = auc_interval(noise(40, seed=2 * seed) + 1, noise(40, seed=2 * seed + 1), resamples=300)
        inside.append(interval.low <= truth <= interval.high)
    assert 0.83 <= sum(inside) / 60 <= 1


def test_an_interval_of_pairs_is_about_the_hardest_opponent():
    ours = noise(30)
    interval = auc_interval(ours, ours - 3, ours - 0.1, paired=True, resamples=200)
    assert interval.estimate == pytest.approx(auc(ours, ours - 0.1).item())
    assert interval.low <= interval.estimate <= interval.high
    assert interval.high - interval.low < auc_interval(ours, ours - 0.1, resamples=200).high - interval.low


@pytest.mark.parametrize("paired", [False, True])
def test_luck_includes_the_choice_among_all_channels(paired):
    many = permutation_test(*planted(shift=0.0), paired=paired, shuffles=400)
    ours, others = planted(shift=0.0)
    one = permutation_test(ours[:, :1], others[:, :1], paired=paired, shuffles=400)
    assert many.limit > one.limit + 0.03
    assert many.p_value > 0.02
    real = permutation_test(*planted(), paired=paired, shuffles=400)
    assert (real.channel, real.p_value) == (7, 1 / 401)
    assert real.best > real.limit
    assert real.best == pytest.approx(auc(*planted())[7].item())


def test_the_p_value_is_even_where_nothing_is_there():
    p_values = [
        permutation_test(noise(20, 10, seed=s), noise(20, 10, seed=100 + s), shuffles=99).p_value
        for s in range(60)
    ]
    assert 0.3 < sum(p_values) / 60 < 0.7
    assert sum(p <= 0.05 for p in p_values) <= 8


def test_pairs_need_partners():
    with pytest.raises(ValueError, match="3 pictures and 4 opponents are no pairs"):
        permutation_test(noise(3, 2), noise(4, 2), paired=True)


def test_answers_are_the_largest_cell_of_each_map_and_a_silenced_channel_answers_nothing():
    model = striped_network.striped()
    images = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        _, cache = model.run_with_cache(images, ["conv2", "fc6", "logits"])
        found = best_channel.answers(model, "conv2", images, batch=2)
        assert torch.allclose(found, cache["conv2"].amax(dim=(2, 3)), atol=1e-6)
        assert torch.allclose(best_channel.answers(model, "fc6", images), cache["fc6"], atol=1e-6)
        with model.caching(["conv2", "conv3.pre"]) as silenced, model.hooks([ablated("conv2", 0)]):
            model(images)
        without = cache["conv2"].clone()
        without[:, 0] = 0
        expected = model.convolutions[2](torch.nn.functional.max_pool2d(without, 3, 2, padding=1))
    assert torch.allclose(silenced["conv3.pre"], expected, atol=1e-5)
    assert torch.equal(silenced["conv2"], cache["conv2"])  # what an earlier hook has read stays as it was
    assert not any(module._forward_hooks for module in model.modules())
