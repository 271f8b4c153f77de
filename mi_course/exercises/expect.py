"""The comparisons that checks are written with: each raises `Wrong` with a diagnosis in a teacher's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mi_course.exercises import slips
from mi_course.exercises.describe import describe, is_array, is_tensor


class Wrong(Exception):
    """An answer is not right; the text says what was wrong, on which input, and what was expected."""


def expect_type(got: Any, kinds: type | tuple[type, ...], *, what: str = "Your result") -> None:
    """``got`` is an instance of one of ``kinds``. A truth value does not pass for a number."""
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    passes = isinstance(got, kinds) and not (isinstance(got, bool) and bool not in kinds)
    if not passes:
        wanted = " or ".join(_type_in_words(kind) for kind in kinds)
        raise Wrong(f"{what} is {describe(got)}; expected {wanted}.")


def expect_shape(
    got: Any, shape: tuple[int | None, ...], *, what: str = "Your result", on: str | None = None
) -> None:
    """``got`` is a tensor or array with this shape; None in ``shape`` stands for any length."""
    if not hasattr(got, "shape"):
        raise Wrong(f"{_begin(what, on, 'is')} {describe(got)}; expected a tensor of shape {_shape(shape)}.")
    found = tuple(got.shape)
    fits = len(found) == len(shape) and all(w is None or w == f for f, w in zip(found, shape))
    if not fits:
        slip = slips.in_shape(found, shape)
        raise Wrong(
            f"{_begin(what, on, 'has')} shape {_shape(found)}; expected {_shape(shape)}.{_sentence(slip)}"
        )


def expect_dtype(got: Any, dtype: Any, *, what: str = "Your result", on: str | None = None) -> None:
    """``got`` has this dtype: one of torch's or numpy's, or a family: ``"float"``, ``"int"``, ``"bool"``."""
    found = str(getattr(got, "dtype", describe(got))).removeprefix("torch.")
    wanted = (
        dtype if isinstance(dtype, str) else str(getattr(dtype, "__name__", dtype)).removeprefix("torch.")
    )
    families = ("float", "int", "bool", "complex")
    right = found.startswith((wanted, f"u{wanted}")) if wanted in families else found == wanted
    if not right:
        remedy = f" Convert with `.to(torch.{wanted})`." if is_tensor(got) and wanted not in families else ""
        raise Wrong(f"{_begin(what, on, 'has')} the type {found}; expected {wanted}.{remedy}")


def refuse_slips(got: Any, slips: Mapping[Any, str], *, on: str, atol: float = 1e-5) -> None:
    """``got``, a tensor, is none of the results of typical slips; ``slips``: each result with what is said about it."""
    for slip, words in slips.items():
        if got.shape == slip.shape and got.allclose(slip, atol=atol):
            raise Wrong(f"On {on}: {words}")


def expect_close(
    got: Any,
    want: Any,
    *,
    what: str = "Your result",
    on: str | None = None,
    rtol: float | int = 1e-4,
    atol: float | int = 1e-5,
    reveal: bool = True,
    detached: bool = False,
) -> None:
    """``got`` equals ``want`` up to ``atol + rtol·|want|``, in the same kind of container.

    Numbers, tensors, arrays, and lists, tuples or dictionaries of them. The diagnosis gives the largest
    deviation, its place and both values there, and names the slip if it knows it: transposed, wrong sign,
    a constant factor or shift, another order, NaN, numpy instead of torch …

    on        what is special about the input, in words: "a filter that is constant"
    reveal    False keeps the expected values out of the diagnosis (for answers that are a single value)
    detached  True refuses a tensor that still carries its gradient history
    """
    if isinstance(want, dict):
        _expect_keys(got, want, what, on)
        for key in want:
            expect_close(got[key], want[key], what=f"{what}[{key!r}]", on=on, rtol=rtol, atol=atol,
                         reveal=reveal, detached=detached)  # fmt: skip
        return
    if isinstance(want, list | tuple) and not _plain_numbers(want):
        _expect_length(got, want, what, on)
        for i, (g, w) in enumerate(zip(got, want)):
            expect_close(g, w, what=f"{what}[{i}]", on=on, rtol=rtol, atol=atol,
                         reveal=reveal, detached=detached)  # fmt: skip
        return
    _expect_container(got, want, what, on)
    found, wanted = _numbers(got, what, on), _numbers(want, "The reference", None)
    expect_shape(found, wanted.shape, what=what, on=on)
    _expect_family(found, wanted, want, what, on)
    tolerance = np.asarray(atol + rtol * np.abs(np.where(np.isfinite(wanted), wanted, 0)))
    _expect_finite(found, wanted, what, on)
    with np.errstate(all="ignore"):
        difference = np.subtract(found, wanted, dtype=np.result_type(found, wanted, np.float64))
        deviation = np.asarray(np.abs(difference))
        off = np.asarray(~(deviation <= tolerance) & ~_both_same_infinity_or_nan(found, wanted))
    if off.any():
        # About a single value that is to be kept back, "one too many" would say it all.
        slip = slips.in_values(found, wanted, tolerance) if reveal or found.size > 1 else None
        raise Wrong(f"{_begin(what, on, 'is')} not right.{_sentence(slip)} "
                    f"{_deviation(found, wanted, deviation, off, reveal)}")  # fmt: skip
    if detached and is_tensor(got) and got.requires_grad:
        raise Wrong(
            f"{_begin(what, on, 'has')} the right values, but also the history of the computation "
            "(`requires_grad` is True). Compute it under `torch.no_grad()`, or end with `.detach()`."
        )


def _begin(what: str, on: str | None, verb: str) -> str:
    """The beginning of a diagnosis, with its verb: your result *is*, your scores *are*."""
    noun = what.partition(",")[0]
    if noun.startswith("Your ") and noun.endswith("s") and not noun.endswith("ss"):
        verb = {"is": "are", "has": "have", "holds": "hold"}[verb]
    return f"On {on}: {what[:1].lower()}{what[1:]} {verb}" if on else f"{what} {verb}"


def _sentence(slip: str | None) -> str:
    return f" {slip}" if slip else ""


def _type_in_words(kind: type) -> str:
    words = {"Tensor": "a torch tensor", "ndarray": "a numpy array", "str": "a text", "int": "a whole number",
             "float": "a number", "bool": "True or False", "list": "a list", "tuple": "a tuple",
             "dict": "a dictionary"}  # fmt: skip
    return words.get(kind.__name__, f"an object of type {kind.__name__}")


def _shape(shape: tuple) -> str:
    inside = ", ".join("any" if size is None else str(size) for size in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def _plain_numbers(values: list | tuple) -> bool:
    return all(isinstance(value, bool | int | float | complex | np.number) for value in values)


def _expect_keys(got: Any, want: dict, what: str, on: str | None) -> None:
    if not isinstance(got, dict):
        raise Wrong(
            f"{_begin(what, on, 'is')} {describe(got)}; expected a dictionary with keys {_list(want)}."
        )
    missing = [key for key in want if key not in got]
    extra = [key for key in got if key not in want]
    if missing or extra:
        parts = [f"{words}: {_list(keys)}" for words, keys in (("missing", missing), ("not asked for", extra))
                 if keys]  # fmt: skip
        raise Wrong(f"{_begin(what, on, 'has')} other keys than expected; {'; '.join(parts)}.")


def _list(keys: Any) -> str:
    keys = list(keys)
    return ", ".join(repr(key)[:60] for key in keys[:8]) + (", …" if len(keys) > 8 else "")


def _expect_length(got: Any, want: list | tuple, what: str, on: str | None) -> None:
    if not isinstance(got, list | tuple):
        raise Wrong(
            f"{_begin(what, on, 'is')} {describe(got)}; expected {len(want)} values in a {type(want).__name__}."
        )
    if len(got) != len(want):
        raise Wrong(f"{_begin(what, on, 'has')} length {len(got)}; expected {len(want)}.")


def _expect_container(got: Any, want: Any, what: str, on: str | None) -> None:
    is_number = isinstance(want, bool | int | float | complex | np.number)
    right = (
        (is_tensor(want) and is_tensor(got))
        or (is_array(want) and is_array(got))
        or (isinstance(want, list | tuple) and isinstance(got, list | tuple))
        or (is_number and isinstance(got, bool | int | float | complex | np.number))
        or (is_number and (is_tensor(got) or is_array(got)))
    )
    if right:
        return
    remedy = ""
    if is_tensor(want) and is_array(got):
        remedy = " Stay in torch, or convert with `torch.from_numpy(…)`."
    elif is_tensor(want) and isinstance(got, int | float | list | tuple):
        remedy = " Stay in torch, or convert with `torch.tensor(…)`."
    elif is_array(want) and is_tensor(got):
        remedy = " Convert with `.detach().numpy()`."
    wanted = "a number" if is_number else describe(want)
    raise Wrong(f"{_begin(what, on, 'is')} {describe(got)}; expected {wanted}.{remedy}")


def _numbers(value: Any, what: str, on: str | None) -> np.ndarray:
    """The value as an array of bool, int, float64 or complex128."""
    if is_tensor(value):
        try:
            value = value.detach().cpu().to_dense().resolve_conj().resolve_neg()
            return (value.double() if value.is_floating_point() else value).numpy()
        except (RuntimeError, TypeError):
            raise Wrong(f"{_begin(what, on, 'is')} {describe(value)}, whose values cannot be read.") from None
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):
        raise Wrong(
            f"{_begin(what, on, 'is')} {describe(value)}, which is no table of numbers "
            "(are its rows equally long?)."
        ) from None
    if array.dtype.kind not in "buifc":
        raise Wrong(f"{_begin(what, on, 'is')} {describe(value)}; expected numbers.")
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _expect_family(found: np.ndarray, wanted: np.ndarray, want: Any, what: str, on: str | None) -> None:
    names = {"b": "True or False", "i": "whole numbers", "u": "whole numbers", "f": "floating-point numbers",
             "c": "complex numbers"}  # fmt: skip
    have, need = found.dtype.kind, wanted.dtype.kind
    boolean = (have == "b") != (need == "b")
    # A count may be 3.0, but a tensor of indices must hold whole numbers to be of use.
    index = have == "f" and need in "iu" and (is_tensor(want) or is_array(want))
    if boolean or index or (have == "c" and need != "c"):
        raise Wrong(f"{_begin(what, on, 'holds')} {names[have]}; expected {names[need]}.")


def _expect_finite(found: np.ndarray, wanted: np.ndarray, what: str, on: str | None) -> None:
    for test, word, cause in (
        (np.isnan, "NaN (not a number)", "0/0, or the logarithm or root of a negative number, gives NaN."),
        (np.isinf, "infinite", "A division by zero, or the logarithm of zero, gives infinity."),
    ):
        bad = test(found) & ~test(wanted)
        if bad.any():
            place = _place(np.argwhere(bad)[0])
            count = f"{int(bad.sum())} of {bad.size} values are {word}" if bad.size > 1 else f"it is {word}"
            first = f" (the first at {place})" if bad.size > 1 else ""
            raise Wrong(f"{_begin(what, on, 'is')} not right: {count}{first}. {cause}")


def _both_same_infinity_or_nan(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    return np.asarray((found == wanted) | (np.isnan(found) & np.isnan(wanted)))


def _place(index: Any) -> str:
    return "[" + ", ".join(str(int(i)) for i in index) + "]"


def _deviation(
    found: np.ndarray, wanted: np.ndarray, deviation: np.ndarray, off: np.ndarray, reveal: bool
) -> str:
    worst = np.unravel_index(
        int(np.argmax(np.where(off, np.nan_to_num(deviation, nan=np.inf), -1))), off.shape
    )
    here, there = _number(found[worst]), _number(wanted[worst])
    if off.size == 1:
        return f"Yours is {here}, expected {there}." if reveal else f"Yours is {here}."
    place = f"at {_place(worst)}"
    if not reveal:
        return f"{int(off.sum())} of {off.size} values differ; the worst is {place}, where yours is {here}."
    if found.dtype.kind == "b":
        return f"{int(off.sum())} of {off.size} differ; the first {place}: yours {here}, expected {there}."
    return (
        f"The largest deviation is {_number(deviation[worst])}, {place}: yours is {here}, expected {there}. "
        f"{int(off.sum())} of {off.size} values differ."
    )


def _number(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    return f"{value:.4g}"
