"""Keys that are read off, values that are searched: in a network where both are known, and by the equation."""

import pytest
import torch

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.key_value import PLACES, key_value
from tests.methods.planted_facts import FACTS, LEAK, SUBJECTS, WORDS, planted_facts, prompt, random_with_words
from tests.type_checks import values_only

PLAIN = {"prefixes": [""], "essence": None}
OPTIONS = {"steps": 60, "step_size": 1.0}


def test_the_key_of_the_subject_is_the_neuron_that_knows_it():
    found = key_value(planted_facts(), [prompt(s) for s in SUBJECTS], ["Rome"] * 4, layer=0, steps=0, **PLAIN)
    assert torch.equal(found.keys, torch.eye(4))
    late = key_value(
        planted_facts(), [prompt("cat")], ["Rome"], layer=2, place="last token", steps=0, **PLAIN
    )
    assert torch.allclose(late.keys, (torch.eye(4) + LEAK)[2:3], atol=1e-5)


def test_without_steps_the_value_is_what_the_mlp_writes_now():
    model = random_with_words()
    facts = [("the old fox lives in", "old fox"), ("a cat is in", "cat")]
    found = key_value(model, facts, ["Rome", "Oslo"], layer=1, steps=0, **PLAIN)
    for row, (text, pos) in enumerate(zip(facts, (3, 2))):
        logits, cache = model.run_with_cache(model.to_tokens(text[0]))
        assert torch.allclose(found.values[row], cache["mlp_out", 1][0, pos], atol=1e-5)
        assert torch.allclose(found.keys[row], cache["post", 1][0, pos], atol=1e-5)
        surprise = -logits[0, -1].log_softmax(-1)[WORDS.index(("Rome", "Oslo")[row])]
        assert found.surprise[row] == pytest.approx(float(surprise), rel=1e-4)


def test_keys_and_values_are_means_over_the_texts_in_front():
    model = random_with_words()
    fact = ("the cat lives in", "cat")
    texts = ["", "cold .", "a dog is cold ."]
    found = key_value(model, [fact], ["Rome"], layer=1, prefixes=texts, steps=0, essence=None)
    runs = [model.run_with_cache(model.to_tokens(f"{text} {fact[0]}".strip()))[1] for text in texts]
    places = [2, 4, 7]
    assert torch.allclose(
        found.keys[0],
        torch.stack([run["post", 1][0, at] for run, at in zip(runs, places)]).mean(0),
        atol=1e-5,
    )
    want = torch.stack([run["mlp_out", 1][0, at] for run, at in zip(runs, places)]).mean(0)
    assert torch.allclose(found.values[0], want, atol=1e-5)


@values_only
@pytest.mark.parametrize("place", PLACES)
def test_a_value_that_can_be_found_is_found_and_does_what_it_says(place):
    """Put by a hook of the test's own, the value makes the model as sure of the new answer as it says."""
    model = random_with_words()
    facts, targets = [("the old fox lives in", "old fox"), ("a cat is in", "cat")], ["Lima", "Bern"]
    found = key_value(model, facts, targets, layer=0, place=place, steps=150, step_size=0.3, **PLAIN)
    assert found.surprise.max() < 1.0
    assert key_value(model, facts, targets, layer=0, place=place, steps=0, **PLAIN).surprise.min() > 2.0
    for row, (fact, at) in enumerate(zip(facts, [(3, 5), (2, 4)])):
        pos = at[PLACES.index(place)]

        def put(activation, name, row=row, pos=pos):
            changed = activation.clone()
            changed[:, pos] = found.values[row]
            return changed

        logits = model.run_with_hooks(model.to_tokens(fact[0]), [("blocks.0.hook_mlp_out", put)])[0, -1]
        surprise = -float(logits.log_softmax(-1)[WORDS.index(targets[row])])
        assert found.surprise[row] == pytest.approx(surprise, abs=1e-4)


