"""Where one feature becomes many: the same activations, expressed in a small and in a larger dictionary.

A small dictionary has no room for fine distinctions. In a larger one the feature "a noun comes next" may be replaced by
"a noun about the sea comes next", "… about the garden …": its direction splits up into several that lie close to it,
and each is active in a part of the places where the old one was. Which size is right is not a question that the
activations answer.

    family    the features of the larger dictionary whose direction is nearest to this feature's
    coverage  the share of the small feature's words at which some member of the family is active

What it does not show: directions can be near by chance, the more so the more there are, so compare with random ones.
And a feature need not split: it may stay, vanish, or be absorbed into more special ones (Chanin et al. 2024, arXiv
2409.14507).

Source: Bricken et al. 2023, "Towards Monosemanticity", section "Feature splitting".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.models.sparse_autoencoder import SparseAutoencoder


@dataclass(frozen=True)
class Descent:
    """For each feature of the larger dictionary its nearest one, ``parent``, in the small one, and their ``cosine``.

    ``random``: the nearest cosine that a random direction has, for as many directions: what nearness is by chance.
    """

    parent: Int[Tensor, " large"]
    cosine: Float[Tensor, " large"]
    random: Float[Tensor, " large"]

    @property
    def near(self) -> float:
        """A cosine above which hardly any random direction lies (one in a hundred)."""
        return float(self.random.quantile(0.99))

    def family(self, feature: int) -> Int[Tensor, " member"]:
        """The features of the larger dictionary that descend from this one and are near, the nearest first."""
        members = ((self.parent == feature) & (self.cosine > self.near)).nonzero()[:, 0]
        return members[self.cosine[members].argsort(descending=True)]


@dataclass(frozen=True)
class Split:
    """What became of one small feature: ``members`` of its family, and for each the share of the small feature's words
    at which it is active, its ``shares``; ``coverage`` is the share at which any of them is."""

    feature: int
    members: Int[Tensor, " member"]
    shares: Float[Tensor, " member"]
    coverage: float


@torch.no_grad()
def descent(small: SparseAutoencoder, large: SparseAutoencoder, *, seed: int = 0) -> Descent:
    """Who in the larger dictionary comes from whom in the small one, by the cosine of what they write.

    Both must read the same activation. ``seed``: of the random directions.
    """
    if small.config.d_in != large.config.d_in or small.hook_name != large.hook_name:
        raise ValueError(
            f"One reads {small.hook_name} ({small.config.d_in} numbers), the other {large.hook_name} "
            f"({large.config.d_in}); only dictionaries of the same activation can be compared."
        )
    old, new = F.normalize(small.W_dec, dim=1), F.normalize(large.W_dec, dim=1)
    noise = F.normalize(torch.randn(new.shape, generator=torch.Generator().manual_seed(7919 + seed)), dim=1)
    nearest = (new @ old.T).max(dim=1)
    return Descent(nearest.indices, nearest.values, (noise @ old.T).amax(dim=1))


@torch.no_grad()
def split(
    feature: int,
    family: Int[Tensor, " member"],
    small: Float[Tensor, "word small"],
    large: Float[Tensor, "word large"],
    *,
    least: float = 0.02,
) -> Split:
    """How the words of one small feature are shared out among its family; ``small``, ``large``: all activities.

    ``least``: members that are active at a smaller share of the words are left out. The shares of a family may add up
    to more than 1, for several members can be active at one word.
    """
    active = small[:, feature] > 0
    if not active.any():
        raise ValueError(f"Feature {feature} of the small dictionary is active at none of these words.")
    yes = large[active][:, family] > 0
    shares = yes.float().mean(dim=0)
    order = [i for i in shares.argsort(descending=True, stable=True).tolist() if shares[i] >= least]
    covered = yes[:, order].any(dim=1).float().mean() if order else torch.zeros(())
    return Split(feature, family[order], shares[order], float(covered))
