"""Does a feature mean what we think it means? Precision, recall and F1 against what is true in the text.

A feature together with a threshold is a detector: it says yes where the feature is active above the threshold.

    precision   of the words at which it says yes, the share where the latent holds
    recall      of the words where the latent holds, the share at which it says yes
    F1          2 · precision · recall / (precision + recall): high only if both are

For every latent the best feature and the best threshold are chosen on one half of the texts and scored on the other,
since the best of a thousand features looks good by luck. The same is done with whatever the features must be compared
with: neurons, coordinates of the residual stream, shuffled labels; and a linear probe says how much there was to find.

What it does not show: that the model uses the feature, or that the feature means nothing else besides. And a latent
that no feature has may be written in several features together.

Source of the measure: van Rijsbergen 1979, "Information Retrieval". For features held against known properties of a
board game: Karvonen et al. 2024, arXiv 2408.00113.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.data.token_truths import TokenTruths
from mi_course.errors import UnknownName
from mi_course.methods.uncertainty import Interval
from mi_course.models.transformer import Transformer

LEVELS = 16
"""Thresholds that are tried for each feature: evenly from its lowest value on the choosing half to its highest."""

ITERATIONS = 60
"""Steps (of L-BFGS) in which the probes are fitted."""

SPARSE = 0.2  # up to this share of values above 0, only those are looked at
_COLUMNS = 512  # features at a time: bounds the memory


@dataclass(frozen=True)
class Detectors:
    """For each latent one detector, and how it did on the documents that it was not chosen on.

    ``feature``: the feature that was chosen (of a probe: −1), ``sign``: −1 if it says yes *below* minus the threshold.
    ``hits``, ``false_alarms``, ``misses``: numbers of words in each of the documents.
    """

    latents: tuple[str, ...]
    feature: Int[Tensor, " latent"]
    sign: Int[Tensor, " latent"]
    threshold: Float[Tensor, " latent"]
    hits: Float[Tensor, "latent document"]
    false_alarms: Float[Tensor, "latent document"]
    misses: Float[Tensor, "latent document"]

    @property
    def precision(self) -> Float[Tensor, " latent"]:
        """0 to 1; not-a-number for a detector that never says yes."""
        return self.hits.sum(1) / (self.hits + self.false_alarms).sum(1)

    @property
    def recall(self) -> Float[Tensor, " latent"]:
        """0 to 1; not-a-number for a latent that never holds on these documents."""
        return self.hits.sum(1) / (self.hits + self.misses).sum(1)

    @property
    def f1(self) -> Float[Tensor, " latent"]:
        """0: no hit. 1: yes exactly where the latent holds."""
        return f1_score(self.hits.sum(1), self.false_alarms.sum(1), self.misses.sum(1))

    def number(self, latent: str) -> int:
        """The row of a latent. Raises UnknownName."""
        if latent not in self.latents:
            raise UnknownName("latent", latent, self.latents)
        return self.latents.index(latent)

    def interval(self, latent: str) -> Interval:
        """The F1 of one latent, with a 95 % bootstrap interval over documents."""
        row = self.number(latent)
        return _interval(float(self.f1[row]), _resampled(self)[:, row])

    def above(self, other: Detectors) -> list[Interval]:
        """How much higher the F1 is than the other detectors', for each latent, with intervals over documents.

        Both are resampled together: texts that are hard for one are hard for the other.
        """
        if self.hits.shape != other.hits.shape:
            raise ValueError("The two were scored on different texts.")
        difference = self.f1 - other.f1
        resampled = _resampled(self) - _resampled(other)
        return [_interval(float(d), resampled[:, row]) for row, d in enumerate(difference)]


def f1_score(
    hits: Float[Tensor, "*any"], false_alarms: Float[Tensor, "*any"], misses: Float[Tensor, "*any"]
) -> Float[Tensor, "*any"]:
    """``2 · hits / (2 · hits + false alarms + misses)``, the harmonic mean of precision and recall; 0 without a hit."""
    return 2 * hits / (2 * hits + false_alarms + misses).clamp(min=1)


@torch.no_grad()
def activations(
    model: Transformer, truths: TokenTruths, hook_names: Sequence[str], *, rows: int = 64
) -> dict[str, Float[Tensor, "word feature"]]:
    """What the model computes at these points, one row a word of ``truths``: the ``values`` that can be scored.

    ``rows``: texts that run at a time; texts of like length run together, which saves half of the work.
    """
    lengths = truths.where.sum(dim=1)
    number = torch.full(truths.where.shape, -1)
    number[truths.where] = torch.arange(len(truths.document))
    found: dict[str, Tensor] = {}
    for texts in lengths.argsort(stable=True).split(rows):
        width = 1 + int(lengths[texts].max())
        words = number[texts, :width]
        _, cache = model.run_with_cache(truths.tokens[texts, :width], list(hook_names))
        for name in hook_names:
            here = cache[name][words >= 0]
            if name not in found:
                found[name] = here.new_zeros(len(truths.document), here.shape[1])
            found[name][words[words >= 0]] = here
    return found


@torch.no_grad()
def best_features(
    values: Float[Tensor, "word feature"],
    truths: TokenTruths,
    *,
    both_signs: bool = False,
    levels: int = LEVELS,
) -> Detectors:
    """For each latent the feature, and its threshold, with the highest F1 on the choosing half; scored on the other.

    ``values``: one row a word, in the order of ``truths`` (``activation[truths.where]``). ``both_signs``: whether
    strongly negative may mean yes as well; for coordinates, which have no natural sign.
    """
    _check(values, truths)
    choosing = truths.choosing
    holds, asked = truths.holds[:, choosing], truths.asked[:, choosing]
    there, not_there = (holds & asked).float(), (~holds & asked).float()
    best = torch.zeros(len(holds)), torch.zeros(len(holds), dtype=torch.long), torch.zeros(len(holds))
    sign = torch.ones(len(holds), dtype=torch.long)
    for start in range(0, values.shape[1], _COLUMNS):
        columns = values[:, start : start + _COLUMNS][choosing].float()
        for way in (1, -1) if both_signs else (1,):
            found = _best_of(way * columns, there, not_there, levels)
            better = found[0] > best[0]
            sign = torch.where(better, way, sign)
            found = found[0], found[1] + start, found[2]
            best = tuple(torch.where(better, new, old) for new, old in zip(found, best))
    _, feature, threshold = best
    yes = sign[:, None] * values[:, feature].T.float() > threshold[:, None]
    return _scored(yes, truths, feature, sign, threshold)


@torch.no_grad()
def one_feature(values: Float[Tensor, "word feature"], feature: int, truths: TokenTruths) -> Detectors:
    """The same for a single feature: for each latent its best threshold, and how well it then tells that latent."""
    found = best_features(values[:, feature : feature + 1], truths)
    return Detectors(**{**vars(found), "feature": torch.full_like(found.feature, feature)})


@torch.no_grad()
def linear_probes(
    values: Float[Tensor, "word feature"], truths: TokenTruths, *, penalty: float = 1e-3, levels: int = LEVELS
) -> Detectors:
    """For each latent a logistic regression on *all* the values, fitted on the choosing half: a ceiling.

    What it finds is written along some direction, whether or not there is a feature for it. ``penalty``: of the
    squared weights, beside the mean loss of a word; values are standardised first.
    """
    from scipy.optimize import minimize

    _check(values, truths)
    choosing = truths.choosing
    mean, deviation = values[choosing].mean(0), values[choosing].std(0).clamp(min=1e-6)
    x = torch.cat(
        [(values - mean) / deviation, torch.ones(len(values), 1)], dim=1
    )  # the last column for the bias
    fitted_on, holds, asked = x[choosing], truths.holds[:, choosing], truths.asked[:, choosing]
    shape = len(truths.latents), x.shape[1]
    paid = torch.full(shape, penalty)
    paid[:, -1] = 0.0

    def loss_and_slope(flat):
        weight = torch.from_numpy(flat).float().view(shape)
        logits = weight @ fitted_on.T
        wrong = F.binary_cross_entropy_with_logits(logits, holds.float(), asked.float(), reduction="sum")
        slope = ((logits.sigmoid() - holds.float()) * asked) @ fitted_on / len(fitted_on) + 2 * paid * weight
        loss = wrong / len(fitted_on) + (paid * weight.square()).sum()
        return float(loss), slope.double().flatten().numpy()

    start = torch.zeros(shape, dtype=torch.float64).flatten().numpy()
    fitted = minimize(loss_and_slope, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    logits = torch.from_numpy(fitted.x).float().view(shape) @ x.T
    at = _own_thresholds(logits[:, choosing], holds, asked, 4 * levels)
    none = torch.full((len(logits),), -1)
    return _scored(logits > at[:, None], truths, none, -none, at)


@torch.no_grad()
def always_yes(truths: TokenTruths) -> Detectors:
    """Says yes at every word: what a detector reaches that knows nothing. Its recall is 1."""
    yes = torch.ones_like(truths.holds)
    none = torch.full((len(yes),), -1)
    return _scored(yes, truths, none, -none, torch.full((len(yes),), -torch.inf))


def _check(values: Tensor, truths: TokenTruths) -> None:
    if len(values) != truths.holds.shape[1]:
        raise ValueError(
            f"values has {len(values)} rows, but the texts have {truths.holds.shape[1]} words: give one row a word, "
            "as activation[truths.where]."
        )


def _best_of(columns: Tensor, there: Tensor, not_there: Tensor, levels: int) -> tuple[Tensor, Tensor, Tensor]:
    """For each latent the highest F1 of any of the columns at any level, the column, and the level."""
    low, high = columns.amin(0), columns.amax(0)
    both, positives = torch.cat([there, not_there]), there.sum(1, keepdim=True)
    if not low.any() and (columns > 0).float().mean() < SPARSE:
        return _best_of_sparse(columns, high, both, positives, levels)
    best = torch.zeros(len(there), columns.shape[1])
    level = torch.zeros_like(best)
    for step in range(levels):
        at = low + (high - low) * step / levels
        hits, false_alarms = (both @ (columns > at).float()).split(len(there))
        f1 = f1_score(hits, false_alarms, positives - hits)
        level = torch.where(f1 > best, at, level)
        best = torch.maximum(best, f1)
    top = best.max(dim=1)
    return top.values, top.indices, level.gather(1, top.indices[:, None])[:, 0]


def _own_thresholds(values: Tensor, holds: Tensor, asked: Tensor, levels: int) -> Tensor:
    """For each row of "latent word" the level at which it tells its own latent best."""
    low, high = values.amin(1), values.amax(1)
    there, not_there = holds & asked, ~holds & asked
    best, level = torch.full_like(low, -1.0), low
    for step in range(levels):
        at = low + (high - low) * step / levels
        yes = values > at[:, None]
        hits = (yes & there).sum(1)
        f1 = f1_score(hits.float(), (yes & not_there).sum(1).float(), (~yes & there).sum(1).float())
        best, level = torch.maximum(best, f1), torch.where(f1 > best, at, level)
    return level


def _best_of_sparse(
    columns: Tensor, high: Tensor, both: Tensor, positives: Tensor, levels: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The same where the lowest value is 0 and most values are: each other value is counted once, at its level.

    Whoever is above a level is above all levels below, so the counts are added up from the highest level down.
    """
    word, column = columns.nonzero(as_tuple=True)
    reached = (columns[word, column] * levels / high[column]).ceil().long().clamp(1, levels) - 1
    counts = torch.zeros(len(both), columns.shape[1] * levels)
    counts.index_add_(1, column * levels + reached, both[:, word])
    above = counts.view(len(both), columns.shape[1], levels).flip(2).cumsum(2).flip(2)
    hits, false_alarms = above.split(len(positives))
    best = f1_score(hits, false_alarms, positives[:, :, None] - hits).flatten(1).max(dim=1)
    feature, step = best.indices // levels, best.indices % levels
    return best.values, feature, high[feature] * step / levels


