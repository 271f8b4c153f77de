"""New cases for a workshop: models under seal for the learners, a key for the instructor."""

import pytest

import mi_course as mc
from mi_course import cli
from mi_course.exercises import sealed_cases
from mi_course.methods.sealed import case
from mi_course.methods.sealed.case import Case
from tests.models.small_transformers import CONFIGS, make, word_tokenizer

ANSWERS = {
    "trigger": {"word": "store", "head": "L0H1"},
    "damaged head": {"head": "L1H2", "damage": "mute"},
    "edited fact": {"relation": "town", "subject": "Iron Tower", "answer": "Pell", "layer": 1},
}


@pytest.fixture
def made(monkeypatch):
    """Cases that cost nothing; which seed they were asked for."""
    seeds = []

    def make_set(model, seed, *, report):
        seeds.append(seed)
        report("case a …")
        small = make(CONFIGS["gpt2"], tokenizer=word_tokenizer())
        return {
            letter: Case(kind, answer, {"works": 0.9}, small)
            for letter, (kind, answer) in zip("abc", ANSWERS.items())
        }

    monkeypatch.setattr(case, "make_set", make_set)
    monkeypatch.setattr(sealed_cases, "_opened", [])
    return seeds


def test_cases_and_key_are_written_and_learners_can_open_the_cases(made, tmp_path, capsys):
    assert cli.main(["capstone", "--seed", "7", "--out", str(tmp_path / "workshop")]) == 0
    assert made == [7]
    models = sealed_cases.open_cases(tmp_path / "workshop" / "cases")
    assert list(models) == ["a", "b", "c"]
    assert sealed_cases.current().kinds() == dict(zip("abc", ANSWERS))
    assert sealed_cases.current().answer("trigger")["word"] == "store"
    key = (tmp_path / "workshop" / "answer-key.md").read_text()
    assert "seed 7" in key
    assert all(f"**{value}**" in key for answer in ANSWERS.values() for value in answer.values())
    said = capsys.readouterr().out
    assert "open_cases(" in said
    assert not any(word in said for word in ("store", "mute", "Pell")), "the answers stay in the key"


def test_without_a_place_the_seed_names_it(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["capstone", "--seed", "11"]) == 0
    assert (tmp_path / "capstone-11" / "cases" / "b" / "model.safetensors").is_file()


def test_what_is_there_already_is_not_written_over(made, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert cli.main(["capstone", "--seed", "7", "--out", str(tmp_path)]) == 1
    assert "not empty" in capsys.readouterr().err
    assert made == []


def test_a_place_that_cannot_be_written_says_so(made, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert cli.main(["capstone", "--seed", "7", "--out", str(tmp_path / "file" / "workshop")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_folder_without_cases_is_refused(tmp_path):
    from mi_course.errors import CourseError

    with pytest.raises(CourseError, match="holds no sealed cases"):
        sealed_cases.open_cases(tmp_path)


def test_at_first_the_cases_are_the_shipped_ones(monkeypatch):
    monkeypatch.setattr(sealed_cases, "_opened", [])
    assert set(sealed_cases.current().kinds()) == {"a", "b", "c"}
    assert set(sealed_cases.current().kinds().values()) == set(ANSWERS)
    models = sealed_cases.open_cases()
    assert models["a"].config == mc.load("tiny-world").config
    assert not any(parameter.requires_grad for parameter in models["a"].parameters())
