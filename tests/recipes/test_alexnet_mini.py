"""How AlexNet-mini is made: reading, folding, going on after a kill, and shipping."""

import json
import sys

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

import mi_course
from mi_course.models import pretrained
from mi_course.models.alexnet import ALEXNET_MINI
from mi_course.recipes import alexnet_mini as recipe
from tests.recipes import tiny_tree

STEPS = 12


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return tiny_tree.pack(tmp_path_factory.mktemp("images") / "tiny.zip")


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """The recipe at the size of the tiny tree."""
    monkeypatch.setattr(recipe, "ALEXNET_MINI", tiny_tree.CONFIG)
    monkeypatch.setattr(recipe, "SMALL_CROP", 12)
    monkeypatch.setattr(recipe, "SHIFT", 2)
    monkeypatch.setattr(recipe, "BATCH", 8)
    monkeypatch.setattr(recipe, "HISTORY_STEPS", (0, 2, 6, 50))
    monkeypatch.setattr(recipe, "_shuffle_cache", {})


def train(images, out, **options):
    return recipe.train(images, out, steps=STEPS, evaluate_every=4, checkpoint_every=5, **options)


@pytest.fixture
def data(images):
    return recipe.read_tiny_imagenet(images, "train")


@pytest.mark.parametrize("layout", ["public", "plain"])
@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
@pytest.mark.parametrize("split", ["train", "val"])
def test_every_layout_gives_the_same_photographs(tmp_path, layout, packed, split):
    source = (
        tiny_tree.pack(tmp_path / "t.zip", layout) if packed else tiny_tree.lay(tmp_path / "tree", layout)
    )
    found = recipe.read_tiny_imagenet(source, split)
    each = tiny_tree.TRAIN if split == "train" else tiny_tree.VAL
    assert found.images.shape == (3 * each, tiny_tree.SIDE, tiny_tree.SIDE, 3)
    assert found.images.dtype == torch.uint8
    assert found.labels.tolist() == [0] * each + [1] * each + [2] * each
    assert found.classes == ("goldfish", "alp", "pizza")
    assert len(set(found.files)) == 3 * each
    strongest = found.images.float().mean((1, 2)).argmax(1)
    assert torch.equal(strongest, found.labels)


def test_fewer_photographs_are_the_first_of_each_class_by_number(images):
    found = recipe.read_tiny_imagenet(images, "train", per_class=11)
    assert [name.rsplit("_", 1)[1] for name in found.files[:11]] == [f"{n}.JPEG" for n in range(11)]
    assert found.labels.bincount().tolist() == [11, 11, 11]


def test_missing_images_are_told_in_words(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere does not exist\. Tiny ImageNet: http"):
        recipe.read_tiny_imagenet(tmp_path / "nowhere", "train")
    tree = tiny_tree.lay(tmp_path / "tree", "plain")
    for file in (tree / "val" / "n02").iterdir():
        file.unlink()
    with pytest.raises(ValueError, match="no val image of class n02"):
        recipe.read_tiny_imagenet(tree, "val")


def test_the_learning_rate_rises_to_its_peak_and_ends_at_zero():
    rates = [recipe.learning_rate(step, 1000) for step in range(1000)]
    assert 0 < rates[0] < 0.01 * recipe.PEAK_LR * 1.5 / recipe.WARM_UP
    peak = rates.index(max(rates))
    assert max(rates) == pytest.approx(recipe.PEAK_LR)
    assert peak == pytest.approx(recipe.WARM_UP * 1000, abs=2)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] == pytest.approx(0, abs=1e-9)


def test_a_batch_depends_on_seed_and_step_alone(data):
    first, labels = recipe.batch_at(data, 3, STEPS, seed=1)
    torch.manual_seed(123)
    recipe.batch_at(data, 9, STEPS, seed=1)
    again, same = recipe.batch_at(data, 3, STEPS, seed=1)
    assert torch.equal(first, again)
    assert torch.equal(labels, same)
    for step, seed in ((4, 1), (3, 2)):
        assert not torch.equal(first, recipe.batch_at(data, step, STEPS, seed)[0])


