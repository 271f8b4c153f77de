"""Edges between positions cut: no attention flows there, the rest shares it, and other heads are left alone."""

import pytest
import torch

from mi_course.data import repeated_tokens
from mi_course.errors import UnknownName
from mi_course.methods.attention_knockout import knocked_out, knockout_hooks
from tests.methods.planted import BOS, N_TOKENS, induction_model, random_model, random_tokens


def pairs(*cells, n_pos=9):
    marked = torch.zeros(n_pos, n_pos, dtype=torch.bool)
    for query, key in cells:
        marked[query, key] = True
    return marked


@pytest.fixture
def model():
    return random_model()


def test_no_attention_flows_along_a_cut_edge_and_the_rest_shares_it(model):
    tokens = random_tokens(model)
    clean = model.run_with_cache(tokens)[1]["pattern", 0]
    with knocked_out(model, pairs((8, 2), (8, 3))):
        _, cache = model.run_with_cache(tokens)
    for layer in range(3):
        assert not cache["pattern", layer][:, :, 8, 2:4].any()
        assert torch.allclose(cache["pattern", layer].sum(-1), torch.ones(4, 4, 9))
    left = clean.clone()
    left[:, :, 8, 2:4] = 0
    assert torch.allclose(cache["pattern", 0], left / left.sum(-1, keepdim=True), atol=1e-6)


def test_only_the_named_heads_are_cut(model):
    tokens = random_tokens(model)
    _, clean = model.run_with_cache(tokens)
    with knocked_out(model, pairs((8, 2)), heads=["L1H0", "L1H3"]):
        _, cache = model.run_with_cache(tokens)
    assert not cache["pattern", 1][:, [0, 3], 8, 2].any()
    assert torch.equal(cache["pattern", 1][:, [1, 2]], clean["pattern", 1][:, [1, 2]])
    assert torch.equal(cache["pattern", 0], clean["pattern", 0])


def test_rows_can_have_edges_of_their_own(model):
    tokens = random_tokens(model, 2)
    with knocked_out(model, torch.stack([pairs((8, 2)), pairs((7, 1))])):
        pattern = model.run_with_cache(tokens)[1]["pattern", 0]
    assert not pattern[0, :, 8, 2].any()
    assert not pattern[1, :, 7, 1].any()
    assert pattern[0, :, 7, 1].all()
    assert pattern[1, :, 8, 2].all()


def test_cutting_no_edge_or_only_the_future_changes_nothing(model):
    tokens = random_tokens(model)
    for harmless in (pairs(), torch.ones(9, 9, dtype=torch.bool).triu(1)):
        with knocked_out(model, harmless):
            cut = model(tokens)
        assert torch.equal(cut, model(tokens))


def test_cutting_the_induction_heads_one_edge_takes_the_answer_away_and_no_other_edge_does():
    model, tokens = induction_model(), repeated_tokens.batch(N_TOKENS, 4, 8, bos=BOS)
    inputs, answer = tokens[:, :-1], tokens[:, -1]

    def right():
        return (model(inputs)[:, -1].argmax(-1) == answer).float().mean().item()

    with knocked_out(model, pairs((15, 8), n_pos=16)):
        assert right() < 0.5
    with knocked_out(model, pairs((15, 7), n_pos=16)):
        assert right() == 1
    with knocked_out(model, pairs((15, 8), n_pos=16), heads=["L0H0", "L0H1", "L1H1"]):
        assert right() == 1


def test_hooks_are_gone_after_an_exception(model):
    with pytest.raises(ZeroDivisionError), knocked_out(model, pairs((8, 2))):
        raise ZeroDivisionError
    assert not any(module._forward_hooks for module in model.modules())


def test_cuts_that_cannot_be_are_refused(model):
    with pytest.raises(ValueError, match="leaves a query nothing to look at"):
        knockout_hooks(model, pairs((0, 0)))
    with pytest.raises(UnknownName, match="no head"):
        knockout_hooks(model, pairs((8, 2)), heads=["L9H9"])
    with pytest.raises(ValueError, match=r"pairs has shape \(8, 8\), but this run has 4 rows of 9 tokens"):
        model.run_with_hooks(random_tokens(model), knockout_hooks(model, pairs((5, 2), n_pos=8)))
    with pytest.raises(ValueError, match=r"pairs has shape \(3, 9, 9\)"):
        model.run_with_hooks(random_tokens(model), knockout_hooks(model, pairs((5, 2)).expand(3, -1, -1)))
