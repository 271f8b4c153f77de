"""A table of heads: the name of a cell leads to the cell."""

import pytest
import torch

from mi_course.errors import UnknownName
from mi_course.methods.head_scores import HeadScores, find_head, head_label

VALUES = torch.tensor([[0.1, 0.9, 0.3], [0.7, 0.2, 0.9]])
SCORES = HeadScores(VALUES, "some score", "share of attention", chance=0.2)


def test_a_head_is_named_by_layer_and_number_from_zero():
    assert head_label(5, 1) == "L5H1"
    assert find_head("L5H1", 12, 12) == (5, 1)
    assert find_head("L10H11", 12, 12) == (10, 11)


def test_each_name_leads_to_its_own_cell():
    cells = {head_label(layer, head): VALUES[layer, head].item() for layer in range(2) for head in range(3)}
    assert {label: SCORES[label] for label in cells} == cells


def test_the_best_come_first_and_of_equals_the_earlier():
    assert SCORES.best(3) == [("L0H1", SCORES["L0H1"]), ("L1H2", SCORES["L1H2"]), ("L1H0", SCORES["L1H0"])]
    assert SCORES.best() == SCORES.best(1)
    assert len(SCORES.best(100)) == 6
    assert SCORES.lowest(2) == [("L0H0", SCORES["L0H0"]), ("L1H1", SCORES["L1H1"])]


def test_rows_and_columns_have_labels():
    assert SCORES.layers == ["L0", "L1"]
    assert SCORES.heads == ["H0", "H1", "H2"]


def test_a_head_that_does_not_exist_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match=r"2 layers with 3 heads each.*'L2H0'.*Did you mean 'L"):
        SCORES["L2H0"]
    for wrong in ("L0H3", "5.1", "H1L0", "L0", "L0H1 MLP", "L-1H0"):
        with pytest.raises(UnknownName, match="no head"):
            find_head(wrong, 2, 3)


def test_the_scores_of_single_examples_are_there_for_an_interval():
    by_example = torch.stack([VALUES, 3 * VALUES])
    scores = HeadScores(by_example.mean(0), "some score", "logits", None, by_example)
    assert torch.equal(scores.examples("L1H0"), torch.tensor([0.7, 3 * VALUES[1, 0]]))
    with pytest.raises(ValueError, match="some score is a score of weights"):
        SCORES.examples("L1H0")
