"""Copying scores: exact for identity, its negative and a rotation; in between they are the whole circuit's."""

import pytest
import torch

from mi_course.methods.copying import copying, ov_eigenvalues
from mi_course.methods.head_circuits import ov_circuit
from tests.methods.planted import attention_only, random_model


def model_with(out):
    """One head, whose circuit between tokens is ``out`` itself."""
    model = attention_only(1, 4, 1, 4, d_vocab=4)
    model.W_E[:] = model.W_U[:] = model.blocks[0].attn.W_V[0] = torch.eye(4)
    model.blocks[0].attn.W_O[0] = out
    return model


TURN = torch.tensor([[0.0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1], [0, 0, -1, 0]])


@pytest.mark.parametrize(
    ("out", "score"),
    [
        (torch.eye(4), 1),
        (-torch.eye(4), -1),
        (3 * torch.eye(4), 1),
        (TURN, 0),
        (torch.diag(torch.tensor([1.0, 1, 1, -1])), 0.5),
        (torch.diag(torch.tensor([4.0, -1, 0, 0])), 0.6),
        (torch.zeros(4, 4), 0),
    ],
)
def test_the_score_of_a_circuit_whose_eigenvalues_are_known(out, score):
    assert copying(model_with(out))["L0H0"] == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize("norm", ["fold", "ignore"])
def test_the_small_matrix_has_the_eigenvalues_of_the_whole_circuit(norm):
    model = random_model()
    found = ov_eigenvalues(model, norm=norm)
    assert found.shape == (3, 4, 6)
    scores = copying(model, norm=norm)
    for layer, head in ((0, 1), (2, 3)):
        whole = ov_circuit(model, f"L{layer}H{head}", between="tokens", norm=norm).full().double()
        dense = torch.linalg.eigvals(whole)
        expected = dense.real.sum() / dense.abs().sum()
        assert scores.values[layer, head].item() == pytest.approx(expected.item(), abs=1e-3)
        assert found[layer, head].abs().max().item() == pytest.approx(dense.abs().max().item(), rel=1e-3)


def test_random_heads_score_around_zero_and_none_near_one():
    scores = copying(random_model(n_layers=6, n_heads=8, d_head=12)).values
    assert scores.mean().abs() < 0.15
    assert scores.abs().max() < 0.9


def test_the_weights_of_layer_norms_count_unless_they_are_ignored():
    """A norm that turns a sign turns the score."""
    model = random_model(n_layers=1, n_heads=1, d_head=24)
    model.blocks[0].attn.W_O[0] = torch.linalg.pinv(model.blocks[0].attn.W_V[0])
    model.lm_head[:] = model.W_E
    model.blocks[0].ln1.w[:] = model.ln_final.w[:] = 1.0
    before = copying(model)["L0H0"]
    assert before > 0.9
    model.ln_final.w[:] = -1.0
    assert copying(model)["L0H0"] == pytest.approx(-before, abs=1e-4)
    assert copying(model, norm="ignore")["L0H0"] > 0.9


def test_the_result_says_what_it_is():
    scores = copying(random_model())
    assert (scores.measure, scores.chance, scores.by_example) == ("copying score", 0.0, None)
    assert "−1 to 1" in scores.unit
