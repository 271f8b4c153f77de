"""The way to GPT-2 small: where it is looked for, what is refused, and that its format is read.

The weights are random numbers in the format, and mostly the shape, of the published files.
"""

import dataclasses
import json
import shutil

import pytest
import torch

import mi_course
from mi_course.errors import CourseError, DamagedWeights, ModelNotHere, UnknownName
from mi_course.models import model_folder, pretrained
from mi_course.models.transformer import GPT2_SMALL, Transformer
from tests.models import public_gpt2
from tests.models.small_transformers import CONFIGS, make, random_tokens

SMALL = {**public_gpt2.CONFIG, "n_layer": 2, "n_embd": 24, "n_head": 4, "n_positions": 32}


@pytest.fixture(autouse=True)
def a_machine_without_public_models(tmp_path, monkeypatch):
    monkeypatch.setenv("MI_COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "MI_COURSE_DEVICE"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def publish(monkeypatch):
    """Writes a folder as GPT-2 is published, and makes its hash the published one."""

    def published(folder, config=SMALL, seed=0):
        sha256 = public_gpt2.write(folder, config, seed)
        entry = dataclasses.replace(
            pretrained.PUBLIC["gpt2"], file="gpt2/pytorch_model.bin", sha256_prefix=sha256
        )
        monkeypatch.setitem(pretrained.PUBLIC, "gpt2", entry)
        return folder / "pytorch_model.bin"

    return published


@pytest.fixture
def own_folder(tmp_path):
    return tmp_path / "home" / "models" / "gpt2"


def snapshot(tmp_path, name="openai-community/gpt2", revision="abc", hub="huggingface/hub"):
    return tmp_path / hub / ("models--" + name.replace("/", "--")) / "snapshots" / revision


def test_without_it_the_error_says_size_source_licence_and_command():
    with pytest.raises(ModelNotHere) as caught:
        mi_course.load("gpt2")
    said = str(caught.value)
    for what in (
        "548 MB",
        "https://huggingface.co/openai-community/gpt2/",
        "MIT",
        "mi-course models fetch gpt2",
    ):
        assert what in said


def test_the_published_hashes_are_whole():
    entry = pretrained.PUBLIC["gpt2"]
    assert len(entry.sha256_prefix) == 64
    assert [file.name for file in entry.beside] == ["config.json", "vocab.json", "merges.txt"]
    assert all(len(file.sha256) == 64 for file in entry.beside)


def test_the_tokenizers_hashes_are_those_of_gpt2s_own_files():
    folder = public_gpt2.tokenizer_folder()
    if folder is None:
        pytest.skip(public_gpt2.NO_TOKENIZER)
    for file in pretrained.PUBLIC["gpt2"].beside:
        if file.name != "config.json":
            pretrained.verify(folder / file.name, file.sha256)


def test_the_real_shape_loads_with_its_tokenizer_and_computes(publish, own_folder):
    publish(own_folder, public_gpt2.CONFIG)
    model = mi_course.load("gpt2")
    assert isinstance(model, Transformer)
    assert model.config == GPT2_SMALL
    assert not model.training
    assert model.tokenizer.bos_id == 50256
    tokens = model.to_tokens("When Mary and John went")
    assert "".join(model.to_str_tokens(tokens)[1:]) == "When Mary and John went"
    with torch.no_grad():
        logits = model(tokens)
    assert logits.shape == (1, tokens.shape[1], 50257)
    assert logits.isfinite().all()
    assert logits.std() > 0
    weights = public_gpt2.weights()
    assert torch.equal(model.W_E, weights["wte.weight"])
    assert torch.equal(model.blocks[11].mlp.W_out, weights["h.11.mlp.c_proj.weight"])


def test_it_is_found_in_the_learners_folder(publish, own_folder):
    path = publish(own_folder)
    assert pretrained.path_of("gpt2") == path
    assert mi_course.load("gpt2").config.n_layers == 2


@pytest.mark.parametrize("name", ["gpt2", "openai-community/gpt2"])
def test_it_is_found_in_hugging_faces_cache_under_both_names(publish, tmp_path, name):
    path = publish(snapshot(tmp_path, name))
    assert pretrained.path_of("gpt2") == path
    assert mi_course.load("gpt2").config.d_model == 24


@pytest.mark.parametrize(
    ("variable", "folder"),
    [
        ("HF_HUB_CACHE", "other"),
        ("HUGGINGFACE_HUB_CACHE", "other"),
        ("HF_HOME", "other/hub"),
        (None, "cache/huggingface/hub"),
    ],
    ids=str,
)
def test_hugging_faces_own_variables_say_where_its_cache_is(publish, tmp_path, monkeypatch, variable, folder):
    monkeypatch.delenv("HF_HOME")
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "other"))
    path = publish(snapshot(tmp_path, hub=folder))
    assert pretrained.path_of("gpt2") == path


