"""Recognise the slips that everybody makes: transposed, wrong sign, a constant factor or shift …"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

_NICE = {2: "2", 3: "3", 4: "4", 10: "10", 100: "100", 255: "255", 1000: "1000", 1e6: "a million",
         math.pi: "π", 2 * math.pi: "2π", 180 / math.pi: "180/π (degrees instead of radians?)"}  # fmt: skip


def in_shape(found: tuple[int, ...], wanted: tuple[int | None, ...]) -> str | None:
    """What kind of slip turns the wanted shape into the found one, in a sentence; None if unknown."""
    if None in wanted:
        return f"It should have {len(wanted)} axes." if len(found) != len(wanted) else None
    if len(found) != len(wanted):
        if tuple(n for n in found if n != 1) == tuple(n for n in wanted if n != 1):
            if len(found) > len(wanted):
                return "There is an axis of length 1 too many: `squeeze` it away, or index with 0."
            return "An axis of length 1 is missing: keep it with `keepdim=True`, or add it with `[None]`."
        if found[1:] == wanted:
            return "There is one axis too many in front (a batch?)."
        if wanted[1:] == found:
            return "The first axis is missing (the batch?)."
    elif sorted(found) == sorted(wanted):
        return "The axes are in another order: transposed or permuted?"
    if math.prod(found) == math.prod(wanted):
        return "The number of values is right; they are only arranged otherwise."
    if len(found) == len(wanted):
        differ = [i for i, (f, w) in enumerate(zip(found, wanted)) if f != w]
        if len(differ) == 1 and abs(found[differ[0]] - wanted[differ[0]]) == 1:
            return f"Axis {differ[0]} is off by one."
    return None


def in_values(found: np.ndarray, wanted: np.ndarray, tolerance: np.ndarray) -> str | None:
    """What kind of slip turns the wanted values into the found ones, in a sentence; None if unknown."""
    if found.size == 0 or found.dtype.kind == "c" or wanted.dtype.kind == "c":
        return None
    if not (np.isfinite(found).all() and np.isfinite(wanted).all()):
        return None
    if found.size == 1 and found.dtype.kind in "iu" and abs(int(found.flat[0]) - int(wanted.flat[0])) == 1:
        return f"It is one too {'many' if found.flat[0] > wanted.flat[0] else 'few'}."
    if found.dtype.kind == "b":
        return "True and False are exchanged." if (found != wanted).all() else None
    found, wanted = found.astype(np.float64), wanted.astype(np.float64)
    with np.errstate(all="ignore"):
        for sentence, candidate in _candidates(found, wanted):
            if candidate.shape == wanted.shape and (np.abs(candidate - wanted) <= tolerance).all():
                return sentence
    return None


def _candidates(found: np.ndarray, wanted: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """A sentence about a slip, and the found values with that slip undone."""
    yield "The sign is the wrong way round.", -found
    varied = found.size >= 3 and float(np.ptp(wanted)) > 1e-8 and float(np.ptp(found)) > 1e-8
    if varied:
        yield from _rearrangements(found)
    yield from _factor(found, wanted, varied)
    if varied:
        shift = float((found - wanted).mean())
        yield f"Every value is {abs(shift):.4g} too {'large' if shift > 0 else 'small'}.", found - shift
    if found.size > 1 or abs(wanted.flat[0]) > 1:
        yield "It is the square of what was asked for.", np.where(found >= 0, np.sqrt(np.abs(found)), np.nan)
        yield "It is the square root of what was asked for.", found**2
    if varied:
        yield "It is the logarithm of what was asked for.", np.exp(found)
        yield "It is the exponential of what was asked for.", np.log(found)
    if varied and found.size >= 4:
        centred = found - found.mean()
        slope = (centred * wanted).sum() / (centred * centred).sum()
        yield "It is right up to a scale and a shift.", slope * centred + wanted.mean()


def _rearrangements(found: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    if found.ndim == 3 and found.shape[0] == 3:
        yield "Red and blue are exchanged.", found[::-1]
    if found.ndim >= 2 and found.shape[-1] == found.shape[-2]:
        yield "It looks transposed: rows and columns are exchanged.", found.swapaxes(-1, -2)
    for axis in range(found.ndim):
        if found.shape[axis] > 1:
            yield f"Axis {axis} runs in the opposite direction.", np.flip(found, axis)
            yield f"Everything is shifted by one along axis {axis}.", np.roll(found, 1, axis)
            yield f"Everything is shifted by one along axis {axis}.", np.roll(found, -1, axis)


def _factor(found: np.ndarray, wanted: np.ndarray, varied: bool) -> Iterator[tuple[str, np.ndarray]]:
    if not found.any() or not wanted.any():
        return
    ratio = float((found * wanted).sum() / (wanted * wanted).sum())
    if ratio == 0:
        return
    # A single number is always "off by a factor": say so only where the factor tells something.
    for size, name in _NICE.items():
        if math.isclose(abs(ratio), size, rel_tol=1e-3):
            sign = "minus " if ratio < 0 else ""
            yield f"It is too large by a factor of {sign}{name}.", found / ratio
        if math.isclose(abs(ratio), 1 / size, rel_tol=1e-3):
            sign = "minus " if ratio < 0 else ""
            yield f"It is too small by a factor of {sign}{name}.", found / ratio
    if varied:
        yield f"Every value is {ratio:.4g} times what it should be.", found / ratio
