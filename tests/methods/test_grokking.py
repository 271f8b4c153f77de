"""Training on sums on a clock: the short cut equals the model, and a small network groks."""

import math

import pytest
import torch

from mi_course.data import modular_addition
from mi_course.errors import CourseError
from mi_course.methods import grokking
from mi_course.models.transformer import Transformer, TransformerConfig
from tests.type_checks import unchecked


@pytest.fixture
def model():
    return grokking.network(11, d_model=16, n_heads=2, d_mlp=24, seed=0)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("d_mlp", [0, 20])
def test_the_short_cut_is_the_model_at_equals(bias, d_mlp):
    config = TransformerConfig(
        n_layers=1, d_model=12, n_heads=3, d_head=4, d_mlp=d_mlp, d_vocab=8, n_ctx=3, act="relu", norm=None, bias=bias
    )  # fmt: skip
    model = Transformer(config)
    with torch.no_grad():
        for number, weight in enumerate(model.parameters()):
            weight.normal_(0, 0.7, generator=torch.Generator().manual_seed(number))
    rows = modular_addition.problems(7)
    short, whole = grokking.logits_at_equals(model, rows), model(rows)[:, -1]
    assert torch.allclose(short, whole, atol=1e-5)
    gradients = [
        torch.autograd.grad(logits.square().mean(), list(model.parameters()), allow_unused=True)
        for logits in (short, whole)
    ]
    for name, ours, theirs in zip(dict(model.named_parameters()), *gradients):
        # The whole model also asks what the other positions would answer, with a gradient of 0 for all that.
        ours = torch.zeros_like(theirs) if ours is None else ours
        assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max(), name


def test_the_short_cut_refuses_what_it_would_get_wrong(model):
    config = model.config.to_dict()
    rows = modular_addition.problems(11)
    for change in ({"n_layers": 2}, {"norm": "layer_norm"}):
        with pytest.raises(CourseError, match="one layer without layer norm"):
            grokking.logits_at_equals(Transformer(TransformerConfig(**{**config, **change})), rows)
    with pytest.raises(CourseError, match="different tokens"):
        grokking.logits_at_equals(model, torch.tensor([[1, 2, 11], [1, 2, 3]]))


def test_marks_are_losses_and_accuracies_of_both_parts(model):
    parts = modular_addition.split(11, share=0.5, seed=0)
    found = grokking.marks(model, parts, step=7)
    assert found.step == 7
    for rows, loss, accuracy in (
        (parts.train, found.train_loss, found.train_accuracy),
        (parts.test, found.test_loss, found.test_accuracy),
    ):
        log_probs = model(rows)[:, -1].log_softmax(-1)
        right = modular_addition.answers(rows)
        assert loss == pytest.approx(-log_probs[torch.arange(len(rows)), right].mean().item(), rel=1e-4)
        assert accuracy == pytest.approx((log_probs.argmax(-1) == right).float().mean().item())
    norm = math.sqrt(sum(w.square().sum().item() for w in model.parameters()))
    assert found.weight_norm == pytest.approx(norm, rel=1e-5)


def test_training_yields_its_start_its_end_and_what_lies_between(model):
    parts = modular_addition.split(11, share=0.5, seed=0)
    seen = list(grokking.train(model, parts, steps=25, lr=3e-3, look_every=10))
    assert [look.step for look in seen] == [0, 10, 20, 25]
    assert seen[-1].train_loss < seen[0].train_loss


def test_a_run_in_two_pieces_is_the_same_run(model):
    parts = modular_addition.split(11, share=0.5, seed=0)
    other = grokking.network(11, d_model=16, n_heads=2, d_mlp=24, seed=0)
    whole = list(grokking.train(model, parts, steps=12, look_every=6))
    optimizer = grokking.adamw(other, lr=1e-3, weight_decay=1.0)
    list(grokking.train(other, parts, steps=6, look_every=6, optimizer=optimizer))
    again = list(grokking.train(other, parts, steps=12, look_every=6, optimizer=optimizer, first=6))
    assert again == whole[1:]


def test_weight_decay_pulls_the_weights_in():
    """Without anything to learn, the weights shrink by lr · weight_decay a step."""
    parts = modular_addition.split(11, share=0.5, seed=0)
    norms = {}
    for decay in (0, 1.0):
        model = grokking.network(11, d_model=16, n_heads=2, d_mlp=24, seed=0)
        norms[decay] = list(grokking.train(model, parts, steps=60, weight_decay=decay, look_every=60))[
            -1
        ].weight_norm
    assert norms[1.0] < 0.97 * norms[0]


@unchecked()
def test_answers_without_a_rule_are_learned_by_heart_and_help_with_nothing():
    parts, targets = modular_addition.control(11, share=0.5, seed=0)
    model = grokking.network(11, d_model=32, n_heads=2, d_mlp=64, seed=0)
    last = list(grokking.train(model, parts, steps=300, lr=3e-3, look_every=300, targets=targets))[-1]
    assert last.train_accuracy == 1
    assert last.test_accuracy < 0.3


def test_weights_of_somebody_else_go_into_a_network_of_their_shape(model):
    weights = {
        "W_E": model.W_E, "W_pos": model.W_pos, "W_Q": model.W_Q[0], "W_K": model.W_K[0], "W_V": model.W_V[0],
        "W_O": model.W_O[0], "W_in": model.W_in[0], "W_out": model.W_out[0], "W_U": model.W_U,
    }  # fmt: skip
    weights = {name: weight.detach().double().numpy() for name, weight in weights.items()}
    again = grokking.from_weights(weights)
    rows = modular_addition.problems(11)
    assert torch.allclose(again(rows), model(rows), atol=1e-6)
    assert again.config == model.config


def test_an_unembedding_without_equals_and_neurons_with_thresholds_are_taken(model):
    names = ("W_Q", "W_K", "W_V", "W_O", "W_in", "W_out")
    weights = {name: getattr(model, name)[0].detach() for name in names}
    weights |= {"W_E": model.W_E.detach(), "W_pos": model.W_pos.detach(), "W_U": model.W_U[:, :11].detach()}
    rows = modular_addition.problems(11)
    found = grokking.from_weights(weights)(rows)
    assert torch.allclose(found[..., :11], model(rows)[..., :11], atol=1e-6)
    threshold = torch.linspace(-1, 1, 24)
    with_bias = grokking.from_weights({**weights, "b_in": threshold})
    resid = torch.randn(1, 1, 16, generator=torch.Generator().manual_seed(0))
    want = torch.relu(resid @ weights["W_in"] + threshold) @ weights["W_out"]
    assert torch.allclose(with_bias.blocks[0].mlp(resid), want, atol=1e-5)


def test_weights_that_do_not_fit_are_refused_in_words(model):
    names = ("W_Q", "W_K", "W_V", "W_O", "W_in", "W_out")
    weights = {name: getattr(model, name)[0].detach() for name in names}
    weights |= {"W_E": model.W_E.detach(), "W_pos": model.W_pos.detach(), "W_U": model.W_U.detach()}
    with pytest.raises(CourseError, match="W_V"):
        grokking.from_weights({name: weight for name, weight in weights.items() if name != "W_V"})
    with pytest.raises(CourseError, match=r"W_in has shape \(24, 16\).*\(16, 24\)"):
        grokking.from_weights({**weights, "W_in": weights["W_in"].T})
    with pytest.raises(CourseError, match="b_E"):
        grokking.from_weights({**weights, "b_E": weights["W_E"]})