def test_early_crops_are_small_and_late_ones_have_the_full_size(data):
    sides = [recipe.batch_at(data, step, STEPS, seed=0)[0].shape for step in range(STEPS)]
    small = round(recipe.SMALL_CROP_SHARE * STEPS + 0.5)
    assert sides == [(8, 3, 12, 12)] * small + [(8, 3, 16, 16)] * (STEPS - small)


def test_crops_are_pieces_of_the_photographs_some_of_them_mirrored(data):
    crops, labels = recipe.batch_at(data, 0, STEPS, seed=0)
    chosen = recipe._shuffled(len(data.labels), 0, 0)[:8]
    assert labels.tolist() == data.labels[torch.tensor(chosen)].tolist()
    mirrored = 0
    for crop, number in zip(crops, chosen, strict=True):
        whole = data.images[number].permute(2, 0, 1).float() / 255
        pieces = whole.unfold(1, 12, 1).unfold(2, 12, 1).permute(1, 2, 0, 3, 4).flatten(0, 1)
        as_it_is = (pieces == crop).flatten(1).all(1).any()
        turned = (pieces == crop.flip(-1)).flatten(1).all(1).any()
        assert as_it_is or turned
        mirrored += int(turned)
    assert 0 < mirrored < 8


def test_every_photograph_is_seen_once_in_every_round(data, monkeypatch):
    monkeypatch.setattr(recipe, "BATCH", 12)
    rounds = [sorted(i for step in steps for i in numbers(data, step)) for steps in (range(3), range(3, 6))]
    assert rounds == [list(range(36))] * 2