def test_of_several_versions_in_the_cache_the_current_one_is_taken(publish, tmp_path):
    for number, revision in enumerate(("aaa", "bbb", "ccc")):
        path = publish(snapshot(tmp_path, revision=revision), seed=number)
        if revision == "bbb":
            current = path
    refs = current.parents[2] / "refs"
    refs.mkdir()
    (refs / "main").write_text("bbb")
    assert pretrained.path_of("gpt2") == current


def test_the_course_prefers_its_own_copy(publish, own_folder, tmp_path):
    publish(snapshot(tmp_path))
    path = publish(own_folder)
    assert pretrained.path_of("gpt2") == path


@pytest.mark.parametrize("missing", ["config.json", "merges.txt", "pytorch_model.bin"])
def test_an_incomplete_folder_counts_as_not_here(publish, own_folder, missing):
    publish(own_folder)
    (own_folder / missing).unlink()
    assert pretrained.path_of("gpt2") is None
    with pytest.raises(ModelNotHere):
        mi_course.load("gpt2")


def test_a_tokenizer_in_one_file_is_as_good_as_two(publish, own_folder):
    publish(own_folder)
    tokenizer = mi_course.load("gpt2").tokenizer
    for name in public_gpt2.TOKENIZER_FILES:
        (own_folder / name).unlink()
    tokenizer.save(own_folder)
    assert mi_course.load("gpt2").tokenizer.encode(" Mary") == tokenizer.encode(" Mary")


def test_other_weights_under_the_right_name_are_refused(own_folder):
    public_gpt2.write(own_folder, SMALL)
    (own_folder / "pytorch_model.bin").rename(own_folder / "model.safetensors")
    with pytest.raises(DamagedWeights, match=r"expected 248dfc391186…\. Delete it and fetch"):
        mi_course.load("gpt2")


def test_the_untrained_twin_has_the_shape_and_no_need_of_a_file():
    twin, again = (mi_course.load("gpt2-untrained") for _ in range(2))
    assert twin.config == GPT2_SMALL
    assert twin.tokenizer is None
    assert twin.W_E.std().item() == pytest.approx(0.02, rel=0.01)
    assert torch.equal(twin.blocks[3].attn.W_O, again.blocks[3].attn.W_O)


def test_the_untrained_twin_takes_the_tokenizer_that_is_here(publish, own_folder):
    publish(own_folder)
    twin = mi_course.load("gpt2-untrained")
    assert twin.config.n_layers == 2
    assert twin.tokenizer.bos_id == 50256
    assert not torch.allclose(twin.W_E, mi_course.load("gpt2").W_E)


def test_a_folder_is_loaded_by_its_path(tmp_path, monkeypatch):
    model = make(CONFIGS["gpt2"])
    model.save_pretrained(tmp_path / "mine", torch.float32)
    tokens = random_tokens()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in (tmp_path / "mine", str(tmp_path / "mine"), "mine", "./mine", "~/mine"):
        with torch.no_grad():
            assert torch.equal(mi_course.load(path)(tokens), model(tokens))


def test_a_known_name_wins_over_a_folder_of_that_name(tmp_path, monkeypatch):
    make(CONFIGS["gpt2"]).save_pretrained(tmp_path / "gpt2")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotHere):
        mi_course.load("gpt2")
    assert mi_course.load("./gpt2").config == CONFIGS["gpt2"]


