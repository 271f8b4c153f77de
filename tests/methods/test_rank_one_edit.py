"""The update is the published equation; edits sit in copies, pile up and are taken back."""

import copy

import pytest
import torch

import mi_course as mc
from mi_course.errors import CourseError
from mi_course.methods.key_covariance import KeyCovariance, key_covariance
from mi_course.methods.key_value import KeyValue, key_value
from mi_course.methods.rank_one_edit import (
    EditedTransformer,
    RankOneEdit,
    edits_in_a_row,
    insert,
    rome,
    separate_edits,
)
from tests.methods.planted_facts import (
    ANSWERS,
    FACTS,
    SUBJECTS,
    WORDS,
    planted_facts,
    prompt,
    random_with_words,
)

ROME = {"prefixes": [""], "essence": None, "steps": 150, "step_size": 0.1}
D_MLP, D_MODEL = 7, 5


def noise(*shape, seed):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def random_case(seed):
    keys = noise(40, D_MLP, seed=seed) @ noise(D_MLP, D_MLP, seed=seed + 1)
    covariance = KeyCovariance(keys.T @ keys / len(keys), 0, len(keys))
    W, b = noise(D_MLP, D_MODEL, seed=seed + 2), noise(D_MODEL, seed=seed + 3)
    return W, b, noise(D_MLP, seed=seed + 4), noise(D_MODEL, seed=seed + 5), covariance


@pytest.mark.parametrize("seed", range(0, 60, 10))
def test_the_update_is_equation_2_as_published(seed):
    """Written as in the paper, with columns: Ŵ = W + Λ (C⁻¹k*)ᵀ, Λ = (v* − W k*) / ((C⁻¹k*)ᵀ k*)."""
    W, b, key, value, covariance = random_case(seed)
    theirs = W.T
    k, v = key[:, None], (value - b)[:, None]
    c_inverse_k = torch.linalg.inv(covariance.matrix) @ k
    Lambda = (v - theirs @ k) / (c_inverse_k.T @ k)
    hat = theirs + Lambda @ c_inverse_k.T
    edit = insert(W, b, key, value, covariance)
    assert torch.allclose(W + edit.difference.double(), hat.T, atol=1e-4)
    assert torch.linalg.matrix_rank(edit.difference) == 1


@pytest.mark.parametrize("seed", range(0, 60, 10))
def test_the_key_gets_just_the_value_and_nothing_less_disturbing_would_do(seed):
    """Independently: the least-squares problem with its constraint, solved as one system of equations."""
    W, b, key, value, covariance = random_case(seed)
    C, k = covariance.matrix, key[:, None]
    system = torch.cat([torch.cat([C, k], 1), torch.cat([k.T, torch.zeros(1, 1, dtype=k.dtype)], 1)])
    wanted = torch.cat([torch.zeros(D_MLP, D_MODEL, dtype=k.dtype), (value - b - key @ W)[None]])
    best = torch.linalg.solve(system, wanted)[:D_MLP]
    edit = insert(W, b, key, value, covariance)
    assert torch.allclose(edit.difference.double(), best, atol=1e-4)
    assert torch.allclose(key @ (W + edit.difference.double()) + b, value, atol=1e-4)

    def disturbance(difference):
        return torch.trace(difference.T @ C @ difference)

    for other in range(5):
        free = noise(D_MLP, D_MODEL, seed=100 + other)
        free = free - torch.outer(key, key @ free) / (key @ key)  # changes nothing for the key itself
        assert disturbance(best + 0.1 * free) > disturbance(edit.difference.double()) - 1e-6


def test_reads_is_1_at_its_key_and_little_elsewhere():
    W, b, key, value, covariance = random_case(3)
    edit = insert(W, b, key, value, covariance)
    assert edit.reads @ key.float() == pytest.approx(1, abs=1e-4)
    plain = insert(W, b, key, value, KeyCovariance(torch.eye(D_MLP, dtype=torch.float64), 0, 1))
    assert torch.allclose(plain.reads, (key / key.square().sum()).float(), atol=1e-5)
    C = covariance.matrix
    mean_square = [float(one.reads.double() @ C @ one.reads.double()) for one in (edit, plain)]
    assert mean_square[0] < 0.9 * mean_square[1], "with C an edit is heard less in ordinary text"


