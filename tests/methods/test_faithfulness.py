"""Faithfulness, completeness and minimality, on a network whose parts are worth what we say.

The network adds: every head of its one layer writes a number of its own to the answer. So each score has a known value.
"""

import pytest
import torch

from mi_course.errors import CourseError, UnknownName
from mi_course.methods import faithfulness
from mi_course.methods.circuit import Circuit
from mi_course.models.transformer import Transformer, TransformerConfig

WORTH = (4.0, 2.0, 1.0, -3.0)
"""What each head adds to the answer's logit when it reads token 1, and nothing when it reads token 0."""


@pytest.fixture(scope="module")
def adds():
    config = TransformerConfig(
        n_layers=1, d_model=2, n_heads=4, d_head=1, d_mlp=0, d_vocab=2, n_ctx=2, norm=None, bias=False
    )
    model = Transformer(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.W_E[1, 0] = 1.0
        model.blocks[0].attn.W_V[:, 0, 0] = 1.0
        model.blocks[0].attn.W_O[:, 0, 1] = torch.tensor(WORTH)
        model.lm_head[1, 1] = 1.0
    return model.requires_grad_(False)


CLEAN, CORRUPTED = torch.tensor([[1], [1], [1]]), torch.tensor([[0], [0], [0]])


def answer(logits):
    return logits[:, -1, 1]


def circuit(model, *heads):
    return Circuit.of_nodes(model, [f"L0H{head}" for head in heads])


def test_the_whole_model_scores_1_and_nothing_scores_0(adds):
    found = faithfulness.evaluate(
        adds, {"all": Circuit.full(adds), "none": Circuit.empty(adds)}, CLEAN, CORRUPTED, answer
    )
    assert found.model.tolist() == [4.0] * 3
    assert found.nothing.tolist() == [0.0] * 3
    assert found.scores.tolist() == [1.0, 0.0]


def test_a_circuit_scores_the_share_that_it_keeps(adds):
    found = faithfulness.evaluate(adds, {"one": circuit(adds, 1)}, CLEAN, CORRUPTED, answer)
    assert found.of("one").tolist() == [2.0] * 3
    assert found.score("one").estimate == pytest.approx(0.5)


def test_leaving_out_what_works_against_the_answer_scores_above_1(adds):
    found = faithfulness.evaluate(adds, circuit(adds, 0, 1, 2), CLEAN, CORRUPTED, answer)
    assert found.score("circuit").estimate == pytest.approx(7 / 4)


def test_the_reference_decides_what_a_circuit_gets_for_nothing(adds):
    mixed = torch.tensor([[0], [1], [0]])
    means = faithfulness.evaluate(adds, circuit(adds, 0), CLEAN, mixed, answer, reference="mean")
    assert means.nothing.tolist() == pytest.approx([4 / 3] * 3)
    zero = faithfulness.evaluate(adds, circuit(adds, 0), CLEAN, mixed, answer, reference="zero")
    assert zero.nothing.tolist() == [0.0] * 3


def test_several_metrics_are_measured_in_one_run(adds):
    found = faithfulness.evaluate(
        adds,
        [circuit(adds, 0)],
        CLEAN,
        CORRUPTED,
        {"logit": answer, "twice": lambda logits: 2 * answer(logits)},
    )
    assert list(found) == ["logit", "twice"]
    torch.testing.assert_close(found["twice"].of("0"), 2 * found["logit"].of("0"))


def test_an_additive_circuit_breaks_by_as_much_as_the_model(adds):
    found = faithfulness.completeness(adds, circuit(adds, 0, 1, 2, 3), CLEAN, CORRUPTED, answer)
    assert found.groups == (("L0H0",), ("L0H1",), ("L0H2",), ("L0H3",))
    assert found.distance.tolist() == pytest.approx([0.0] * 4)


def test_a_circuit_without_a_part_of_the_model_is_incomplete_by_its_worth(adds):
    found = faithfulness.completeness(adds, circuit(adds, 0, 1), CLEAN, CORRUPTED, answer, groups=[["L0H0"]])
    assert found.circuit.tolist() == [[2.0] * 3]
    assert found.model.tolist() == [[0.0] * 3]
    assert found.worst() == (("L0H0",), 2.0)


def test_minimality_is_what_each_node_is_worth(adds):
    found = faithfulness.minimality(adds, circuit(adds, 0, 1, 3), CLEAN, CORRUPTED, answer)
    assert {node: value.estimate for node, value in found.items()} == pytest.approx(
        {"L0H0": 1.0, "L0H1": 0.5, "L0H3": -0.75}
    )
    fewer = faithfulness.minimality(adds, circuit(adds, 0, 1), CLEAN, CORRUPTED, answer, without=["L0H1"])
    assert list(fewer) == ["L0H0"]


def test_random_circuits_have_as_many_heads_and_differ(adds):
    drawn = faithfulness.random_circuits(adds, circuit(adds, 0, 1), 12, seed=0)
    assert all(len(one.heads) == 2 for one in drawn)
    assert len({one.edges for one in drawn}) > 2
    assert drawn == faithfulness.random_circuits(adds, circuit(adds, 0, 1), 12, seed=0)


def test_random_groups_are_pairs_of_nodes_of_the_circuit(adds):
    groups = faithfulness.random_groups(circuit(adds, 0, 1, 2), 20, seed=1)
    assert set().union(*groups) == {"L0H0", "L0H1", "L0H2"}
    assert {len(set(group)) for group in groups} == {2}
    with pytest.raises(ValueError, match="size=4: the circuit has 3 nodes"):
        faithfulness.random_groups(circuit(adds, 0, 1, 2), 1, size=4)


def test_unknown_names_and_nothing_at_all_are_refused(adds):
    found = faithfulness.evaluate(adds, {"one": circuit(adds, 1)}, CLEAN, CORRUPTED, answer)
    with pytest.raises(UnknownName, match="no circuit named 'two'"):
        found.score("two")
    with pytest.raises(CourseError, match="no circuit to evaluate"):
        faithfulness.evaluate(adds, [], CLEAN, CORRUPTED, answer)
