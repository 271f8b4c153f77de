# ruff: noqa: N803 (matrices are upper case in the formulas)
"""Rank-one model editing (ROME): write one new fact into an MLP, and disturb as little else as a matrix can.

The second matrix of an MLP maps keys to values, ``value = key W + b``. Wanted is a W′ that maps one key k* to a new
value v*, and that among all such matrices changes the values of ordinary keys least, in the mean of their squares. With
``C = E[k kᵀ]`` over ordinary text (`key_covariance`) it is

    W′ = W + reads ⊗ writes        reads  = C⁻¹k* / (k*ᵀ C⁻¹ k*)        writes = v* − (k* W + b)

``reads`` says how much of k* is in a key: 1 for k* itself, little for ordinary keys. ``writes`` is what is then added.

What an edit does not show: that the fact was stored there. A place at which a new answer can be forced through may
hold nothing of the old one (Hase et al. 2023).

Source: Meng et al. 2022, arXiv 2202.05262, equation 2, where W stands on the left of a column, hence transposed:
Ŵ = W + Λ (C⁻¹k*)ᵀ, Λ = (v* − W k*) / ((C⁻¹k*)ᵀ k*). Key and value: `key_value`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.errors import CourseError
from mi_course.methods.fact_tokens import Fact
from mi_course.methods.key_covariance import KeyCovariance, key_covariance
from mi_course.methods.key_value import KeyValue, Place, key_value
from mi_course.models.transformer import Transformer


@dataclass(frozen=True)
class RankOneEdit:
    """``W_out`` of ``layer`` plus ``difference``, the product of ``reads`` and ``writes``."""

    layer: int
    reads: Float[Tensor, " d_mlp"]
    writes: Float[Tensor, " d_model"]

    @property
    def difference(self) -> Float[Tensor, "d_mlp d_model"]:
        """What is added to ``W_out``: a matrix of rank one."""
        return torch.outer(self.reads, self.writes)

    def scaled(self, dose: float | int) -> RankOneEdit:
        """The same edit, writing ``dose`` times as much."""
        return replace(self, writes=dose * self.writes)


class EditedTransformer(Transformer):
    """A copy of a model with edits in it, which it knows and can take back.

    ``edits``: in the order in which they were made; ``original``: the model without them, untouched.
    """

    def __init__(self, original: Transformer, edits: Sequence[RankOneEdit] = ()):
        with torch.device("meta"):
            super().__init__(original.config, tokenizer=original.tokenizer)
        weights = {name: weight.detach().clone() for name, weight in original.state_dict().items()}
        for edit in edits:
            weights[f"blocks.{edit.layer}.mlp.W_out"] += edit.difference
        self.load_state_dict(weights, assign=True)
        for mine, its in zip(self.parameters(), original.parameters()):
            mine.requires_grad_(its.requires_grad)
        self.train(original.training)
        self.edits = tuple(edits)
        self._original = (original,)  # in a tuple, or PyTorch would count its weights among this model's

    @property
    def original(self) -> Transformer:
        return self._original[0]

    def undo(self, n: int = 1) -> EditedTransformer:
        """A copy without the last ``n`` edits. Without all of them its weights are exactly the original's."""
        if not 1 <= n <= len(self.edits):
            raise CourseError(f"undo({n}): this model has {len(self.edits)} edits to take back.")
        return EditedTransformer(self.original, self.edits[:-n])


def rome(
    model: Transformer,
    fact: Fact | tuple[str, str],
    target: str,
    *,
    layer: int = 0,
    place: Place = "last subject token",
    covariance: KeyCovariance | None = None,
    dose: float | int = 1.0,
    **options,
) -> EditedTransformer:
    """A copy of ``model`` that answers ``target`` where ``fact`` ends.

    ``rome(model, ("the Iron Tower is in", "Iron Tower"), "Pell")``. ``fact``: the prompt up to its answer, and the
    subject in it. ``layer``, ``place``: whose MLP is edited, with the key of which token. No choice is right for every
    model: measure (`edit_scores`), as chapter 10 does.
    ``covariance``: of that layer's keys; without one it is read off texts of the tiny world. Have it made once
    (`key_covariance`) if there are several edits. ``dose``: write so many times the difference between new and old
    value; 1 as published. ``options``: as for `key_value` (prefixes, essence, steps …).

    Several edits in a row: ``rome(rome(model, …), …)``. ``undo()`` takes the last one back.

    Raises CourseError if the subject is not in the prompt, the target is not one token, or there is no such MLP.
    """
    found = key_value(model, [fact], [target], layer=layer, place=place, **options)
    covariance = key_covariance(model, layer) if covariance is None else covariance
    (edit,) = separate_edits(model, found, covariance, dose=dose)
    if isinstance(model, EditedTransformer):
        return EditedTransformer(model.original, (*model.edits, edit))
    return EditedTransformer(model, [edit])


def insert(
    W: Float[Tensor, "d_mlp d_model"],
    b: Float[Tensor, " d_model"] | None,
    key: Float[Tensor, " d_mlp"],
    value: Float[Tensor, " d_model"],
    covariance: KeyCovariance,
) -> RankOneEdit:
    """The edit after which ``key`` gets ``value``, and ordinary keys what they had, as nearly as can be: equation 2."""
    return _insert(W, b, key, value, covariance.solve(key[None])[0], covariance.layer)


@torch.no_grad()
def separate_edits(
    model: Transformer, wanted: KeyValue, covariance: KeyCovariance, *, dose: float | int = 1.0
) -> tuple[RankOneEdit, ...]:
    """One edit for each key and value, each for a model that has none of the others. ``dose``: as for `rome`."""
    mlp = _mlp(model, wanted, covariance)
    return tuple(
        _insert(mlp.W_out, mlp.b_out, key, value, direction, wanted.layer).scaled(dose)
        for key, value, direction in zip(wanted.keys, wanted.values, covariance.solve(wanted.keys))
    )


@torch.no_grad()
def edits_in_a_row(
    model: Transformer, wanted: KeyValue, covariance: KeyCovariance, *, dose: float | int = 1.0
) -> tuple[RankOneEdit, ...]:
    """One edit for each key and value, each made on top of those before it. ``dose``: as for `rome`.

    The keys of one layer do not depend on its ``W_out``, so they stay as they are. The values are those for the
    unedited model; `rome` would search them anew every time.
    """
    mlp = _mlp(model, wanted, covariance)
    W, edits = mlp.W_out.clone(), []
    for key, value, direction in zip(wanted.keys, wanted.values, covariance.solve(wanted.keys)):
        edits.append(_insert(W, mlp.b_out, key, value, direction, wanted.layer).scaled(dose))
        W += edits[-1].difference
    return tuple(edits)


def _insert(
    W: Tensor, b: Tensor | None, key: Tensor, value: Tensor, direction: Tensor, layer: int
) -> RankOneEdit:
    """``direction``: C⁻¹ key, in float64, because C is far from round."""
    now = key @ W if b is None else key @ W + b
    reads = direction / (direction @ key.double())
    return RankOneEdit(layer, reads.float(), (value - now).float())


def _mlp(model: Transformer, wanted: KeyValue, covariance: KeyCovariance):
    if covariance.layer != wanted.layer:
        raise CourseError(
            f"The covariance is that of layer {covariance.layer}, the keys are those of layer {wanted.layer}."
        )
    return model.blocks[wanted.layer].mlp
