"""The card of AlexNet-mini: its figures are those of the files that ship, and good enough."""

import pytest

import mi_course
from mi_course.methods import filters
from mi_course.models import pretrained
from mi_course.models.alexnet import ALEXNET_MINI, AlexNet, initialize


@pytest.fixture
def card():
    return pretrained.card("alexnet-mini")


@pytest.fixture
def folder():
    return pretrained.WEIGHTS / "alexnet-mini"


def test_its_hashes_are_those_of_the_files(card, folder):
    assert set(card["files"]) == {path.name for path in folder.iterdir()} - {"card.json"}
    for name, facts in card["files"].items():
        assert len(facts["sha256"]) == 64
        pretrained.verify(folder / name, facts["sha256"])
        assert (folder / name).stat().st_size == facts["bytes"]


def test_everything_together_takes_at_most_5_megabytes(folder):
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 5_000_000


def test_it_names_the_right_class_within_five_guesses(card):
    assert card["validation"]["top5"] >= 0.57


def test_folding_changed_no_logit_visibly(card):
    assert 0 <= card["folding_error"] <= 1e-4


def test_few_filters_are_noise_and_nearly_all_untrained_ones(card):
    def noisy(model):
        share = filters.noise_share(model.convolutions[0].weight.detach())
        return (share > 0.5).float().mean().item()

    found = noisy(mi_course.load("alexnet-mini"))
    assert found < 0.10
    assert card["first_layer"]["noisy_share"] == pytest.approx(found, abs=1e-4)
    twins = [noisy(initialize(AlexNet(ALEXNET_MINI), seed)) for seed in range(10)]
    assert min(twins) > 0.90
    assert card["first_layer"]["noisy_share_untrained_10_seeds"] == pytest.approx(sum(twins) / 10, abs=1e-4)


def test_its_kinds_of_filters_are_those_that_are_counted(card):
    found = filters.kinds(mi_course.load("alexnet-mini").convolutions[0].weight.detach())
    assert card["first_layer"]["kinds"] == {kind: found.count(kind) for kind in filters.KINDS}


def test_its_figures_agree_with_each_other(card):
    measured = card["validation"]
    low, high = measured["top5_interval_95"]
    assert low < measured["top5"] < high
    assert high - low < 0.05
    assert measured["top1"] < measured["top5"]
    assert measured["chance_top5"] == pytest.approx(5 / 200)
    last = card["curve"][-1]
    assert last["step"] == card["steps"]
    assert last["top5"] == pytest.approx(measured["top5"], abs=2e-3)
    assert last["top1"] == pytest.approx(measured["top1"], abs=2e-3)
    assert [row["step"] for row in card["curve"]] == sorted({row["step"] for row in card["curve"]})
    assert card["untrained_twin"] == {"name": "alexnet-mini-untrained", "seed": card["seed"]}


def test_its_series_of_training_sets_grows(card):
    sizes = [run["train_images"] for run in card["scaling"]]
    assert len(sizes) >= 2
    assert sizes == sorted(set(sizes))
    assert len({run["steps"] for run in card["scaling"]}) == 1
    assert all(0 < run["top1"] < run["top5"] < 1 for run in card["scaling"])
