"""Every language model that ships: what it loads as, and that `transformers` computes the same from its folder."""

import json

import pytest
import torch

import mi_course
from mi_course.models import model_folder, pretrained
from mi_course.models.transformer import Transformer
from tests.models.small_transformers import random_tokens


def config(name):
    return json.loads((pretrained.WEIGHTS / name / "config.json").read_text())


NETWORKS = [name for name in pretrained.shipped() if (pretrained.WEIGHTS / name / "config.json").is_file()]
LANGUAGE = [name for name in NETWORKS if "alexnet" not in config(name)]
GPT2 = [name for name in LANGUAGE if config(name).get("model_type") == "gpt2"]
READING = [name for name in LANGUAGE if model_folder.has_tokenizer(pretrained.WEIGHTS / name)]
every_one = pytest.mark.parametrize("name", LANGUAGE)


def some_tokens(model):
    shape = model.config
    return random_tokens(batch=3, pos=min(32, shape.n_ctx), d_vocab=shape.d_vocab)


@every_one
def test_it_is_ready_to_use(name):
    model = mi_course.load(name)
    assert isinstance(model, Transformer)
    assert not model.training
    assert all(p.dtype == torch.float32 and p.isfinite().all() for p in model.parameters())
    with torch.no_grad():
        logits = model(some_tokens(model))
    assert logits.isfinite().all()
    assert logits.std() > 0.1


@every_one
def test_its_card_names_every_file_and_its_size(name):
    folder, card = pretrained.WEIGHTS / name, pretrained.card(name)
    assert set(card["files"]) == {path.name for path in folder.iterdir()} - {"card.json"}
    for file, facts in card["files"].items():
        pretrained.verify(folder / file, facts["sha256"])
        assert (folder / file).stat().st_size == facts["bytes"]


@every_one
def test_its_untrained_twin_is_the_same_network_with_other_weights(name):
    model, twin, again = (mi_course.load(n) for n in (name, f"{name}-untrained", f"{name}-untrained"))
    assert twin.config == model.config
    assert (twin.tokenizer is None) == (model.tokenizer is None)
    assert all(torch.equal(a, b) for a, b in zip(twin.parameters(), again.parameters()))
    for (parameter, a), b in zip(model.named_parameters(), twin.named_parameters()):
        assert not torch.allclose(a, b[1]), parameter


@pytest.mark.parametrize("name", GPT2)
def test_transformers_computes_the_same_logits_from_its_folder(name):
    from transformers import GPT2LMHeadModel

    theirs = GPT2LMHeadModel.from_pretrained(pretrained.WEIGHTS / name).eval()
    ours = mi_course.load(name)
    tokens = some_tokens(ours)
    assert theirs.dtype == torch.float32
    with torch.no_grad():
        assert (theirs(tokens).logits - ours(tokens)).abs().max() < 1e-4


@pytest.mark.parametrize("name", READING)
def test_transformers_reads_its_tokenizer(name):
    from transformers import AutoTokenizer

    theirs, ours = AutoTokenizer.from_pretrained(pretrained.WEIGHTS / name), mi_course.load(name).tokenizer
    words = [word for word in ours.vocab if word not in theirs.all_special_tokens]
    text = " ".join(words)
    assert theirs(text).input_ids == ours.encode(text)
    assert theirs.bos_token_id == ours.bos_id
    assert theirs.eos_token_id == ours.eos_id
    assert theirs.decode(ours.encode(text)) == ours.decode(ours.encode(text))


@pytest.mark.parametrize("name", READING)
def test_it_writes_text_that_it_can_read(name):
    model = mi_course.load(name)
    text = model.generate("", 20, seed=0)
    assert text.strip()
    assert model.to_tokens(text).shape[1] > 1


def test_at_least_the_tiny_world_ships():
    assert {"tiny-world"} <= set(GPT2) & set(READING)
