"""Which classes a unit picks out, on answers where it is known."""

import pytest
import torch
from sklearn.metrics import roc_auc_score

from mi_course.methods import class_selectivity
from tests.methods.striped_network import striped

LABELS = torch.arange(3).repeat(20)


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_scores_are_scikit_learns_also_with_ties():
    answers = noise(60, 4).relu()
    found = class_selectivity.scores(answers, LABELS, 3)
    for unit in range(4):
        for one in range(3):
            expected = roc_auc_score(LABELS.eq(one).numpy(), answers[:, unit].numpy())
            assert found[unit, one] == pytest.approx(expected, abs=1e-5)


def test_a_silent_unit_knows_nothing_and_a_class_without_photographs_has_no_score():
    found = class_selectivity.scores(torch.zeros(60, 1), LABELS, 4)
    assert found[0, :3].tolist() == [0.5, 0.5, 0.5]
    assert found[0, 3].isnan()


def test_relatedness_is_that_of_the_last_layers_weights():
    model = striped()
    model.classifier[-1].weight.copy_(
        torch.tensor([[1.0, 0, 0, 0, 0], [1, 0.2, 0, 0, 0], [-2, -0.2, 0, 0, 0]])
    )
    found = class_selectivity.relatedness(model)
    assert found.diagonal().tolist() == pytest.approx([1, 1, 1], abs=1e-5)
    assert found[0, 1] > 0.9
    assert found[0, 2] < -0.9


def test_two_meanings_are_chosen_on_one_half_and_judged_on_the_other():
    choosing = torch.tensor([[0.9, 0.85, 0.8, 0.1], [0.2, 0.3, 0.9, 0.8]])
    judging = torch.tensor([[0.7, 0.99, 0.6, 0.99], [0.5, 0.5, 0.75, 0.95]])
    related = torch.tensor(
        [[1, 0.5, -0.1, -0.2], [0.5, 1, -0.1, -0.1], [-0.1, -0.1, 1, -0.3], [-0.2, -0.1, -0.3, 1]]
    )
    found = class_selectivity.two_meanings(choosing, judging, related)
    assert found.first.tolist() == [0, 2]
    assert found.second.tolist() == [2, 3], "class 1 is related to class 0"
    assert found.both.tolist() == pytest.approx([0.6, 0.75])


def test_the_recorded_scores_fit_the_model_and_their_controls():
    import mi_course

    tables = class_selectivity.recorded("alexnet-mini-seed1")
    assert {table.shape for table in tables.values()} == {(256, 200)}
    assert {"trained half 0", "trained half 1", "untrained half 0", "mixed half 1"} <= tables.keys()
    assert all(((table >= 0) & (table <= 1)).all() for table in tables.values())
    related = class_selectivity.relatedness(mi_course.load("alexnet-mini"))
    trained, untrained = (
        class_selectivity.two_meanings(tables[f"{name} half 0"], tables[f"{name} half 1"], related)
        for name in ("trained", "untrained")
    )
    assert trained.first_score.median() > 0.8
    assert untrained.first_score.median() < trained.first_score.median() - 0.1