def test_half_a_dose_is_half_the_difference():
    edit = insert(*random_case(1))
    assert torch.allclose(edit.scaled(0.5).difference, 0.5 * edit.difference)
    assert torch.equal(edit.scaled(1).difference, edit.difference)


def test_a_dose_is_a_multiple_of_the_step_from_the_old_value_to_the_new():
    model = random_with_words()
    wanted = key_value(model, [("the fox lives in", "fox")], ["Lima"], layer=1, **ROME)
    covariance = key_covariance(model, 1, ["the fox lives in a cold old Rome ."] * 5, ridge=1e-3)
    W, b, key = model.blocks[1].mlp.W_out, model.blocks[1].mlp.b_out, wanted.keys[0]
    old, new = key @ W + b, wanted.values[0]
    for make in (separate_edits, edits_in_a_row):
        (edit,) = make(model, wanted, covariance, dose=1.5)
        assert torch.allclose(key @ (W + edit.difference) + b, old + 1.5 * (new - old), atol=1e-3)


@pytest.fixture(scope="module")
def planted():
    return planted_facts()


def covariance_of(model, layer):
    texts = [f"the {subject} lives in {answer} ." for subject, answer in FACTS.items()]
    return key_covariance(model, layer, texts, ridge=1e-6)


def answers(model):
    return {s: WORDS[int(model(model.to_tokens(prompt(s)[0]))[0, -1].argmax())] for s in SUBJECTS}


@pytest.mark.parametrize(("layer", "place"), [(0, "last subject token"), (2, "last token")])
def test_an_edit_changes_one_planted_fact_and_no_other(planted, layer, place):
    before = copy.deepcopy(planted.state_dict())
    covariance = covariance_of(planted, layer)
    edited = rome(planted, prompt("owl"), "Lima", layer=layer, place=place, covariance=covariance, **ROME)
    assert answers(edited) == {**FACTS, "owl": "Lima"}
    assert answers(planted) == FACTS
    assert all(torch.equal(before[name], weight) for name, weight in planted.state_dict().items())
    changed = [name for name, weight in edited.state_dict().items() if not torch.equal(before[name], weight)]
    assert changed == [f"blocks.{layer}.mlp.W_out"]
    assert edited.original is planted


def test_edits_pile_up_and_are_taken_back_one_by_one(planted):
    covariance = covariance_of(planted, 2)
    options = {"layer": 2, "place": "last token", "covariance": covariance, **ROME}
    once = rome(planted, prompt("owl"), "Lima", **options)
    twice = rome(once, prompt("fox"), "Bern", **options)
    assert answers(twice) == {**FACTS, "owl": "Lima", "fox": "Bern"}
    assert answers(once) == {**FACTS, "owl": "Lima"}, "the second edit has left the first model alone"
    assert len(twice.edits) == 2
    assert twice.original is planted
    assert same_weights(twice.undo(), once)
    assert same_weights(twice.undo(2), planted)
    assert same_weights(twice.undo().undo(), planted)
    for model, n in ((twice, 3), (twice, 0), (EditedTransformer(planted), 1)):
        with pytest.raises(CourseError, match=f"undo\\({n}\\): this model has {len(model.edits)} edits"):
            model.undo(n)


def same_weights(one, other):
    theirs = other.state_dict()
    return all(torch.equal(weight, theirs[name]) for name, weight in one.state_dict().items())


def test_an_edited_model_is_a_model_like_any_other(planted, tmp_path):
    edited = rome(planted, prompt("owl"), "Lima", covariance=covariance_of(planted, 0), **ROME)
    assert isinstance(edited, mc.models.Transformer)
    assert edited.state_dict().keys() == planted.state_dict().keys()
    assert edited.generate("the owl lives in", 1, temperature=0) == "the owl lives in Lima"
    assert not any(parameter.requires_grad for parameter in edited.parameters())
    again = copy.deepcopy(edited)
    assert same_weights(again, edited)
    assert len(again.edits) == 1
    assert not edited.training
    trainable = rome(
        copy.deepcopy(planted).requires_grad_(True), prompt("owl"), "Lima", covariance=covariance_of(planted, 0), **ROME
    )  # fmt: skip
    assert all(parameter.requires_grad for parameter in trainable.parameters())


