"""The one door to every model: what it lets in, what it refuses, and what it says."""

import dataclasses
import pickle
import shutil
from pathlib import Path

import pytest
import torch

import mi_course
from mi_course.errors import CourseError, DamagedWeights, ModelNotHere, UnknownName
from mi_course.models import alexnet, pretrained
from mi_course.models.alexnet import ALEXNET_MINI, AlexNet
from tests.models import public_checkpoint


@pytest.fixture(autouse=True)
def a_machine_without_public_models(tmp_path, monkeypatch):
    monkeypatch.setenv("MI_COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "MI_COURSE_DEVICE"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def copied_weights(tmp_path, monkeypatch):
    """A copy of the weights that ship, to be damaged."""
    copy = tmp_path / "weights"
    shutil.copytree(pretrained.WEIGHTS, copy)
    monkeypatch.setattr(pretrained, "WEIGHTS", copy)
    return copy / "alexnet-mini"


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """Puts a file where a fetched "alexnet" would be, and makes its hash the published one."""

    def published(state=None, folder=None, **options):
        entry = pretrained.PUBLIC["alexnet"]
        path = (folder or tmp_path / "home" / "models") / entry.file
        sha256 = public_checkpoint.write(path, state, **options)
        monkeypatch.setitem(pretrained.PUBLIC, "alexnet", dataclasses.replace(entry, sha256_prefix=sha256))
        return path

    return published


def test_the_shipped_model_is_ready_to_use():
    model = mi_course.load("alexnet-mini")
    assert isinstance(model, AlexNet)
    assert not model.training
    assert all(p.dtype == torch.float32 and p.isfinite().all() for p in model.parameters())
    with torch.no_grad():
        logits = model(torch.rand(2, 3, 64, 64))
    assert logits.shape == (2, 200)
    assert logits.isfinite().all()


def test_the_shipped_model_names_its_200_classes():
    classes = mi_course.load("alexnet-mini").classes
    assert len(classes) == len(set(classes)) == 200
    assert all(name == name.strip() and name for name in classes)
    assert {"goldfish", "pizza", "sunglasses"} <= set(classes)


def test_loading_twice_gives_two_models_with_the_same_weights():
    first, second = (mi_course.load("alexnet-mini") for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters()))
    with torch.no_grad():
        first.convolutions[0].weight.zero_()
    assert second.convolutions[0].weight.any()


def test_the_untrained_twin_is_always_the_same_and_not_the_trained_one():
    trained = mi_course.load("alexnet-mini")
    twin, again = (mi_course.load("alexnet-mini-untrained") for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(twin.parameters(), again.parameters()))
    for (name, a), b in zip(trained.named_parameters(), twin.parameters()):
        assert not torch.allclose(a, b), name
    assert twin.classes == trained.classes
    assert twin.config == trained.config == ALEXNET_MINI
    assert not twin.training


def test_the_untrained_twin_is_where_the_history_of_training_begins():
    history = pretrained.history("alexnet-mini")
    twin = mi_course.load("alexnet-mini-untrained")
    assert history["step"][0] == 0
    assert torch.equal(history["conv1.weight"][0], twin.convolutions[0].weight.detach().half())


def test_the_history_ends_with_the_shipped_filters():
    """Folding scales each filter by a positive number, so that the directions must agree."""
    history = pretrained.history("alexnet-mini")
    steps = history["step"].tolist()
    assert steps == sorted(set(steps))
    assert steps[-1] == pretrained.card("alexnet-mini")["steps"]
    last = history["conv1.weight"][-1].float().flatten(1)
    shipped = mi_course.load("alexnet-mini").convolutions[0].weight.detach().flatten(1)
    assert torch.cosine_similarity(last, shipped).min() > 0.999


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("alexnet-mimi", "alexnet-mini"),
        ("alexnet-mini-untraind", "alexnet-mini-untrained"),
        ("Alexnet", "alexnet"),
        ("alexnet-mini-untrained-untrained", "alexnet-mini-untrained"),
        ("gpt-2", "'gpt2'"),
        ("tiny-word", "tiny-world"),
        ("???", "Known: alexnet, alexnet-mini"),
    ],
)
def test_an_unknown_name_offers_the_nearest(name, near):
    with pytest.raises(UnknownName, match=near):
        mi_course.load(name)


def test_a_name_cannot_lead_out_of_the_folder_of_weights():
    with pytest.raises(UnknownName):
        mi_course.load("../weights/alexnet-mini")


@pytest.mark.parametrize("position", [0, 100, 50_000, -1])
def test_one_flipped_bit_is_found(copied_weights, position):
    file = copied_weights / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[position] ^= 1
    file.write_bytes(content)
    with pytest.raises(DamagedWeights, match=r"model.safetensors is not the file that was published"):
        mi_course.load("alexnet-mini")


def test_a_file_cut_short_is_found(copied_weights):
    file = copied_weights / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(DamagedWeights, match=r"install it again"):
        mi_course.load("alexnet-mini")


def test_a_missing_file_is_named(copied_weights):
    (copied_weights / "model.safetensors").unlink()
    with pytest.raises(DamagedWeights, match=r"model.safetensors is missing"):
        mi_course.load("alexnet-mini")


def test_a_damaged_history_is_found(copied_weights):
    (copied_weights / "history.safetensors").write_bytes(b"no tensors")
    with pytest.raises(DamagedWeights, match=r"history.safetensors"):
        pretrained.history("alexnet-mini")


def test_the_untrained_twin_needs_no_weights(copied_weights):
    (copied_weights / "model.safetensors").unlink()
    mi_course.load("alexnet-mini-untrained")


