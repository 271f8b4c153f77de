"""The card of tiny-world: its figures are those of the files that ship, and reach what the course needs."""

import pytest

import mi_course
from mi_course.data import facts, indirect_object
from mi_course.data import tiny_world as tw
from mi_course.methods import attention_scores
from mi_course.models import pretrained
from mi_course.recipes import tiny_world_measures as measures


@pytest.fixture(scope="module")
def card():
    return pretrained.card("tiny-world")


@pytest.fixture(scope="module")
def model():
    return mi_course.load("tiny-world")


@pytest.fixture
def folder():
    return pretrained.WEIGHTS / "tiny-world"


def row(card, **wanted):
    (found,) = (r for r in card["indirect_object"] if wanted.items() <= r.items())
    return found


def test_its_hashes_are_those_of_the_files(card, folder):
    assert set(card["files"]) == {path.name for path in folder.iterdir()} - {"card.json"}
    for name, known in card["files"].items():
        pretrained.verify(folder / name, known["sha256"])
        assert (folder / name).stat().st_size == known["bytes"]


def test_everything_together_takes_at_most_12_megabytes(folder):
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 12_000_000


def test_its_loss_is_within_7_percent_of_the_entropy_and_not_below(card):
    whole = card["loss"]["all"]
    assert whole["documents"] >= 1000
    assert 1.0 < whole["ratio"] <= 1.07
    assert whole["ratio_interval_95"][1] <= 1.07
    assert set(card["loss"]) == {"all", *tw.SHARES}


@pytest.mark.parametrize("order", ["ABBA", "BABA"])
def test_it_finds_the_indirect_object_in_held_out_frames_among_strangers(card, order):
    found = row(card, people=2, frames="held_out", order=order)
    assert found["prompts"] >= 500
    assert found["preferred"][0] >= 0.95
    assert found["logit_diff"][0] >= 3


def test_it_finds_the_one_who_was_named_once_of_three(card):
    assert row(card, people=3, frames="held_out")["top1"][0] >= 0.90


def test_with_three_people_it_needs_to_look_back_from_the_second_mention(card):
    found = {name: row["top1"] for name, row in card["three_people"].items() if name != "prompts"}
    uncut, chance = found["uncut"][0], 1 / 3
    assert found["cut: everything_before"][0] <= uncut / 2
    assert uncut - found["cut: word_behind_first_mention"][0] >= (uncut - chance) / 2
    assert uncut - found["cut: everything_before"][0] >= 5 * (uncut - found["cut: control"][0])


@pytest.mark.parametrize("kind", ["induction", "previous_token"])
def test_it_has_heads_for_induction(card, kind):
    by_block = {found["block"]: found for found in card["heads"][kind]}
    assert by_block[10]["score"] >= 0.8


def test_the_induction_head_looks_nowhere_in_particular_when_nothing_comes_back(card):
    assert all(found["unrepeated"] < 0.2 for found in card["heads"]["induction"])


@pytest.mark.parametrize("relation", facts.relations())
def test_it_knows_the_facts_in_phrasings_that_it_never_read(card, relation):
    assert card["facts"][relation]["held_out_phrasings"][0] >= 0.95


def test_the_topic_can_be_read_off_where_it_is_needed(card):
    found = card["topic_probe"]["before_a_topical_word"]
    assert max(found["f1_by_layer"]) >= 0.85
    assert found["test_tokens"] >= 500


def test_the_figures_of_the_card_are_those_of_the_model(card, model):
    prompts = indirect_object.prompts(100, order="ABBA")
    _, preferred, diff = measures.answered(model, prompts)
    found = row(card, people=2, frames="held_out", order="ABBA")
    assert preferred.float().mean() == pytest.approx(found["preferred"][0], abs=0.05)
    assert diff.mean().item() == pytest.approx(found["logit_diff"][0], abs=1.0)
    right = measures.recalled(model, facts.prompts("builder")).float().mean().item()
    assert right == pytest.approx(card["facts"]["builder"]["held_out_phrasings"][0], abs=1e-3)
    induction = attention_scores.induction(model, n=32, period=10)
    assert induction.best(1)[0][0] == card["heads"]["induction"][0]["best"]
    assert induction.best(1)[0][1] == pytest.approx(card["heads"]["induction"][0]["score"], abs=1e-3)


def test_its_untrained_twin_knows_nothing(card):
    twin = mi_course.load("tiny-world-untrained")
    top, _, _ = measures.answered(twin, indirect_object.prompts(60))
    assert top.float().mean() < 0.1
    assert measures.recalled(twin, facts.prompts("town")).float().mean() < 0.1


def test_its_words_are_those_of_the_world(model):
    assert list(model.tokenizer.vocab) == list(tw.vocabulary())