def test_where_nothing_that_the_mlp_writes_can_reach_the_answer_the_surprise_stays():
    """Behind the attention that carries the subject to the end, its own token matters no more."""
    found = key_value(planted_facts(), [prompt("fox")], ["Oslo"], layer=1, **PLAIN, **OPTIONS)
    before = key_value(planted_facts(), [prompt("fox")], ["Oslo"], layer=1, steps=0, **PLAIN)
    assert torch.allclose(found.surprise, before.surprise)
    assert found.surprise.min() > 20


def test_no_fact_has_a_share_in_anothers_value():
    model = random_with_words()
    facts = [("the old fox lives in", "old fox"), ("a cat is in", "cat"), ("the dog lives in", "dog")]
    options = {"layer": 1, "prefixes": ["", "cold ."], "steps": 6, "essence": "the {} is a"}
    together = key_value(model, facts, ["Lima", "Bern", "Rome"], **options)
    for row, (fact, target) in enumerate(zip(facts, ["Lima", "Bern", "Rome"])):
        alone = key_value(model, [fact], [target], **options)
        assert torch.allclose(alone.values[0], together.values[row], atol=1e-3)


def test_a_value_that_is_good_enough_is_left_alone():
    model = random_with_words()
    options = {"layer": 1, "place": "last token", "steps": 150, "step_size": 0.3}
    loose, tight = (
        key_value(model, [("a cat is in", "cat")], ["Bern"], enough=enough, **PLAIN, **options).surprise
        for enough in (1.0, 0.1)
    )
    assert 0.1 < loose < 1.0
    assert tight < 0.1


def test_the_essence_term_keeps_the_sentence_that_it_names():
    model = random_with_words()
    fact, essence = ("the cat lives in", "cat"), "{} is a"

    def drift(**options):
        found = key_value(
            model, [fact], ["Bern"], layer=1, prefixes=[""], steps=40, enough=0.0, essence=essence, **options
        )

        def put(activation, name):
            changed = activation.clone()
            changed[:, 1] = found.values[0]
            return changed

        tokens = model.to_tokens("cat is a")
        before = model(tokens)[0, -1].log_softmax(-1)
        after = model.run_with_hooks(tokens, [("blocks.1.hook_mlp_out", put)])[0, -1].log_softmax(-1)
        return float((after.exp() * (after - before)).sum())

    assert drift(kl_weight=5.0) < 0.3 * drift(kl_weight=0.0)


def test_nothing_is_left_behind_in_the_model():
    model = random_with_words().requires_grad_(True)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    with torch.no_grad():  # as learners often have it
        key_value(model, [("a cat is in", "cat")], ["Bern"], layer=1, steps=3, **PLAIN)
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert sum(len(module._forward_hooks) for module in model.modules()) == 0


def test_what_cannot_be_edited_is_refused(without_type_checks):
    model, facts = planted_facts(), [prompt("fox")]
    for arguments, words in (
        ({"layer": 3}, "layers 0 to 2"),
        ({"layer": 0, "prefixes": []}, "stands for no text"),
    ):
        with pytest.raises(CourseError, match=words):
            key_value(model, facts, ["Rome"], **arguments)
    with pytest.raises(UnknownName, match="last token"):
        key_value(model, facts, ["Rome"], layer=0, place="last", **PLAIN)
    with pytest.raises(CourseError, match="one target a fact"):
        key_value(model, facts, ["Rome", "Oslo"], layer=0, **PLAIN)
    with pytest.raises(CourseError, match="takes 2 tokens"):
        key_value(model, facts, ["old Rome"], layer=0, **PLAIN)
    with pytest.raises(CourseError, match="not at all"):
        key_value(model, [("the fox lives in", "owl")], ["Rome"], layer=0, **PLAIN)
    with pytest.raises(CourseError, match="attention-only"):
        key_value(random_with_words(d_mlp=0), facts, ["Rome"], layer=0, **PLAIN)
    assert set(FACTS) == set(SUBJECTS)
