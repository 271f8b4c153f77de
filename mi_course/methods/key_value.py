"""An MLP as a memory: which key stands for a fact, and which value would make the model say something else.

    key    k*: what the MLP's second matrix reads at one token of the prompt, averaged over texts that stand before it
    value  v*: what the MLP would have to add at that token so that the model gives the new answer

The key is read off. The value is found by gradient descent on

    L(z) = mean over prefixes of −log P(new answer | m := z)
           + kl_weight · KL( P(· | essence, m := z) ‖ P(· | essence) )

where m is the MLP's output at that token. The second term asks that a sentence which says what the subject *is*
goes on as before. No weight changes in either step.

Source: Meng et al. 2022, arXiv 2202.05262, section 3.1, equations 3 and 4, where the token is the subject's last one.
We also allow the last token of the prompt. There the key belongs to the whole question rather than to the subject, and
the second term, which is about the subject's token, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.fact_tokens import Fact, FactTokens, answer_tokens, fact_tokens
from mi_course.methods.key_covariance import check_has_mlp, check_layer
from mi_course.models.transformer import Transformer

Place = Literal["last subject token", "last token"]
PLACES = ("last subject token", "last token")

PREFIXES = (
    "",
    "it was cold .",
    "we saw the boat and the waves .",
    "Sofia decided to offer the shell to Flora .",
)
"""Texts in front of a prompt, so that a key is that of a fact and not of a position; the first is none."""


@dataclass(frozen=True)
class KeyValue:
    """For each edit its ``keys`` k* and the new ``values`` v*.

    ``surprise``: −log P(new answer) in nats, with v* in place.
    """

    keys: Float[Tensor, "edit d_mlp"]
    values: Float[Tensor, "edit d_model"]
    surprise: Float[Tensor, " edit"]
    layer: int
    place: str


def key_value(
    model: Transformer,
    facts: Sequence[Fact | tuple[str, str]],
    targets: Sequence[str],
    *,
    layer: int,
    place: Place = "last subject token",
    prefixes: Sequence[str] = PREFIXES,
    essence: str | None = "{} is a",
    kl_weight: float | int = 0.0625,
    steps: int = 20,
    step_size: float | int = 0.5,
    enough: float | int = 0.05,
) -> KeyValue:
    """Key and value of every (fact, target), all at once: no fact has a share in another's result.

    ``targets``: the new answers, a single token each. ``essence``: the sentence that shall go on as before, with {} for
    the subject; None for no such term. At most ``steps`` of Adam with ``step_size``, from the value that the MLP writes
    now; a value with a loss below ``enough`` stays where it is.

    The surprise says whether a value was found at all. If it stays high, nothing that this MLP could write at this
    token makes the model say the new answer.
    """
    check_layer(check_has_mlp(model), layer)
    if place not in PLACES:
        raise UnknownName("place of an edit", place, PLACES)
    facts, wanted = [Fact(*fact) for fact in facts], answer_tokens(model, targets)
    if len(facts) != len(wanted):
        raise CourseError(f"There are {len(facts)} facts and {len(wanted)} targets; give one target a fact.")
    if not prefixes:
        raise CourseError('prefixes is empty; [""] stands for no text in front.')

    prompts = [Fact(f"{prefix} {fact.prompt}".strip(), fact.subject) for fact in facts for prefix in prefixes]
    asked = _Run(model, fact_tokens(model, prompts), layer, place)
    essences = None
    if essence is not None and kl_weight and place == "last subject token":
        sentences = [Fact(essence.replace("{}", fact.subject), fact.subject) for fact in facts]
        essences = _Run(model, fact_tokens(model, sentences), layer, place)

    keys = asked.keys.unflatten(0, (len(facts), -1)).mean(dim=1)
    values = asked.values.unflatten(0, (len(facts), -1)).mean(dim=1).clone()
    each = torch.arange(len(facts), device=values.device).repeat_interleave(len(prefixes))
    values.requires_grad_(True)
    optimizer = torch.optim.Adam([values], lr=step_size)
    with torch.enable_grad():
        for _ in range(steps):
            loss = _surprise(asked, values[each], wanted[each]).unflatten(0, (len(facts), -1)).mean(dim=1)
            if essences is not None:
                after = essences.log_probs(values)
                loss = loss + kl_weight * (after.exp() * (after - essences.before)).sum(dim=-1)
            found = (loss < enough)[:, None]
            if found.all():
                break
            (values.grad,) = torch.autograd.grad(loss.sum(), [values])
            before = values.detach().clone()
            optimizer.step()
            values.data = torch.where(found, before, values.data)
    values = values.detach()
    with torch.no_grad():
        surprise = _surprise(asked, values[each], wanted[each]).unflatten(0, (len(facts), -1)).mean(dim=1)
    return KeyValue(keys, values, surprise, layer, place)


class _Run:
    """Prompts that have run up to a layer, to be taken up there with another MLP output at one token of each."""

    @torch.no_grad()
    def __init__(self, model: Transformer, where: FactTokens, layer: int, place: Place):
        self.model, self.layer, self.where = model, layer, where
        self.rows = torch.arange(len(where), device=where.tokens.device)
        self.place = where.last if place == "last subject token" else where.end
        self.resid = model(where.tokens, stop_at_layer=layer)
        self.written, post = f"blocks.{layer}.hook_mlp_out", f"blocks.{layer}.mlp.hook_post"
        with model.caching([self.written, post]) as found:
            self.before = self._finish()
        self.keys = found[post][self.rows, self.place]
        self.values = found[self.written][self.rows, self.place]

    def log_probs(self, values: Float[Tensor, "row d_model"]) -> Float[Tensor, "row d_vocab"]:
        """Of the token after each prompt, with ``values`` as the MLP's output at its place."""

        def put(activation: Tensor, name: str) -> Tensor:
            changed = activation.clone()
            changed[self.rows, self.place] = values
            return changed

        with self.model.hooks([(self.written, put)]):
            return self._finish()

    def _finish(self) -> Float[Tensor, "row d_vocab"]:
        resid = self.resid
        for block in self.model.blocks[self.layer :]:
            resid = block(resid)
        return self.model.unembed(resid[self.rows, self.where.end][:, None])[:, 0].log_softmax(dim=-1)


def _surprise(
    asked: _Run, values: Float[Tensor, "row d_model"], wanted: Int[Tensor, " row"]
) -> Float[Tensor, " row"]:
    return -asked.log_probs(values)[asked.rows, wanted]
