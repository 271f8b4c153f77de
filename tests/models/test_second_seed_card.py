"""The second AlexNet-mini: as good as the first, made alike, from another seed."""

import pytest
import torch

import mi_course
from mi_course.methods import filters
from mi_course.models import pretrained
from mi_course.models.alexnet import ALEXNET_MINI, AlexNet, initialize

NAME = "alexnet-mini-seed1"


@pytest.fixture(scope="module")
def card():
    return pretrained.card(NAME)


@pytest.fixture(scope="module")
def model():
    return mi_course.load(NAME)


def test_its_hashes_are_those_of_the_files(card):
    folder = pretrained.WEIGHTS / NAME
    assert set(card["files"]) == {path.name for path in folder.iterdir()} - {"card.json"}
    for name, facts in card["files"].items():
        pretrained.verify(folder / name, facts["sha256"])
        assert (folder / name).stat().st_size == facts["bytes"]
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 3_000_000


def test_it_was_made_like_the_first_from_another_seed(card):
    first = pretrained.card("alexnet-mini")
    same = ("recipe", "data", "steps", "batch", "train_images", "licence")
    assert {key: card[key] for key in same} == {key: first[key] for key in same}
    assert (card["name"], card["seed"], first["seed"]) == (NAME, 1, 0)
    assert mi_course.load(NAME).classes == mi_course.load("alexnet-mini").classes


def test_it_is_as_good_as_the_first(card):
    first = pretrained.card("alexnet-mini")["validation"]
    measured = card["validation"]
    assert measured["top5"] >= 0.57
    assert measured["top5"] == pytest.approx(first["top5"], abs=0.02)
    low, high = measured["top5_interval_95"]
    assert low < measured["top5"] < high
    assert measured["top1"] == pytest.approx(card["curve"][-1]["top1"], abs=2e-3)
    assert 0 <= card["folding_error"] <= 1e-4


def test_its_first_layer_is_what_the_card_says(card, model):
    weight = model.convolutions[0].weight.detach()
    found = filters.kinds(weight)
    assert card["first_layer"]["kinds"] == {kind: found.count(kind) for kind in filters.KINDS}
    noisy = (filters.noise_share(weight) > 0.5).float().mean().item()
    assert card["first_layer"]["noisy_share"] == pytest.approx(noisy, abs=1e-4)
    assert noisy < 0.10


def test_it_is_another_network_and_so_is_its_twin(card, model):
    first = mi_course.load("alexnet-mini")
    cosine = torch.nn.functional.cosine_similarity(
        model.convolutions[0].weight.flatten(1), first.convolutions[0].weight.flatten(1)
    )
    assert cosine.abs().mean() < 0.5
    twin = mi_course.load(NAME + "-untrained")
    expected = initialize(AlexNet(ALEXNET_MINI), seed=1).convolutions[0].weight
    assert torch.equal(twin.convolutions[0].weight, expected)
    assert card["untrained_twin"] == {"name": NAME + "-untrained", "seed": 1}
