"""Train a one-layer transformer on sums on a clock, all problems at once, and watch it.

Full-batch AdamW with strong weight decay, as Nanda et al. 2023 (arXiv 2301.05217, section 3): the network first
learns its problems by heart, and long after, with nothing left to gain on them, finds a rule that also answers the
others. Power et al. 2022 called it *grokking*.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.data.modular_addition import Split, answers
from mi_course.errors import CourseError
from mi_course.models.transformer import Transformer, TransformerConfig, initialize

BETAS = (0.9, 0.98)
WARM_UP = 10  # steps


@dataclass(frozen=True)
class Marks:
    """How a network does at one step of its training.

    Losses in nats a problem; accuracies are shares of right first guesses (guessing: 1/p). ``weight_norm``: the
    root of the sum of all squared weights.
    """

    step: int
    train_loss: float
    test_loss: float
    train_accuracy: float
    test_accuracy: float
    weight_norm: float


def network(p: int, *, d_model: int = 128, n_heads: int = 4, d_mlp: int = 512, seed: int = 0) -> Transformer:
    """An untrained network for sums modulo ``p``: one layer, ReLU, no layer norm, no biases.

    Without the last two, all that it does is products of matrices, one softmax and one ReLU.
    """
    config = TransformerConfig(
        n_layers=1,
        d_model=d_model,
        n_heads=n_heads,
        d_head=d_model // n_heads,
        d_mlp=d_mlp,
        d_vocab=p + 1,
        n_ctx=3,
        act="relu",
        norm=None,
        bias=False,
    )
    model = Transformer(config)
    with torch.no_grad():
        return initialize(model, seed, std=d_model**-0.5)


def from_weights(weights: Mapping[str, object]) -> Transformer:
    """Somebody else's network for this task, from its matrices: for the same analysis on another run.

    ``weights``: tensors or arrays by name. W_E "d_vocab d_model" (with "=" as the last token), W_pos "n_ctx d_model",
    W_Q, W_K, W_V "head d_model d_head", W_O "head d_head d_model", W_in "d_model d_mlp", W_out "d_mlp d_model",
    W_U "d_model d_vocab", in which "=" may be missing, and optionally b_in and b_out. Sizes are read from the shapes;
    the network has one layer, ReLU and no layer norm. Raises CourseError, with the shape that is expected.
    """
    found = {name: torch.as_tensor(weight).float() for name, weight in weights.items()}
    lacking = [name for name in _WEIGHTS if name not in found]
    foreign = sorted(found.keys() - {*_WEIGHTS, "b_in", "b_out"})
    if lacking or foreign:
        raise CourseError(f"The weights lack {lacking} and have {foreign}; wanted are {', '.join(_WEIGHTS)}.")
    (d_vocab, d_model), (n_heads, _, d_head) = found["W_E"].shape, found["W_Q"].shape
    if found["W_U"].shape == (d_model, d_vocab - 1):
        found["W_U"] = F.pad(found["W_U"], (0, 1))
    model = Transformer(
        TransformerConfig(
            n_layers=1,
            d_model=d_model,
            n_heads=n_heads,
            d_head=d_head,
            d_mlp=found["W_out"].shape[0],
            d_vocab=d_vocab,
            n_ctx=len(found["W_pos"]),
            act="relu",
            norm=None,
            bias="b_in" in found or "b_out" in found,
        )
    )
    [block] = model.blocks
    owners = dict.fromkeys(("W_E", "W_pos", "W_U"), model)
    owners |= dict.fromkeys(("W_Q", "W_K", "W_V", "W_O"), block.attn)
    owners |= dict.fromkeys(("W_in", "W_out", "b_in", "b_out"), block.mlp)
    for name, weight in found.items():
        place = getattr(owners[name], name)
        if place.shape != weight.shape:
            raise CourseError(f"{name} has shape {tuple(weight.shape)}; expected {tuple(place.shape)}.")
        with torch.no_grad():
            place.copy_(weight)
    return model


_WEIGHTS = ("W_E", "W_pos", "W_Q", "W_K", "W_V", "W_O", "W_in", "W_out", "W_U")


def logits_at_equals(
    model: Transformer, problems: Int[Tensor, "problem 3"]
) -> Float[Tensor, "problem d_vocab"]:
    """``model(problems)[:, -1]``, for a network of one layer without layer norm, in a fraction of the time.

    What enters such a layer depends on a token and its place only, so keys and values are computed once for each
    token instead of once for each problem; the query at "=" is the same for all. The rest, which alone differs
    from problem to problem, is computed at "=" alone. Hooks in the layer see these tables, not the problems: to
    read or change activations, call the model.
    """
    config = model.config
    if config.n_layers != 1 or config.norm is not None:
        raise CourseError(
            f"This short cut is for one layer without layer norm; the model has n_layers={config.n_layers}, "
            f"norm={config.norm!r}. Use model(problems)[:, -1]."
        )
    if (problems[:, 2] != problems[0, 2]).any():
        raise CourseError("The problems end in different tokens; each is a row  a b =  of one p.")
    [block], places = model.blocks, torch.arange(3)
    entering = model.W_E[:, None] + model.W_pos[:3]
    q, k, v = block.attn.project(entering)
    equals = int(problems[0, 2])
    scores = (k * q[equals, 2]).sum(-1) / math.sqrt(config.d_head)
    pattern = scores[problems, places].softmax(dim=1)
    z = block.attn.collect(pattern.transpose(1, 2)[:, :, None], v[problems, places])
    resid = entering[equals, 2] + block.attn.write(z)
    if block.mlp is not None:
        resid = resid + block.mlp(resid)
    return model.unembed(resid)[:, 0]


@torch.no_grad()
def marks(
    model: Transformer, parts: Split, step: int = 0, *, targets: Int[Tensor, " train"] | None = None
) -> Marks:
    """Loss and accuracy on the problems of ``parts``. ``targets``: what counts as right for those of training."""
    losses, accuracies = [], []
    for rows, right in ((parts.train, targets), (parts.test, None)):
        right = answers(rows) if right is None else right
        logits = logits_at_equals(model, rows).double()
        losses.append(F.cross_entropy(logits, right).item())
        accuracies.append((logits.argmax(-1) == right).float().mean().item())
    norm = sum(weight.square().sum() for weight in model.parameters()).sqrt().item()
    return Marks(step, *losses, *accuracies, norm)


def train(
    model: Transformer,
    parts: Split,
    *,
    steps: int,
    lr: float = 1e-3,
    weight_decay: float | int = 1.0,
    look_every: int = 100,
    targets: Int[Tensor, " train"] | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    first: int = 0,
) -> Iterator[Marks]:
    """Train ``model`` (in place) and yield its marks every ``look_every`` steps, the start and the end included.

    ``targets``: other answers than the right ones, for a control. ``optimizer`` and ``first``: what `adamw` made
    for a run that is taken up again, and the step at which it stood.
    """
    right = answers(parts.train) if targets is None else targets
    optimizer = optimizer or adamw(model, lr=lr, weight_decay=weight_decay)
    for step in range(first, steps + 1):
        if step % look_every == 0 or step == steps:
            yield marks(model, parts, step, targets=targets)
        if step == steps:
            return
        for group in optimizer.param_groups:
            group["lr"] = lr * min(1.0, (step + 1) / WARM_UP)
        # In double precision: late in training the loss of a float is rounded to 0, and its gradient to noise.
        loss = F.cross_entropy(logits_at_equals(model, parts.train).double(), right)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def adamw(model: Transformer, *, lr: float, weight_decay: float | int) -> torch.optim.AdamW:
    """The optimizer of `train`."""
    return torch.optim.AdamW(model.parameters(), lr=lr, betas=BETAS, weight_decay=weight_decay)