def test_a_path_that_is_not_there_is_an_unknown_name(tmp_path):
    with pytest.raises(UnknownName):
        mi_course.load(tmp_path / "nowhere")
    with pytest.raises(UnknownName, match=r"Known: .*gpt2"):
        mi_course.load("openai-community/gpt2")


def test_an_alexnet_folder_is_loaded_by_its_path_too():
    shipped = mi_course.load("alexnet-mini")
    by_path = mi_course.load(pretrained.WEIGHTS / "alexnet-mini")
    assert by_path.classes == shipped.classes
    assert all(torch.equal(a, b) for a, b in zip(shipped.parameters(), by_path.parameters()))


@pytest.fixture
def folder(tmp_path):
    make(CONFIGS["gpt2"]).save_pretrained(tmp_path / "mine")
    return tmp_path / "mine"


def edit_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: (f / "config.json").unlink(), "no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "is not JSON"),
        (lambda f: (f / "config.json").write_text("[1]"), "does not describe a model"),
        (lambda f: (f / "model.safetensors").unlink(), "neither model.safetensors nor pytorch_model.bin"),
        (
            lambda f: (f / "model.safetensors").rename(f / "model-00001-of-00002.safetensors"),
            "in several files, such as model-00001-of-00002.safetensors, are not read",
        ),
        (lambda f: (f / "model.safetensors").write_bytes(b"no tensors"), "not a whole safetensors file"),
        (lambda f: edit_config(f, model_type="llama"), "model of the kind 'llama'"),
        (lambda f: edit_config(f, model_type=None), "model of the kind None"),
        (lambda f: edit_config(f, n_head=5), "n_embd=24 cannot be divided among n_head=5 heads"),
        (lambda f: edit_config(f, n_embd=48, n_inner=None), "do not fit the config"),
        (lambda f: edit_config(f, scale_attn_by_inverse_layer_idx=True), "scale_attn_by_inverse_layer_idx=True"),
        (lambda f: edit_config(f, transformer={"n_layers": 1}), "lacks ['d_model', 'n_heads', 'd_head', "),
        (lambda f: edit_config(f, transformer={"colour": "red"}), "and has ['colour']"),
    ],
    ids=[
        "no config", "no JSON", "a list", "no weights", "split weights", "broken weights", "llama", "no kind",
        "heads", "width", "option", "half a shape", "foreign shape",
    ],
)  # fmt: skip
def test_a_folder_with_something_else_in_it_is_refused_in_words(folder, damage, said):
    damage(folder)
    with pytest.raises(CourseError) as caught:
        mi_course.load(folder)
    assert said in str(caught.value)
    assert str(folder) in str(caught.value)


def test_weights_in_the_older_format_are_read(folder):
    expected = model_folder.read(folder)
    torch.save(expected.gpt2_state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    found = model_folder.read(folder)
    assert all(torch.equal(a, b) for a, b in zip(expected.parameters(), found.parameters()))


class Bomb:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return shutil.copyfile, (__file__, self.target)


@pytest.mark.parametrize(
    "contents",
    [
        lambda target: {"wte.weight": Bomb(target)},
        lambda target: [torch.zeros(1)],
        lambda target: {"wte.weight": 3},
    ],
    ids=["code", "a list", "a number"],
)
def test_what_is_more_than_named_tensors_is_refused_and_no_code_runs(folder, tmp_path, contents):
    target = tmp_path / "it ran"
    (folder / "model.safetensors").unlink()
    torch.save(contents(str(target)), folder / "pytorch_model.bin")
    with pytest.raises(CourseError, match="not a file of weights: it holds more than") as caught:
        mi_course.load(folder)
    assert "weights_only" not in str(caught.value)
    assert not target.exists()


def test_nothing_is_looked_up_on_the_network(monkeypatch):
    import socket

    def refuse(*_):
        raise AssertionError("load tried to reach another machine")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert pretrained.load_if_here("gpt2") is None
