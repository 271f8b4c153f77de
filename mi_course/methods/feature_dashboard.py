"""What does a feature stand for? The places where it is active, how often and how strongly, and the words it promotes.

Three things to look at before a feature is given a name:

    examples      the texts that excite it most, *and* texts that excite it less
    histogram     how active it is where it is active: one hump, or two kinds of things?
    logit effects which next words its direction makes more and less probable, read straight off the unembedding

What it does not show: that the name one reads off these is right. The strongest examples alone mislead: a feature can
be about one thing at its top and about many things below. Score the name against what is true (`latent_scores`). The
logit effects are those of the direct path; what later layers make of the direction is not in them.

Source: Bricken et al. 2023, "Towards Monosemanticity".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_course.models.transformer import Transformer


@dataclass(frozen=True)
class Example:
    """A stretch of a text around the word where a feature is active.

    ``activity``: of the feature at each of the ``words``; ``at``: which of them is meant; ``text``: the row it is from.
    """

    words: tuple[str, ...]
    activity: Float[Tensor, " pos"]
    at: int
    text: int

    def __str__(self) -> str:
        """The words up to the one that is meant, which stands in brackets."""
        return " ".join([*self.words[: self.at], f"[{self.words[self.at]}]"])


@dataclass(frozen=True)
class Dashboard:
    """All that is looked at for one feature.

    ``density``: the share of the words at which it is active. ``largest``: its highest activity. ``top``: the texts
    that excite it most, one example a text. ``weaker``: drawn among the words where it is active, but less than half as
    much as at most. ``counts``, ``edges``: the histogram of its activity where it is active. ``promoted`` and
    ``suppressed``: words with what one unit of activity adds to their logit, before the last layer norm divides.
    """

    feature: int
    density: float
    largest: float
    top: tuple[Example, ...]
    weaker: tuple[Example, ...]
    counts: Int[Tensor, " bin"]
    edges: Float[Tensor, " edge"]
    promoted: tuple[tuple[str, float], ...]
    suppressed: tuple[tuple[str, float], ...]


@torch.no_grad()
def dashboard(
    model: Transformer,
    activity: Float[Tensor, " word"],
    direction: Float[Tensor, " d_model"],
    tokens: Int[Tensor, "text pos"],
    where: Bool[Tensor, "text pos"],
    *,
    feature: int = -1,
    examples: int = 5,
    context: int = 12,
    bins: int = 20,
    words: int = 6,
    seed: int = 0,
) -> Dashboard:
    """Look at one feature.

    ``activity``: at each word of the texts, in the order of ``where`` (``sae.encode(activation[where])[:, feature]``).
    ``direction``: what it writes (``sae.W_dec[feature]``). ``feature``: its number, kept as a label. ``context``: how
    many words of the text stand before the one that is meant (two stand behind it). A feature that is never active has
    no examples.
    """
    if int(where.sum()) != len(activity):
        raise ValueError(f"activity has {len(activity)} values, but the texts have {int(where.sum())} words.")
    grid = torch.zeros(tokens.shape)
    grid[where] = activity.float()
    active, largest = activity[activity > 0].float(), float(activity.max())
    strongest = grid.amax(dim=1)
    best = [
        row
        for row in strongest.argsort(descending=True, stable=True)[:examples].tolist()
        if strongest[row] > 0
    ]
    weak = ((grid > 0) & (grid < largest / 2)).nonzero()
    drawn = torch.randperm(len(weak), generator=torch.Generator().manual_seed(seed))[:examples]
    effects = logit_effects(model, direction)
    up, down = (
        effects.topk(min(words, len(effects)), largest=largest_first) for largest_first in (True, False)
    )
    return Dashboard(
        feature=feature,
        density=float((activity > 0).float().mean()),
        largest=largest,
        top=tuple(
            _example(model, tokens, where, grid, row, int(grid[row].argmax()), context) for row in best
        ),
        weaker=tuple(
            _example(model, tokens, where, grid, row, pos, context) for row, pos in weak[drawn].tolist()
        ),
        counts=active.histc(bins, 0, largest).long() if len(active) else torch.zeros(bins, dtype=torch.long),
        edges=torch.linspace(0, max(largest, 1e-9), bins + 1),
        promoted=tuple(zip(model.to_str_tokens(up.indices.tolist()), up.values.tolist())),
        suppressed=tuple(zip(model.to_str_tokens(down.indices.tolist()), down.values.tolist())),
    )


@torch.no_grad()
def logit_effects(model: Transformer, direction: Float[Tensor, " d_model"]) -> Float[Tensor, " d_vocab"]:
    """What one unit of ``direction`` adds to every logit on the direct path: its product with the unembedding.

    The last layer norm takes off the mean over coordinates and multiplies by its weights; both are applied. It also
    divides by the size of the whole residual stream, which differs from word to word and is left out, so only
    comparisons between words have a meaning. The mean over words is taken off, since it changes no probability.
    """
    weight = getattr(model.ln_final, "w", None)
    if weight is not None:
        direction = (direction - direction.mean()) * weight
    effects = direction @ model.W_U
    return effects - effects.mean()


def _example(model, tokens, where, grid, row: int, pos: int, context: int) -> Example:
    end = int(where[row].nonzero().max()) + 1
    start, stop = max(1, pos - context), min(end, pos + 3)
    return Example(
        words=tuple(model.to_str_tokens(tokens[row, start:stop].tolist())),
        activity=grid[row, start:stop].clone(),
        at=pos - start,
        text=row,
    )