def _scored(yes: Tensor, truths: TokenTruths, feature: Tensor, sign: Tensor, threshold: Tensor) -> Detectors:
    """Count hits, false alarms and misses in each document of the half that nothing was chosen on."""
    test = ~truths.choosing
    yes, holds, asked = yes[:, test], truths.holds[:, test], truths.asked[:, test]
    _, document = truths.document[test].unique(return_inverse=True)
    n = int(document.max()) + 1 if len(document) else 0

    def counted(where: Tensor) -> Tensor:
        return torch.zeros(len(where), n).index_add_(1, document, where.float())

    return Detectors(
        truths.latents,
        feature,
        sign,
        threshold,
        hits=counted(yes & holds & asked),
        false_alarms=counted(yes & ~holds & asked),
        misses=counted(~yes & holds & asked),
    )


def _resampled(found: Detectors, resamples: int = 1000) -> Float[Tensor, "resample latent"]:
    """F1 on documents drawn anew, with replacement."""
    n = found.hits.shape[1]
    drawn = torch.randint(n, (resamples, n), generator=torch.Generator().manual_seed(0))
    times = torch.zeros(resamples, n).scatter_add_(1, drawn, torch.ones(resamples, n))
    return f1_score(times @ found.hits.T, times @ found.false_alarms.T, times @ found.misses.T)


def _interval(estimate: float, resampled: Tensor) -> Interval:
    low, high = resampled.quantile(torch.tensor([0.025, 0.975]))
    return Interval(estimate, float(low), float(high))
