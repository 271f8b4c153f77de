"""What the weights say is what the model does, as far as weights alone decide it."""

import pytest
import torch

from mi_course.errors import UnknownName
from mi_course.methods.head_circuits import composed_qk_circuit, ov_circuit, qk_circuit
from tests.methods.planted import N_CTX, N_TOKENS, STRENGTH, induction_model, random_model, random_tokens


@pytest.fixture
def model():
    """Layer norms with weights, but no biases: then only the norm's scale is not in the circuits."""
    return random_model(bias=False)


def test_the_qk_circuit_gives_the_models_own_scores(model):
    tokens = random_tokens(model)
    _, cache = model.run_with_cache(tokens)
    x = cache["resid_pre", 1] / cache["scale", 1, "ln1"]
    ours = x @ qk_circuit(model, "L1H2").full() @ x.mT / model.config.d_head**0.5
    past = torch.ones(9, 9, dtype=torch.bool).tril()
    assert torch.allclose(ours[:, past], cache["attn_scores", 1][:, 2][:, past], atol=1e-4)


def test_the_ov_circuit_gives_what_the_head_writes(model):
    tokens = random_tokens(model)
    _, cache = model.run_with_cache(tokens)
    x = cache["resid_pre", 2] / cache["scale", 2, "ln1"]
    ours = cache["pattern", 2][:, 3] @ x @ ov_circuit(model, "L2H3").full()
    written = cache["z", 2][:, :, 3] @ model.blocks[2].attn.W_O[3]
    assert torch.allclose(ours, written, atol=1e-5)


def test_between_tokens_the_ends_are_embedding_and_unembedding():
    """Without layer norm the circuits of tokens are plain products, and folding changes nothing."""
    model = random_model(norm=None)
    attn = model.blocks[1].attn
    qk = model.W_E @ attn.W_Q[2] @ attn.W_K[2].T @ model.W_E.T
    ov = model.W_E @ attn.W_V[2] @ attn.W_O[2] @ model.W_U
    positions = model.W_pos @ attn.W_Q[2] @ attn.W_K[2].T @ model.W_pos.T
    for norm in ("fold", "ignore"):
        assert torch.allclose(qk_circuit(model, "L1H2", between="tokens", norm=norm).full(), qk, atol=1e-4)
        assert torch.allclose(ov_circuit(model, "L1H2", between="tokens", norm=norm).full(), ov, atol=1e-4)
        found = qk_circuit(model, "L1H2", between="positions", norm=norm).full()
        assert torch.allclose(found, positions, atol=1e-4)


def test_an_ov_circuit_between_tokens_is_the_direct_effect_on_the_logits(model):
    """A head that looks at one token alone moves the logits by that token's row, but for the two norms' scales."""
    _, cache = model.run_with_cache(random_tokens(model))
    written = (cache["embed"] / cache["scale", 0, "ln1"]) @ ov_circuit(model, "L0H1").full()
    weighted = written * model.ln_final.w
    read = (written - written.mean(-1, keepdim=True)) * model.ln_final.w @ model.W_U
    rows = ov_circuit(model, "L0H1", between="tokens").rows(random_tokens(model).flatten())
    expected = rows.view(4, 9, 50) / cache["scale", 0, "ln1"]
    assert torch.allclose(read, expected, atol=1e-4)
    assert not torch.allclose(weighted @ model.W_U, expected, atol=1e-2)


def test_the_planted_heads_circuits_are_what_was_planted():
    model = induction_model()
    answer = ov_circuit(model, "L1H0", between="tokens").full()
    assert torch.equal(answer, STRENGTH * torch.eye(N_TOKENS))
    before = qk_circuit(model, "L0H0", between="positions").full()
    assert torch.equal(before.argmax(dim=1)[1:], torch.arange(N_CTX - 1))
    assert not ov_circuit(model, "L1H1").full().any()


def test_through_the_previous_token_head_the_induction_heads_keys_match_its_queries():
    model = induction_model()
    composed = composed_qk_circuit(model, "L0H0", "L1H0")
    assert composed.largest_on_diagonal() == 1
    assert torch.equal(composed.full(), composed.full()[0, 0] * torch.eye(N_TOKENS))
    assert not composed_qk_circuit(model, "L0H1", "L1H0").full().any()
    assert not composed_qk_circuit(model, "L0H0", "L1H0", side="query").full().any()


@pytest.mark.parametrize("side", ["query", "key"])
def test_a_composed_circuit_is_the_product_of_the_two(side):
    model = random_model(norm=None)
    moved = model.W_E @ ov_circuit(model, "L0H1").full()
    query, key = (moved, model.W_E) if side == "query" else (model.W_E, moved)
    expected = query @ qk_circuit(model, "L2H3").full() @ key.T
    found = composed_qk_circuit(model, "L0H1", "L2H3", side=side).full()
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_circuits_keep_their_small_factors():
    model = random_model()
    assert ov_circuit(model, "L1H2", between="tokens").left.shape == (50, 6)
    assert qk_circuit(model, "L1H2", between="tokens").right.shape == (6, 50)
    assert composed_qk_circuit(model, "L0H1", "L1H2").left.shape == (50, 6)


def test_a_head_cannot_read_what_is_not_yet_written():
    for writer in ("L1H0", "L2H0"):
        with pytest.raises(ValueError, match=f"L1H1 cannot read what {writer} writes"):
            composed_qk_circuit(random_model(), writer, "L1H1")
    with pytest.raises(UnknownName, match="no head"):
        qk_circuit(random_model(), "L3H0")