def numbers(data, step):
    """The photographs of a batch, recognised by their labels' places in the shuffled order."""
    n = len(data.labels)
    order = [recipe._shuffled(n, 0, i // n)[i % n] for i in range(12 * step, 12 * step + 12)]
    _, labels = recipe.batch_at(data, step, STEPS, seed=0)
    assert labels.tolist() == data.labels[torch.tensor(order)].tolist()
    return order


class Constant(torch.nn.Module):
    def __init__(self, logits):
        super().__init__()
        self.logits = torch.nn.Parameter(torch.tensor(logits))

    def forward(self, images):
        return self.logits.expand(len(images), -1)


def test_accuracy_counts_the_first_and_the_first_five_guesses(images, monkeypatch):
    held_out = recipe.read_tiny_imagenet(images, "val")
    third = pytest.approx(1 / 3)
    assert recipe.accuracy(Constant([1.0, 3.0, 2.0]), held_out, batch=4) == {"top1": third, "top5": 1}
    many = [
        0.0,
        9.0,
        7.5,
        8.0,
        7.0,
        6.0,
        5.0,
    ]  # class 0 comes last of seven, 1 and 2 are among the first five
    assert recipe.accuracy(Constant(many), held_out) == {"top1": third, "top5": pytest.approx(2 / 3)}


@pytest.mark.parametrize("value", [0.0, torch.nan], ids=["undecided", "diverged"])
def test_a_network_that_says_nothing_is_not_right(images, value):
    held_out = recipe.read_tiny_imagenet(images, "val")
    assert recipe.accuracy(Constant([value] * 9), held_out) == {"top1": 0, "top5": 0}


def test_measuring_leaves_the_network_training(images):
    model = Constant([1.0, 0.0, 0.0]).train()
    recipe.accuracy(model, recipe.read_tiny_imagenet(images, "val"))
    assert model.training


def settle(model, images, seed=0):
    """Statistics and scales as after a long training, also negative ones where that is allowed."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for norm in model.norms:
            norm.weight.normal_(1.0, 1.0, generator=generator)
            norm.bias.normal_(0.5, 0.5, generator=generator)
        model.keep_scales_positive()
        model.train()
        for _ in range(20):
            model(images)
    return model.eval()


def test_folding_is_exact_at_full_size():
    images = torch.rand(24, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    model = recipe.TrainingAlexNet(ALEXNET_MINI, seed=0)
    settle(model, images[:8])
    with torch.no_grad():
        expected, found = model(images), model.folded()(images)
    assert expected.std() > 0.1
    assert (expected - found).abs().max() <= 1e-4


def test_folding_is_exact_after_training(data):
    model = recipe.TrainingAlexNet(tiny_tree.CONFIG, seed=0)
    optimizer = torch.optim.SGD(recipe._parameter_groups(model), lr=0.1, momentum=0.9, nesterov=True)
    for step in range(10):
        pixels, labels = recipe.batch_at(data, step, STEPS, seed=0)
        optimizer.zero_grad()
        F.cross_entropy(model(pixels), labels).backward()
        optimizer.step()
        model.keep_scales_positive()
    model.eval()
    images = data.images.permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        assert (model(images) - model.folded()(images)).abs().max() <= 1e-4


def test_a_negative_scale_before_a_pool_could_not_be_folded():
    images = torch.rand(4, 3, 16, 16)
    model = settle(recipe.TrainingAlexNet(tiny_tree.CONFIG, seed=0), images)
    with torch.no_grad():
        model.norms[0].weight[:3] = -1.0
        assert (model(images) - model.folded()(images)).abs().max() > 1e-3
        model.keep_scales_positive()
        assert (model(images) - model.folded()(images)).abs().max() < 1e-4


def test_decay_is_on_weights_only_and_strongest_on_the_first_layer():
    model = recipe.TrainingAlexNet(tiny_tree.CONFIG, seed=0)
    groups = recipe._parameter_groups(model)
    decay = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    assert len(decay) == len(list(model.parameters())) == sum(len(group["params"]) for group in groups)
    for name, parameter in model.named_parameters():
        if name == "plain.features.0.weight":
            assert decay[id(parameter)] == recipe.FIRST_LAYER_DECAY > recipe.WEIGHT_DECAY
        else:
            assert decay[id(parameter)] == (recipe.WEIGHT_DECAY if parameter.ndim > 1 else 0)


def test_a_run_records_what_it_did(images, tmp_path):
    record = train(images, tmp_path / "run", seed=3)
    stored = json.loads((tmp_path / "run" / "record.json").read_text(encoding="utf-8"))
    assert stored == {**record, "classes": ["goldfish", "alp", "pizza"]}
    assert [row["step"] for row in record["curve"]] == [4, 8, 12]
    assert record["curve"][-1]["top1"] == pytest.approx(record["validation"]["top1"], abs=1e-4)
    assert (record["seed"], record["steps"], record["train_images"]) == (3, STEPS, 36)
    assert record["validation_images"] == 15
    assert record["folding_error"] <= 1e-5
    history = load_file(tmp_path / "run" / "history.safetensors")
    assert history["step"].tolist() == [0, 2, 6, STEPS]
    start = recipe.initialize(recipe.AlexNet(tiny_tree.CONFIG), 3).convolutions[0].weight
    assert torch.equal(history["conv1.weight"][0], start.detach().half())
    assert not list((tmp_path / "run").glob("*.tmp"))


class Killed(BaseException):
    pass


@pytest.mark.parametrize("killed_at", [3, 7, 11], ids=["before a checkpoint", "after one", "late"])
def test_a_killed_run_goes_on_and_ends_with_the_same_weights(images, tmp_path, monkeypatch, killed_at):
    whole = train(images, tmp_path / "whole")
    batch_at = recipe.batch_at

    def kill(data, step, steps, seed):
        if step == killed_at:
            raise Killed
        return batch_at(data, step, steps, seed)

    monkeypatch.setattr(recipe, "batch_at", kill)
    with pytest.raises(Killed):
        train(images, tmp_path / "killed")
    seen = []
    monkeypatch.setattr(recipe, "batch_at", lambda *given: seen.append(given[1]) or batch_at(*given))
    resumed = train(images, tmp_path / "killed")
    assert seen == list(range(killed_at // 5 * 5, STEPS))
    for name in ("model.safetensors", "history.safetensors"):
        ours, theirs = (load_file(tmp_path / run / name) for run in ("whole", "killed"))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours), name
    assert resumed["validation"] == whole["validation"]
    for ours, theirs in zip(whole["curve"], resumed["curve"], strict=True):
        assert {**ours, "cpu_seconds": 0} == {**theirs, "cpu_seconds": 0}


def test_a_finished_run_is_not_run_again(images, tmp_path, monkeypatch):
    first = train(images, tmp_path / "run")
    monkeypatch.setattr(recipe, "batch_at", None)
    assert train(images, tmp_path / "run")["curve"] == first["curve"]


@pytest.mark.parametrize("other", [{"seed": 1}, {"per_class": 5}], ids=["seed", "photographs"])
def test_the_checkpoint_of_another_run_is_refused_and_kept(images, tmp_path, other):
    train(images, tmp_path / "run")
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    with pytest.raises(ValueError, match=r"checkpoint.pt is of another run; choose another --out"):
        train(images, tmp_path / "run", **other)
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before


def test_what_is_shipped_is_what_load_reads(images, tmp_path, monkeypatch):
    runs = {n: tmp_path / f"run-{n}" for n in (2, 4, None)}
    records = {n: train(images, run, per_class=n, seed=2) for n, run in runs.items()}
    weights = tmp_path / "weights"
    card = recipe.ship(runs[None], [runs[4], runs[2]], to=weights / "alexnet-mini")
    monkeypatch.setattr(pretrained, "WEIGHTS", weights)
    assert pretrained.card("alexnet-mini") == card
    model = mi_course.load("alexnet-mini")
    assert model.classes == ("goldfish", "alp", "pizza")
    assert model.config == tiny_tree.CONFIG
    stored = load_file(runs[None] / "model.safetensors")
    assert all(tensor.dtype == torch.float16 for tensor in stored.values())
    assert all(torch.equal(model.state_dict()[name], tensor.float()) for name, tensor in stored.items())
    assert pretrained.history("alexnet-mini")["step"].tolist() == [0, 2, 6, STEPS]
    twin = mi_course.load("alexnet-mini-untrained")
    assert torch.equal(
        pretrained.history("alexnet-mini")["conv1.weight"][0], twin.convolutions[0].weight.half()
    )

    measured = recipe.accuracy(model, recipe.read_tiny_imagenet(images, "val"))
    assert card["validation"]["top1"] == pytest.approx(measured["top1"], abs=1e-4)
    assert card["validation"]["images"] == 15
    assert [run["train_images"] for run in card["scaling"]] == [6, 12]
    assert card["scaling"][0]["top1"] == pytest.approx(records[2]["validation"]["top1"], abs=1e-4)
    assert sum(card["first_layer"]["kinds"].values()) == 6


def test_a_run_learns_what_can_be_learned(images, tmp_path):
    record = recipe.train(images, tmp_path / "run", steps=100, evaluate_every=50)
    assert record["validation"]["top1"] > 0.5  # by chance: a third
    assert record["curve"][-1]["train_loss"] < record["curve"][0]["train_loss"]


def test_the_command_trains_and_prints_how_good_it_is(images, tmp_path, monkeypatch, capsys):
    arguments = f"train --images {images} --out {tmp_path / 'run'} --steps 3 --seed 1 --images-per-class 4"
    monkeypatch.setattr(sys, "argv", ["alexnet_mini", *arguments.split()])
    recipe.main()
    assert set(json.loads(capsys.readouterr().out.splitlines()[-1])) == {"top1", "top5"}
    assert (tmp_path / "run" / "model.safetensors").is_file()