def test_a_card_is_there_for_shipped_models_only():
    assert "alexnet-mini" in pretrained.shipped()
    assert pretrained.card("alexnet-mini")["name"] == "alexnet-mini"
    with pytest.raises(UnknownName, match="no shipped model named 'alexnet'"):
        pretrained.card("alexnet")


def test_a_public_model_that_is_missing_says_its_size_its_source_and_the_command():
    with pytest.raises(ModelNotHere) as caught:
        mi_course.load("alexnet")
    text = str(caught.value)
    assert "233 MB" in text
    assert "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth" in text
    assert "mi-course models fetch alexnet" in text
    assert "licen" in text or "BSD" in text


def test_what_a_notebook_can_do_without_is_none_and_a_printed_line(capsys):
    assert pretrained.load_if_here("alexnet") is None
    assert "mi-course models fetch alexnet" in capsys.readouterr().out


def test_what_is_here_comes_without_a_word(capsys):
    assert isinstance(pretrained.load_if_here("alexnet-mini"), AlexNet)
    assert capsys.readouterr().out == ""


def test_a_misspelt_name_is_an_error_also_where_a_model_may_be_missing():
    with pytest.raises(UnknownName):
        pretrained.load_if_here("alexnett")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip format", "older format"])
def test_a_checkpoint_in_the_format_of_torchvision_loads_and_computes(publish, zipped):
    path = publish(_use_new_zipfile_serialization=zipped)
    assert pretrained.path_of("alexnet") == path
    model = mi_course.load("alexnet")
    state = model.state_dict()
    for name, tensor in public_checkpoint.weights().items():
        assert torch.equal(state[name], tensor), name
    assert model.classes == ()
    assert not model.training
    with torch.no_grad():
        logits = model(torch.rand(1, 3, 224, 224))
    assert logits.shape == (1, 1000)
    assert logits.isfinite().all()
    assert logits.std() > 0


def test_a_public_checkpoint_is_found_where_torch_keeps_its_own(publish, tmp_path):
    path = publish(folder=tmp_path / "torch" / "hub" / "checkpoints")
    assert pretrained.path_of("alexnet") == path


def test_without_torch_home_the_platforms_cache_is_searched(publish, tmp_path, monkeypatch):
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = publish(folder=tmp_path / "cache" / "torch" / "hub" / "checkpoints")
    assert pretrained.path_of("alexnet") == path


def test_the_course_prefers_its_own_copy(publish, tmp_path):
    publish(folder=tmp_path / "torch" / "hub" / "checkpoints")
    path = publish()
    assert pretrained.path_of("alexnet") == path


def test_another_file_under_the_right_name_is_refused(tmp_path):
    path = tmp_path / "home" / "models" / "alexnet-owt-7be5be79.pth"
    public_checkpoint.write(path)
    with pytest.raises(DamagedWeights, match=r"expected 7be5be79…\. Delete it and fetch"):
        mi_course.load("alexnet")


@pytest.fixture
def small_public_model(monkeypatch):
    """The public network is as narrow as the mini, so that refusing a file takes no time."""
    monkeypatch.setattr(alexnet, "TORCHVISION_ALEXNET", ALEXNET_MINI)


def state(**changes):
    """The right contents of a file for `small_public_model`, but for ``changes`` (None: left out)."""
    right = {**AlexNet(ALEXNET_MINI).state_dict(), **changes}
    return {name: value for name, value in right.items() if value is not None}


def test_a_file_with_the_right_contents_is_accepted(publish, small_public_model):
    publish(state())
    assert mi_course.load("alexnet").config == ALEXNET_MINI


@pytest.mark.parametrize(
    "contents",
    [
        state(**{"classifier.6.bias": None}),
        state(**{"classifier.6.bias": torch.zeros(7)}),
        state(**{"classifier.6.bias": 0.5}),
        state(more=torch.zeros(1)),
        {"state_dict": state()},
        [torch.zeros(3)],
    ],
    ids=["missing name", "other shape", "no tensor", "more names", "wrapped", "a list"],
)
def test_a_file_with_other_contents_is_refused_in_words(publish, small_public_model, contents):
    path = publish(contents)
    with pytest.raises(CourseError, match=f"{path.name} does not hold the weights of torchvision's AlexNet"):
        mi_course.load("alexnet")


class Bomb:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


def test_code_inside_a_checkpoint_is_refused_and_does_not_run(publish, small_public_model, tmp_path):
    target = tmp_path / "it ran"
    publish({"features.0.weight": Bomb(target)})
    with pytest.raises(CourseError, match="it holds more than numbers") as caught:
        mi_course.load("alexnet")
    assert "weights_only" not in str(caught.value)
    assert not target.exists()
    pickle.loads(pickle.dumps(Bomb(target)))
    assert target.exists()


def test_the_untrained_public_network_needs_no_file():
    model = mi_course.load("alexnet-untrained")
    assert {n: tuple(t.shape) for n, t in model.state_dict().items()} == public_checkpoint.SHAPES
    assert model.convolutions[0].weight.std().item() == pytest.approx(0.1 * (2 / 363) ** 0.5, rel=0.05)


def test_a_model_runs_on_pictures_as_they_are_made_on_every_machine(monkeypatch):
    """Pictures lie in ordinary memory; a model that moved to a graphics card unasked could not see them."""
    asked = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(AlexNet, "to", lambda self, device: asked.append(str(device)) or self)
    mi_course.load("alexnet-mini")
    assert asked == ["cpu"]
