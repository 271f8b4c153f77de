"""Between a model and its autoencoder: activations to train on, features of texts, life on the reconstruction."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_course.models.hooks import Hook
from mi_course.models.sparse_autoencoder import SparseAutoencoder
from mi_course.models.transformer import Transformer


@torch.no_grad()
def collect(
    model: Transformer,
    tokens: Int[Tensor, "batch pos"],
    hook_name: str,
    *,
    where: Bool[Tensor, "batch pos"] | None = None,
    rows: int = 64,
) -> Float[Tensor, "vector d_in"]:
    """The activations at ``hook_name`` on these texts, one vector a token.

    ``where``: only these tokens. Leave out what merely fills rows up, and the first token, whose activation is the
    same in every text. ``rows``: texts that run at a time; those of similar length together save work.
    """
    end = _layers_needed(model, hook_name)
    if where is None:
        where = torch.ones_like(tokens, dtype=torch.bool)
    found = []
    for texts, here in zip(tokens.split(rows), where.split(rows)):
        longest = 1 + int(here.any(dim=0).nonzero().max()) if here.any() else 1  # behind it nothing is asked
        _, cache = model.run_with_cache(texts[:, :longest], hook_name, stop_at_layer=end)
        found.append(cache[hook_name][here[:, :longest]])
    return torch.cat(found)


@torch.no_grad()
def features(
    model: Transformer, sae: SparseAutoencoder, tokens: Int[Tensor, "batch pos"]
) -> Float[Tensor, "batch pos d_sae"]:
    """How active every feature is at every token of these texts."""
    end = _layers_needed(model, sae.hook_name)
    _, cache = model.run_with_cache(tokens, sae.hook_name, stop_at_layer=end)
    return sae.encode(cache[sae.hook_name])


@torch.no_grad()
def encode(
    sae: SparseAutoencoder, vectors: Float[Tensor, "vector d_in"], *, rows: int = 512
) -> Float[Tensor, "vector d_sae"]:
    """``sae.encode`` for many vectors, ``rows`` at a time: it needs hardly more memory than what it returns."""
    active = vectors.new_empty(len(vectors), sae.config.d_sae)
    for part, here in zip(vectors.split(rows), active.split(rows)):
        here.copy_(sae.encode(part))
    return active


def reconstruction_hook(sae: SparseAutoencoder) -> tuple[str, Hook]:
    """A hook with which the model has to live on the reconstruction: ``model.hooks([reconstruction_hook(sae)])``."""
    return sae.hook_name, lambda activation, name: sae(activation)


def _layers_needed(model: Transformer, hook_name: str) -> int:
    """How many layers must run until the activation is there."""
    if not hook_name or not hook_name.startswith("blocks."):
        return model.config.n_layers
    layer = int(hook_name.split(".")[1])
    return min(layer + 1, model.config.n_layers)
