"""The grammar writes by its probabilities, remembers what it decided, and knows every probability exactly."""

import math
import random
from collections import Counter

import pytest

from mi_course.data.tiny_world.grammar import Belief, Grammar, Memory, Outcome, Rule

PETS = Grammar(
    [
        Rule("text", [Outcome("{owner} has a {pet} .", 3.0), Outcome("nobody has a {pet} .", 1.0)]),
        Rule("owner", [Outcome("Ann", 1.0, {"owner": "Ann"}), Outcome("Bob", 1.0, {"owner": "Bob"})]),
        Rule(
            "pet",
            lambda owner: [Outcome("cat", 0.9), Outcome("dog", 0.1)] if owner == "Ann" else ["cat", "dog"],
            reads=("owner",),
        ),
    ]
)

HIDDEN = Grammar(
    [
        Rule("coin", [Outcome("{toss} {toss} {toss}", 1.0, {"fair": fair}) for fair in (True, False)]),
        Rule(
            "toss",
            lambda fair: [Outcome("heads", 0.5 if fair else 1.0), Outcome("tails", 0.5 if fair else 0.0)],
            reads=("fair",),
        ),
    ]
)


def probability(grammar, start, text):
    belief, product = grammar.belief(start), 1.0
    for token in (*text.split(), Belief.END):
        p, belief = belief.after(token)
        product *= p
    return product


def test_the_probability_of_a_text_is_the_product_of_its_choices():
    assert probability(PETS, "text", "Ann has a cat .") == pytest.approx(0.75 * 0.5 * 0.9)
    assert probability(PETS, "text", "Bob has a dog .") == pytest.approx(0.75 * 0.5 * 0.5)
    assert probability(PETS, "text", "nobody has a cat .") == pytest.approx(0.25 * 0.5)


def test_the_probabilities_of_all_texts_add_up_to_one():
    texts = [f"{who} has a {pet} ." for who in ("Ann", "Bob", "nobody") for pet in ("cat", "dog")]
    assert math.fsum(probability(PETS, "text", text) for text in texts) == pytest.approx(1.0)


def test_a_text_that_cannot_be_written_has_probability_zero():
    assert probability(PETS, "text", "Ann has a bird .") == 0.0
    assert probability(PETS, "text", "Ann has a") == 0.0


def test_what_is_hidden_is_inferred_by_bayes_rule():
    belief = HIDDEN.belief("coin")
    for token in ("heads", "heads"):
        _, belief = belief.after(token)
    assert belief.posterior("fair")[True] == pytest.approx(0.25 / 1.25)
    assert belief.next_tokens()["heads"] == pytest.approx(0.2 * 0.5 + 0.8 * 1.0)
    _, belief = belief.after("tails")
    assert belief.posterior("fair") == {True: pytest.approx(1.0)}


def test_the_next_tokens_agree_with_asking_for_each_one():
    belief = PETS.belief("text")
    for token in ("Ann", "has", "a"):
        spread = belief.next_tokens()
        assert math.fsum(spread.values()) == pytest.approx(1.0)
        assert all(belief.after(t)[0] == pytest.approx(p) for t, p in spread.items())
        _, belief = belief.after(token)


def test_texts_come_as_often_as_their_probability_says():
    rng, n = random.Random(0), 20_000
    counts = Counter(" ".join(w.token for w in PETS.write(rng, "text")) for _ in range(n))
    for text, count in counts.items():
        p = probability(PETS, "text", text)
        assert abs(count - n * p) < 5 * math.sqrt(n * p * (1 - p))


def test_every_word_knows_its_slot_and_what_was_decided():
    written = PETS.write(random.Random(1), "text", {"kind": "pets"})
    pet = next(word for word in written if word.role == "pet")
    assert pet.latents["kind"] == "pets"
    assert written[0].role in ("owner", "text")
    if written[0].role == "owner":
        assert written[0].latents["owner"] == written[0].token


def test_memory_is_never_changed():
    memory = Memory({"a": 1})
    assert memory.bind({"b": 2}) == {"a": 1, "b": 2}
    assert memory == {"a": 1}


def test_a_rule_can_collect_what_it_writes():
    grammar = Grammar(
        [
            Rule("echo", ["{any} {any} {copy}"]),
            Rule("any", ["x", "y"], appends="said"),
            Rule("copy", lambda said: [" ".join(said)], reads=("said",)),
        ]
    )
    for seed in range(8):
        tokens = [w.token for w in grammar.write(random.Random(seed), "echo")]
        assert tokens[:2] == tokens[2:]
    assert probability(grammar, "echo", "x y x y") == pytest.approx(0.25)
    assert probability(grammar, "echo", "x y y x") == 0.0


def test_two_rules_of_one_name_are_refused():
    with pytest.raises(ValueError, match="share a name: \\['a'\\]"):
        Grammar([Rule("a", ["x"]), Rule("a", ["y"])])


def test_a_slot_without_outcomes_is_named():
    with pytest.raises(ValueError, match="'a' has no outcome"):
        Grammar([Rule("a", [])]).write(random.Random(0), "a")
