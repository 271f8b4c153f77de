"""A sparse autoencoder: a vector as the sum of a few directions out of many.

    features = activation((x − b_dec) @ W_enc + b_enc)      many numbers, most of them exactly 0
    x̂        = features @ W_dec + b_dec                     each feature adds its row of W_dec, so many times

A row of ``W_dec`` is the direction that a feature writes, a column of ``W_enc`` the one along which it is read. Three
kinds differ in the activation, that is, in how zeros come about:

    l1         ReLU(pre); training makes the sum of the features expensive (Bricken et al. 2023)
    topk       ReLU(pre) of the k largest, the others 0 (Gao et al. 2024, arXiv 2406.04093)
    jumprelu   pre where it exceeds the feature's own threshold, else 0 (Rajamanoharan et al. 2024, arXiv 2407.14435)

`methods.sparse_autoencoder` trains them. Files are those of SAELens (`saelens_format`).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mi_course.errors import CourseError
from mi_course.models import saelens_format

Kind = Literal["l1", "topk", "jumprelu"]
Normalize = Literal["none", "centre", "layer_norm", "constant_norm"]


@dataclass(frozen=True)
class SparseAutoencoderConfig:
    """The shape of a `SparseAutoencoder`, and what it reads.

    ``kind``: see above; "topk" needs ``k``, the number of features that may be active at once.
    ``hook_name``: the activation that it was trained on, a point of the model called ``model_name``.
    ``subtract_b_dec``: whether ``b_dec`` is taken off before encoding, as in the formula; some published ones do not.
    ``scale_by_norm``: whether a feature competes, and counts, times the length of its row of ``W_dec``.
    ``normalize``: what is done to each vector first and undone at the end. "centre": its mean over coordinates is
    taken off (for SAEs of models whose residual stream was centred). "layer_norm": mean off, divided by its
    deviation. "constant_norm": brought to the length √d_in.
    """

    d_in: int
    d_sae: int
    kind: Kind = "topk"
    k: int | None = None
    hook_name: str | None = None
    model_name: str | None = None
    subtract_b_dec: bool = True
    scale_by_norm: bool = False
    normalize: Normalize = "none"

    def __post_init__(self):
        for name in ("d_in", "d_sae"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}; it must be at least 1.")
        if self.kind not in ("l1", "topk", "jumprelu"):
            raise ValueError(f'kind={self.kind!r}; it is "l1", "topk" or "jumprelu".')
        if self.normalize not in ("none", "centre", "layer_norm", "constant_norm"):
            raise ValueError(f"normalize={self.normalize!r}; known: none, centre, layer_norm, constant_norm.")
        if self.kind == "topk" and not (self.k and 1 <= self.k <= self.d_sae):
            raise ValueError(f"k={self.k}; a topk autoencoder needs k between 1 and d_sae = {self.d_sae}.")
        if self.kind != "topk" and self.k is not None:
            raise ValueError(f"k={self.k}, but only topk autoencoders have a k; this one is {self.kind}.")

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> SparseAutoencoderConfig:
        known = {field.name for field in fields(cls)}
        if foreign := sorted(values.keys() - known):
            raise CourseError(f"An autoencoder's shape has no {foreign}; it has: {', '.join(sorted(known))}.")
        return cls(**values)


class SparseAutoencoder(nn.Module):
    """A dictionary of ``d_sae`` directions, and an encoder that says which few of them make up a vector.

    Weights: ``W_enc`` "d_in d_sae", ``b_enc`` "d_sae", ``W_dec`` "d_sae d_in", ``b_dec`` "d_in", and for jumprelu
    ``threshold`` "d_sae". ``sae(x)`` is the reconstruction, ``x − sae(x)`` what the dictionary does not express.

    ``seed``: of the random weights that training would start from.

    What a dictionary does not show: that its directions are the model's own. Ask which features a known latent has
    (`methods.latent_scores`), and what becomes of the model that has to live on the reconstruction
    (`methods.sae_metrics`).
    """

    def __init__(self, config: SparseAutoencoderConfig, *, seed: int | None = None):
        super().__init__()
        self.config = config
        self.W_enc = nn.Parameter(torch.empty(config.d_in, config.d_sae))
        self.b_enc = nn.Parameter(torch.zeros(config.d_sae))
        self.W_dec = nn.Parameter(torch.empty(config.d_sae, config.d_in))
        self.b_dec = nn.Parameter(torch.zeros(config.d_in))
        self.threshold = nn.Parameter(torch.zeros(config.d_sae)) if config.kind == "jumprelu" else None
        if not self.W_enc.is_meta:
            initialize(self, seed)

    @property
    def hook_name(self) -> str | None:
        """The model's activation that it reads, such as "blocks.2.hook_resid_pre"."""
        return self.config.hook_name

    def encode(self, x: Float[Tensor, "*batch d_in"]) -> Float[Tensor, "*batch d_sae"]:
        """How active each feature is: 0 for most, never below."""
        return self.activate(self.pre_activations(x))

    def decode(
        self, features: Float[Tensor, "*batch d_sae"], like: Float[Tensor, "*batch d_in"] | None = None
    ) -> Float[Tensor, "*batch d_in"]:
        """The vectors that the features make up: ``features @ W_dec + b_dec``.

        ``like``: the vectors that were encoded; needed only where ``normalize`` is not "none", to undo it.
        """
        if self.config.scale_by_norm:
            features = features / self.W_dec.norm(dim=-1)
        decoded = features @ self.W_dec + self.b_dec
        if self.config.normalize == "none":
            return decoded
        if like is None:
            raise CourseError(
                f"This autoencoder normalizes what it reads ({self.config.normalize}); to undo that, decode needs the "
                "vectors that were encoded: sae.decode(features, like=x)."
            )
        shift, scale = self._shift_and_scale(like)
        return decoded * scale + shift

    def forward(self, x: Float[Tensor, "*batch d_in"]) -> Float[Tensor, "*batch d_in"]:
        """The reconstruction x̂."""
        return self.decode(self.encode(x), like=x)

    def pre_activations(self, x: Float[Tensor, "*batch d_in"]) -> Float[Tensor, "*batch d_sae"]:
        """What the encoder computes before zeros are made: of any sign."""
        if x.shape[-1] != self.config.d_in:
            raise CourseError(
                f"x has shape {tuple(x.shape)}; its last axis must be d_in = {self.config.d_in}, "
                f"the size of {self.hook_name or 'the activation it was made for'}."
            )
        if self.config.normalize != "none":
            shift, scale = self._shift_and_scale(x)
            x = (x - shift) / (scale + (1e-5 if self.config.normalize == "layer_norm" else 0.0))
        if self.config.subtract_b_dec:
            x = x - self.b_dec
        pre = x @ self.W_enc + self.b_enc
        return pre * self.W_dec.norm(dim=-1) if self.config.scale_by_norm else pre

    def activate(self, pre: Float[Tensor, "*batch d_sae"]) -> Float[Tensor, "*batch d_sae"]:
        """Makes the zeros: ReLU, the k largest, or a threshold each."""
        if self.config.kind == "topk":
            values, which = pre.topk(self.config.k, dim=-1, sorted=False)
            return torch.zeros_like(pre).scatter_(-1, which, values.relu())
        if self.config.kind == "jumprelu":
            return pre.relu() * (pre > self.threshold)
        return pre.relu()

    def _shift_and_scale(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What "normalize" takes off each vector, and what it divides by then."""
        if self.config.normalize == "constant_norm":
            return x.new_zeros(()), x.norm(dim=-1, keepdim=True) / math.sqrt(self.config.d_in)
        mean = x.mean(dim=-1, keepdim=True)
        if self.config.normalize == "centre":
            return mean, x.new_ones(())
        return mean, (x - mean).std(dim=-1, keepdim=True)

    # ---- files -------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(cls, name_or_folder: str | Path, device: str | None = None) -> SparseAutoencoder:
        """A shipped one, a public one that is on this machine, or any folder in SAELens' format; see `load`."""
        import mi_course

        loaded = mi_course.load(name_or_folder, device)
        if not isinstance(loaded, cls):
            raise CourseError(f"{name_or_folder} is not a sparse autoencoder but a {type(loaded).__name__}.")
        return loaded

    @classmethod
    def from_saelens(cls, config: dict, state: dict[str, Tensor]) -> SparseAutoencoder:
        """The autoencoder that SAELens' ``cfg.json`` and weights describe, in float32 and ready to use."""
        state = saelens_format.from_disk(state)
        d_in, d_sae = state["W_enc"].shape
        with torch.device("meta"):
            sae = cls(SparseAutoencoderConfig(d_in, d_sae, **saelens_format.shape_of(config)))
        expected = {name: tuple(tensor.shape) for name, tensor in sae.state_dict().items()}
        found = {name: tuple(tensor.shape) for name, tensor in state.items()}
        if expected != found:
            raise CourseError(f"The weights have the shapes {found}; expected {expected}.")
        sae.load_state_dict(state, assign=True)
        return sae.eval().requires_grad_(False)

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype = torch.float32) -> None:
        """Write ``cfg.json`` and ``sae_weights.safetensors``; SAELens reads them: ``SAE.load_from_disk(folder)``."""
        config = saelens_format.config_json(self.config.to_dict())
        saelens_format.save(folder, config, self.state_dict(), dtype)


@torch.no_grad()
def initialize(sae: SparseAutoencoder, seed: int | None = None) -> SparseAutoencoder:
    """Give ``sae`` the random weights that training starts from, and return it.

    Rows of ``W_dec`` point anywhere, with length 1; a feature is read along the direction that it writes.
    """
    # Not ``seed`` itself: who draws true directions and an autoencoder with one seed would start from the truth.
    generator = None if seed is None else torch.Generator(sae.W_dec.device).manual_seed(104_729 + seed)
    directions = torch.randn(sae.W_dec.shape, generator=generator, device=sae.W_dec.device)
    sae.W_dec.copy_(directions / directions.norm(dim=-1, keepdim=True))
    sae.W_enc.copy_(sae.W_dec.T)
    sae.b_enc.zero_()
    sae.b_dec.zero_()
    if sae.threshold is not None:
        sae.threshold.zero_()
    return sae
