# ruff: noqa: N803 (matrices are upper case in the formulas)
"""How are an MLP's keys spread over ordinary text? ``C = E[k kᵀ]``, what an edit of the MLP must leave in peace.

The *key* of a token is what the MLP's second matrix reads there: its activations after the non-linearity, the point
``hook_post``. C is their second moment, not centred, so that the mean counts. ``kᵀ C⁻¹ k`` is small for a key that
looks like ordinary text and large for one that stands out from it.

Source: Meng et al. 2022, arXiv 2202.05262, section 3.1, with the memory of Kohonen 1972. They read Wikipedia; a model
of the tiny world reads the tiny world. The first token, the same in every text, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.data.tiny_world.world import world
from mi_course.errors import CourseError
from mi_course.methods.padded_texts import pad
from mi_course.models.transformer import Transformer


@dataclass(frozen=True)
class KeyCovariance:
    """``matrix`` is the mean of ``k kᵀ`` over ``n_tokens`` tokens, in float64; ``layer``: whose MLP."""

    matrix: Float[Tensor, "d_mlp d_mlp"]
    layer: int
    n_tokens: int

    def solve(self, keys: Float[Tensor, "edit d_mlp"]) -> Float[Tensor, "edit d_mlp"]:
        """``C⁻¹ k`` for every key: its part that ordinary text does not share.

        Raises CourseError if C has no inverse, because fewer tokens were read than keys have numbers, or because a
        neuron is always silent.
        """
        return torch.cholesky_solve(keys.to(self.matrix).T, self._root).T

    @cached_property
    def _root(self) -> Float[Tensor, "d_mlp d_mlp"]:
        try:
            return torch.linalg.cholesky(self.matrix)
        except torch.linalg.LinAlgError:
            raise CourseError(
                f"The covariance of {self.n_tokens} keys of {len(self.matrix)} numbers has no inverse. Read more text, "
                "or add a little to its diagonal: key_covariance(…, ridge=1e-3)."
            ) from None


def key_covariance(
    model: Transformer,
    layer: int,
    texts: Sequence[str] | None = None,
    *,
    ridge: float | int = 0.0,
    chunk_size: int = 64,
) -> KeyCovariance:
    """``C`` of one layer's MLP over ``texts`` (without any, `ordinary_texts` of the tiny world).

    ``ridge``: this share of C's mean diagonal is added to the diagonal. ``chunk_size``: texts that run together.
    """
    return key_covariances(model, [layer], texts, ridge=ridge, chunk_size=chunk_size)[layer]


@torch.no_grad()
def key_covariances(
    model: Transformer,
    layers: Sequence[int] | None = None,
    texts: Sequence[str] | None = None,
    *,
    ridge: float | int = 0.0,
    chunk_size: int = 64,
) -> dict[int, KeyCovariance]:
    """The same for several layers (all by default), reading the texts once."""
    layers = range(model.config.n_layers) if layers is None else [check_layer(model, at) for at in layers]
    texts = ordinary_texts() if texts is None else texts
    points = {layer: f"blocks.{layer}.mlp.hook_post" for layer in layers}
    d_mlp = check_has_mlp(model).config.d_mlp
    sums = {
        layer: torch.zeros(d_mlp, d_mlp, dtype=torch.float64, device=model.W_E.device) for layer in layers
    }
    n_tokens = 0
    for start in range(0, len(texts), chunk_size):
        batch = pad(model, texts[start : start + chunk_size])
        is_text = batch.where
        with model.caching(list(points.values())) as found:
            model(batch.tokens, stop_at_layer=max(layers) + 1)
        for layer, point in points.items():
            keys = found[point][is_text].double()
            sums[layer] += keys.T @ keys
        n_tokens += int(is_text.sum())
    if not n_tokens:
        raise CourseError("There is no text to read keys from: give texts of at least one token.")
    return {
        layer: KeyCovariance(_ridged(total / n_tokens, ridge), layer, n_tokens)
        for layer, total in sums.items()
    }


def ordinary_texts(n: int = 300, *, seed: int = 1) -> list[str]:
    """``n`` documents of the tiny world, as its models have read them; about 25 tokens each."""
    return [document.text for document in world().documents(n, seed=seed)]


def check_has_mlp(model: Transformer) -> Transformer:
    """The model itself, if it has MLPs; CourseError otherwise."""
    if not model.config.d_mlp:
        raise CourseError(
            "This network is attention-only: it has no MLP, so no keys and nothing to edit there."
        )
    return model


def check_layer(model: Transformer, layer: int) -> int:
    """The layer itself, if the model has it; CourseError otherwise."""
    if not 0 <= layer < model.config.n_layers:
        raise CourseError(
            f"There is no layer {layer}; the model has the layers 0 to {model.config.n_layers - 1}."
        )
    return layer


def _ridged(C: Tensor, ridge: float | int) -> Tensor:
    return C + ridge * C.diagonal().mean() * torch.eye(len(C), dtype=C.dtype, device=C.device)
