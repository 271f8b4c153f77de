"""Did an edit teach the new fact, and only that? The answers to questions about it, before and after.

    says_new   the new answer is the most probable of all tokens
    says_true  the right one is
    prefers    the new answer is more probable than the right one

For the sentence itself and for other phrasings of it the new answer is wanted (*efficacy*, *paraphrase*). For
neighbours and for other facts of the same subject it is the right one (*specificity*). Read also what ordinary text
costs afterwards (*fluency*): an edit that makes a model say one thing everywhere has an efficacy of 1.

Source: Meng et al. 2022, arXiv 2202.05262, section 3.4, who count ``prefers``. That is a weaker demand: a model
that prefers the new answer may say a third thing. Their fluency is the entropy of what the model writes; ours is the
loss on text, which also notices what is wrong in well-formed sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mi_course.data.counterfacts import KINDS, Question
from mi_course.errors import CourseError, UnknownName
from mi_course.methods.fact_tokens import answer_tokens
from mi_course.methods.metrics import loss_of_each
from mi_course.methods.padded_texts import pad
from mi_course.methods.rank_one_edit import RankOneEdit
from mi_course.methods.uncertainty import Interval, bootstrap_mean
from mi_course.models.hooks import Hook
from mi_course.models.transformer import Transformer


@dataclass(frozen=True)
class EditScores:
    """What a model answers to ``questions``, one entry a question.

    ``p_true``, ``p_new``: probabilities of the right and of the new answer.
    """

    questions: tuple[Question, ...]
    says_true: Bool[Tensor, " question"]
    says_new: Bool[Tensor, " question"]
    p_true: Float[Tensor, " question"]
    p_new: Float[Tensor, " question"]

    @property
    def prefers(self) -> Bool[Tensor, " question"]:
        """Whether the new answer is more probable than the right one."""
        return self.p_new > self.p_true

    def by_edit(self, measure: str, kind: str) -> Float[Tensor, " edit"]:
        """The share of one kind of questions, for every counterfact that has any.

        ``measure``: "says_new", "says_true", "prefers", "p_true" or "p_new". Questions about one edit hang together,
        so that intervals are taken over edits.
        """
        if measure not in ("says_new", "says_true", "prefers", "p_true", "p_new"):
            raise UnknownName("measure", measure, ("says_new", "says_true", "prefers", "p_true", "p_new"))
        if kind not in KINDS:
            raise UnknownName("kind of question", kind, KINDS)
        values = getattr(self, measure).float()
        rows = [row for row, question in enumerate(self.questions) if question.kind == kind]
        numbers = [self.questions[row].number for row in rows]
        return torch.stack([
            values[[row for row, its in zip(rows, numbers) if its == number]].mean()
            for number in dict.fromkeys(numbers)
        ])  # fmt: skip

    def share(self, measure: str, kind: str) -> Interval:
        """The mean of `by_edit`, with its 95 % interval over edits."""
        return bootstrap_mean(self.by_edit(measure, kind))


@torch.no_grad()
def score(
    model: Transformer,
    questions: Sequence[Question],
    edits: Sequence[RankOneEdit] | None = None,
    *,
    chunk_size: int = 64,
) -> EditScores:
    """Ask ``model`` the ``questions``.

    With ``edits``, question i is asked of the model with the one edit ``edits[questions[i].number]`` in it, and no
    other: as many edited models as edits, in one run. Without, all questions are asked of the model as it is, for
    instance of one with several edits (`EditedTransformer`), or of the unedited one.
    """
    if not questions:
        raise CourseError("There are no questions to ask.")
    if edits is not None and max(question.number for question in questions) >= len(edits):
        raise CourseError(f"There are {len(edits)} edits, and questions about more of them.")
    true = answer_tokens(model, [question.true for question in questions])
    new = answer_tokens(model, [question.new for question in questions])
    lengths = [len(model.to_tokens(question.prompt)[0]) for question in questions]
    rows, best, p_true, p_new = [], [], [], []
    order = sorted(
        range(len(questions)), key=lengths.__getitem__
    )  # of like lengths, so that little is filled up
    for start in range(0, len(order), chunk_size):
        part = order[start : start + chunk_size]
        mine = [] if edits is None else edit_hooks([edits[questions[row].number] for row in part])
        with model.hooks(mine):
            chances = _next_token(
                model, [questions[row].prompt for row in part], [lengths[row] for row in part]
            )
        rows += part
        best.append(chances.argmax(dim=-1))
        p_true.append(chances.gather(1, true[part, None])[:, 0])
        p_new.append(chances.gather(1, new[part, None])[:, 0])
    back = torch.tensor(rows).argsort()
    best, p_true, p_new = (torch.cat(column)[back] for column in (best, p_true, p_new))
    return EditScores(tuple(questions), best == true, best == new, p_true, p_new)


@torch.no_grad()
def text_loss(
    model: Transformer, texts: Sequence[str], edits: Sequence[RankOneEdit] | None = None
) -> Float[Tensor, " text"] | Float[Tensor, "edit text"]:
    """The mean surprise in nats a token on every text; with ``edits``, of a model with each edit alone in it.

    Compare with the unedited model on the same texts; how predictable they are varies more than any edit changes.
    """
    batch = pad(model, texts)
    tokens, where = batch.tokens, batch.where

    def measured(hooks: list[tuple[str, Hook]]) -> Float[Tensor, " text"]:
        return loss_of_each(model.run_with_hooks(tokens, hooks), tokens, where)

    if edits is None:
        return measured([])
    return torch.stack([measured(edit_hooks([edit] * len(tokens))) for edit in edits])


def edit_hooks(edits: Sequence[RankOneEdit]) -> list[tuple[str, Hook]]:
    """Hooks under which row i of a batch runs as if ``edits[i]`` were in the weights, and no other.

    All must be edits of one layer. ``key (W + reads ⊗ writes)`` is ``key W + (key · reads) writes``: the edited matrix
    is never needed.
    """
    layers = {edit.layer for edit in edits}
    if len(layers) != 1:
        raise CourseError(f"Edits of one layer can run side by side; these are of layers {sorted(layers)}.")
    (layer,) = layers
    reads, writes = (torch.stack([getattr(edit, side) for edit in edits]) for side in ("reads", "writes"))
    amount = {}

    def read(keys: Tensor, name: str) -> None:
        amount["of key"] = torch.einsum("bpm,bm->bp", keys, reads)

    def write(values: Tensor, name: str) -> Tensor:
        return values + amount["of key"][..., None] * writes[:, None]

    return [(f"blocks.{layer}.mlp.hook_post", read), (f"blocks.{layer}.hook_mlp_out", write)]


def _next_token(
    model: Transformer, prompts: Sequence[str], lengths: Sequence[int]
) -> Float[Tensor, "prompt d_vocab"]:
    """Probabilities of the token after each prompt, of ``lengths`` tokens."""
    tokens = model.to_tokens(list(prompts), pad=True)
    resid = model(tokens, stop_at_layer=model.config.n_layers)
    last = resid[torch.arange(len(tokens)), torch.tensor(lengths) - 1]
    return model.unembed(last[:, None])[:, 0].softmax(dim=-1)
