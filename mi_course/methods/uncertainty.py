"""How sure can we be? Intervals to put behind every mean and every share."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Interval:
    """An estimate with the bounds that ``confidence`` (0 to 1) of such intervals would hold the truth in."""

    estimate: float
    low: float
    high: float
    confidence: float = 0.95

    def __str__(self) -> str:
        estimate, low, high = (round(number, 2) + 0.0 for number in (self.estimate, self.low, self.high))
        return f"{estimate:.2f} [{low:.2f}, {high:.2f}]"  # + 0.0: no −0.00


def wilson_interval(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """The share of successes among independent trials, with Wilson's (1927) interval.

    Unlike mean ± 2 standard errors it stays inside [0, 1] and is right for shares near 0 and 1. It
    knows nothing of trials that hang together, such as patches cut from one photograph.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"{successes} successes in {trials} trials is not a share.")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, scale = successes / trials, 1 + z**2 / trials
    middle = (share + z**2 / (2 * trials)) / scale
    half = z / scale * (share * (1 - share) / trials + z**2 / (4 * trials**2)) ** 0.5
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == trials else middle + half
    return Interval(share, low, high, confidence)


def bootstrap_mean(
    values: Float[Tensor, " sample"], *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """The mean of independent values, with a percentile bootstrap interval (Efron 1979)."""
    means = values[_resampled(len(values), resamples, seed)].mean(dim=1)
    return _percentiles(float(values.mean()), means, confidence)


def bootstrap_ratio(
    numerator: Float[Tensor, " sample"],
    denominator: Float[Tensor, " sample"],
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """``mean(numerator) / mean(denominator)`` of values that come in pairs, with a percentile bootstrap interval.

    Pairs are drawn together, so that what makes an example hard counts above and below the line alike. The interval
    is wide, or infinite, where the denominator's mean is hardly different from 0.
    """
    if numerator.shape != denominator.shape:
        raise ValueError(f"{len(numerator)} numerators and {len(denominator)} denominators are no pairs.")
    chosen = _resampled(len(numerator), resamples, seed)
    ratios = numerator[chosen].mean(dim=1) / denominator[chosen].mean(dim=1)
    return _percentiles(float(numerator.mean() / denominator.mean()), ratios, confidence)


def _resampled(n: int, resamples: int, seed: int) -> Int[Tensor, "resample sample"]:
    if n < 2:
        raise ValueError(f"{n} value(s): an interval needs at least two.")
    return torch.randint(n, (resamples, n), generator=torch.Generator().manual_seed(seed))


def _percentiles(estimate: float, resampled: Float[Tensor, " resample"], confidence: float) -> Interval:
    tail = (1 - confidence) / 2
    low, high = resampled.sort().values.quantile(torch.tensor([tail, 1 - tail], dtype=resampled.dtype))
    return Interval(estimate, float(low), float(high), confidence)
