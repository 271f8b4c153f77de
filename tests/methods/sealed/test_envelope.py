"""A sealed case can be loaded like any model, and its answer read by the course alone."""

import json

import pytest
import torch

import mi_course as mc
from mi_course.errors import CourseError
from mi_course.methods.sealed.case import Case
from mi_course.methods.sealed.envelope import ENVELOPE, seal, unseal
from tests.models.small_transformers import CONFIGS, make, random_tokens, word_tokenizer

ANSWER = {"head": "L1H2", "damage": "mute"}


@pytest.fixture
def folder(tmp_path):
    model = make(CONFIGS["gpt2"], tokenizer=word_tokenizer())
    seal(Case("damaged head", ANSWER, {}, model), tmp_path / "deep" / "a")
    return tmp_path / "deep" / "a"


def test_model_and_answer_come_back(folder):
    assert unseal(folder) == {"kind": "damaged head", **ANSWER}
    model = make(CONFIGS["gpt2"])
    with torch.no_grad():
        logits, its = model(random_tokens()), mc.load(folder)(random_tokens())
    assert torch.allclose(logits, its, atol=0.05)


def test_nobody_reads_the_answer_by_accident(folder):
    for path in folder.iterdir():
        if path.suffix == ".json":
            text = path.read_text()
            assert "mute" not in text
            assert "L1H2" not in text


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        json.dumps({"sealed": "%%%"}),
        json.dumps({"sealed": "e30="}),
        json.dumps({"sealed": 3}),
        "[]",
    ],
)
def test_a_damaged_envelope_says_so(folder, content):
    (folder / ENVELOPE).write_text(content)
    with pytest.raises(CourseError, match="damaged"):
        unseal(folder)


def test_a_folder_without_one_is_no_case(tmp_path):
    with pytest.raises(CourseError, match="no sealed case"):
        unseal(tmp_path)