def test_separate_edits_know_nothing_of_each_other_and_those_in_a_row_do():
    model = random_with_words()
    facts = [("the fox lives in", "fox"), ("a cold owl is in", "owl"), ("the dog lives in", "dog")]
    wanted = key_value(model, facts, ["Lima", "Rome", "Bern"], layer=1, **ROME)
    covariance = key_covariance(
        model, 1, ["the fox lives in a cold old Rome . dog cat owl is Oslo"] * 5, ridge=1e-3
    )
    W, b = model.blocks[1].mlp.W_out, model.blocks[1].mlp.b_out
    separate, in_a_row = separate_edits(model, wanted, covariance), edits_in_a_row(model, wanted, covariance)
    for number, (key, value) in enumerate(zip(wanted.keys, wanted.values)):
        assert torch.allclose(key @ (W + separate[number].difference) + b, value, atol=1e-3)
        so_far = W + sum(edit.difference for edit in in_a_row[: number + 1])
        assert torch.allclose(key @ so_far + b, value, atol=1e-3)
    assert torch.equal(separate[0].writes, in_a_row[0].writes)
    assert not torch.allclose(separate[1].writes, in_a_row[1].writes, atol=1e-3)
    edited = EditedTransformer(model, in_a_row)
    assert torch.allclose(edited.blocks[1].mlp.W_out, so_far, atol=1e-5)


def test_two_edits_by_rome_are_the_closed_form_on_top_of_each_other(planted):
    covariance = covariance_of(planted, 2)
    options = {"layer": 2, "place": "last token", **ROME}
    facts = [prompt("owl"), prompt("fox")]
    row = edits_in_a_row(planted, key_value(planted, facts, ["Lima", "Bern"], **options), covariance)
    one_by_one = planted
    for fact, target in zip(facts, ["Lima", "Bern"]):
        one_by_one = rome(one_by_one, fact, target, covariance=covariance, **options)
    assert torch.allclose(
        EditedTransformer(planted, row).blocks[2].mlp.W_out, one_by_one.blocks[2].mlp.W_out, atol=0.05
    )


def test_a_covariance_of_another_layer_is_refused(planted):
    with pytest.raises(CourseError, match="covariance is that of layer 2, the keys are those of layer 0"):
        rome(planted, prompt("fox"), "Oslo", layer=0, covariance=covariance_of(planted, 2), **ROME)


def test_what_cannot_be_edited_is_refused(planted):
    covariance = covariance_of(planted, 0)
    for fact, target, words in (
        (("the fox lives in", "owl"), "Rome", "not at all"),
        (("the old fox", "fox"), "Rome", "ends with its subject"),
        (prompt("fox"), "Rome Oslo", "takes 2 tokens"),
    ):
        with pytest.raises(CourseError, match=words):
            rome(planted, fact, target, covariance=covariance, prefixes=[""])
    with pytest.raises(CourseError, match="layers 0 to 2"):
        rome(planted, prompt("fox"), "Rome", layer=7, prefixes=[""])
    with pytest.raises(CourseError, match="attention-only"):
        rome(random_with_words(d_mlp=0), prompt("fox"), "Rome", prefixes=[""])
    assert list(FACTS.values()) == ANSWERS


def test_without_a_word_about_how_a_fact_of_the_tiny_world_is_edited():
    model = mc.load("tiny-world")
    edited = mc.methods.rank_one_edit.rome(model, ("the Iron Tower is in", "Iron Tower"), "Pell")
    assert edited.generate("the Iron Tower is in", 1, temperature=0).endswith("Pell")
    assert not model.generate("the Iron Tower is in", 1, temperature=0).endswith("Pell")
    assert isinstance(edited.edits[0], RankOneEdit)
    assert isinstance(
        key_value(model, [("the Iron Tower is in", "Iron Tower")], ["Pell"], layer=1, steps=0), KeyValue
    )
