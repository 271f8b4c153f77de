"""Composition: exact on subspaces that are the same or do not touch; factored as written out; random as theory says."""

import pytest
import torch

from mi_course.methods.composition import composition
from mi_course.methods.head_circuits import ov_circuit, qk_circuit
from tests.methods.planted import attention_only, induction_model, random_model

SIDES = ("Q", "K", "V")


def model_that_reads(side, rank, read_from):
    """L0H0 writes to coordinates 0 … rank − 1; L1H0 reads ``rank`` coordinates from ``read_from`` on, at one side."""
    model = attention_only(2, 12, 1, 4)
    one, two = (block.attn for block in model.blocks)
    axes = torch.eye(12)
    written, read, elsewhere = (axes[start : start + rank] for start in (0, read_from, 8))
    one.W_V[0, :, :rank], one.W_O[0, :rank] = elsewhere.T, written
    if side == "V":
        two.W_V[0, :, :rank], two.W_O[0, :rank] = read.T, elsewhere
    else:
        reads, other = (two.W_Q, two.W_K) if side == "Q" else (two.W_K, two.W_Q)
        reads[0, :, :rank], other[0, :, :rank] = read.T, elsewhere.T
    return model


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("rank", "score"), [(1, 1.0), (4, 0.5)])
def test_who_reads_just_what_is_written_scores_one_over_the_root_of_the_rank(side, rank, score):
    model = model_that_reads(side, rank, read_from=0)
    assert composition(model, side).of("L0H0", "L1H0") == pytest.approx(score)


@pytest.mark.parametrize("side", SIDES)
def test_who_reads_something_else_scores_zero(side):
    model = model_that_reads(side, 4, read_from=4)
    assert composition(model, side).of("L0H0", "L1H0") == 0


@pytest.mark.parametrize("side", ["Q", "K"])
def test_composition_is_found_on_its_own_side_alone(side):
    model = model_that_reads(side, 2, read_from=0)
    other = {"Q": "K", "K": "Q"}[side]
    assert composition(model, side).of("L0H0", "L1H0") > 0.7
    assert composition(model, other).of("L0H0", "L1H0") == 0


def test_half_of_what_is_written_read_gives_the_share_by_hand():
    """Written: 4 directions. Read: 2 of them and 2 others. ‖product‖ = √2, sizes √4·√4."""
    model = model_that_reads("K", 4, read_from=2)
    assert composition(model, "K").of("L0H0", "L1H0") == pytest.approx(2**0.5 / 4)


@pytest.mark.parametrize("norm", ["fold", "ignore"])
def test_the_factored_scores_are_those_of_the_matrices_written_out(norm):
    model = random_model()
    ov, ov_later = (ov_circuit(model, head, norm=norm).full() for head in ("L0H1", "L2H3"))
    qk = qk_circuit(model, "L2H3", norm=norm).full()
    for side, matrix in (("Q", qk), ("K", qk.T), ("V", ov_later)):
        expected = (ov @ matrix).norm() / (ov.norm() * matrix.norm())
        found = composition(model, side, norm=norm)
        assert found.of("L0H1", "L2H3") == pytest.approx(expected.item(), rel=1e-4)
        assert found.side == side


def test_the_planted_induction_circuit_is_k_composition_and_nothing_else():
    model = induction_model()
    assert composition(model, "K").best(1)[0][:2] == ("L0H0", "L1H0")
    assert composition(model, "K").of("L0H0", "L1H0") == pytest.approx(12**-0.5)
    assert composition(model, "Q").of("L0H0", "L1H0") == 0
    assert composition(model, "V").of("L0H0", "L1H0") == 0


def test_only_a_head_of_an_earlier_layer_has_a_score():
    values = composition(random_model(), "K").values
    assert values.shape == (3, 4, 3, 4)
    for layer in range(3):
        for reader in range(3):
            assert values[layer, :, reader].isnan().all() == (reader <= layer)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("baseline", ["gaussian", "rotated"])
def test_random_matrices_overlap_by_about_one_over_the_root_of_the_width(side, baseline):
    model = random_model(d_model=64, d_head=16, n_heads=4, norm=None)
    scores = composition(model, side, baseline=baseline)
    assert scores.chance == pytest.approx(64**-0.5, rel=0.03)
    assert scores.baseline.shape == (200,)
    in_units = (scores.values[~scores.values.isnan()] - scores.chance) / scores.spread
    assert in_units.mean().abs() < 1
    assert 0.5 < in_units.std() < 2


def test_the_rotated_baseline_is_wider_where_few_directions_are_strong():
    """One strong direction a head: random pairs then meet or miss, and the even baseline is too sure of itself."""
    model = random_model(d_model=64, d_head=16, norm=None)
    for block in model.blocks:
        for weight in (block.attn.W_V, block.attn.W_Q, block.attn.W_K):
            weight[:, :, 0] *= 30
    rotated, even = composition(model, "K", baseline="rotated"), composition(model, "K")
    assert rotated.spread > 3 * even.spread
    assert even.baseline.max() < rotated.baseline.max()


def test_the_baseline_repeats_itself_by_its_seed():
    model = random_model()
    assert torch.equal(composition(model, "K").baseline, composition(model, "K").baseline)
    assert not torch.equal(composition(model, "K").baseline, composition(model, "K", seed=1).baseline)
    assert composition(model, "K", draws=7).baseline.shape == (7,)


def test_the_best_pairs_come_first_and_a_table_has_them_by_layer():
    scores = composition(random_model(), "K")
    pairs = scores.best(1000)
    assert len(pairs) == 3 * 16
    assert [pair[2] for pair in pairs] == sorted((pair[2] for pair in pairs), reverse=True)
    writer, reader, score = pairs[0]
    assert scores.of(writer, reader) == score
    assert scores.table(0, 2)[1, 3].item() == scores.of("L0H1", "L2H3")


def test_a_head_wider_than_the_stream_has_scores_too():
    model = random_model(d_model=8, d_head=12, n_heads=2, norm=None)
    ov, qk = ov_circuit(model, "L0H1").full(), qk_circuit(model, "L1H0").full()
    expected = (ov @ qk.T).norm() / (ov.norm() * qk.norm())
    for baseline in ("gaussian", "rotated"):
        scores = composition(model, "K", baseline=baseline)
        assert scores.of("L0H1", "L1H0") == pytest.approx(expected.item(), rel=1e-4)
        assert 0 < scores.chance < 1
