"""Did it find the true features? Where the directions that vectors were made of are known, one can look.

For each true direction the best cosine with any direction that was found; their mean is the *mean max cosine
similarity*. A dictionary of random directions reaches more than 0 as well, the more the larger it is and the fewer
dimensions there are, so it stands beside as the control.

What it does not show: whether what was found beyond that is rubbish (every true direction can be there among a hundred
false ones), nor anything about activations: the right directions may be active at the wrong times.

Source: Sharkey, Braun and Millidge 2022, "Taking features out of superposition with sparse autoencoders".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.methods.uncertainty import Interval, bootstrap_mean
from mi_course.models.sparse_autoencoder import SparseAutoencoder


@dataclass(frozen=True)
class Recovery:
    """For every true direction the best cosine, from −1 to 1, and which of the found directions has it.

    ``random``: the best cosine with as many random directions. ``copies``: for every true direction how many of the
    found ones have it as their nearest, with a cosine above 0.9: 0 missed, 1 found, more: found several times.
    """

    cosine: Float[Tensor, " feature"]
    which: Int[Tensor, " feature"]
    random: Float[Tensor, " feature"]
    copies: Int[Tensor, " feature"]

    @property
    def mean_max_cosine(self) -> float:
        """1: every true direction was found exactly."""
        return float(self.cosine.mean())

    def interval(self) -> Interval:
        """The mean over true directions, with a bootstrap interval."""
        return bootstrap_mean(self.cosine)

    def random_interval(self) -> Interval:
        """The same for random directions: what a dictionary reaches that has learned nothing."""
        return bootstrap_mean(self.random)


def recovery(
    found: SparseAutoencoder | Float[Tensor, "d_sae d"], true: Float[Tensor, "feature d"], *, seed: int = 0
) -> Recovery:
    """Compare the directions of an autoencoder (the rows of ``W_dec``) with the true ones.

    Lengths do not count; signs do, since a feature is never negative. ``seed``: of the random directions.
    """
    directions = found.W_dec.detach() if isinstance(found, SparseAutoencoder) else found
    if directions.shape[1] != true.shape[1]:
        raise ValueError(
            f"The directions that were found live in {directions.shape[1]} dimensions, "
            f"the true ones in {true.shape[1]}."
        )
    cosines = _cosines(true, directions)
    best = cosines.max(dim=1)
    # Not ``seed`` itself: with one seed for the truth and for the control, the control would be the truth.
    noise = torch.randn(directions.shape, generator=torch.Generator().manual_seed(15_485_863 + seed))
    nearest = cosines.max(dim=0)
    return Recovery(
        cosine=best.values,
        which=best.indices,
        random=_cosines(true, noise).amax(dim=1),
        copies=nearest.indices[nearest.values > 0.9].bincount(minlength=len(true)),
    )


def _cosines(true: Tensor, found: Tensor) -> Float[Tensor, "feature d_sae"]:
    return F.normalize(true, dim=1) @ F.normalize(found, dim=1).T
