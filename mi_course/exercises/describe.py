"""Put a value into a few words. The words never change from run to run: no addresses, no long lists."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any


def is_tensor(value: Any) -> bool:
    """Whether the value is a torch tensor (without importing torch for the question)."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_array(value: Any) -> bool:
    """Whether the value is a numpy array (numpy's scalars are not)."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def shorten(text: str, limit: int = 300) -> str:
    """The text without memory addresses, cut to ``limit`` characters."""
    text = re.sub(r"0x[0-9a-fA-F]{6,}", "0x…", text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def shape_of(value: Any) -> str:
    """``3×11×11`` for a tensor or array; ``no axes`` for a single number."""
    return "×".join(map(str, value.shape)) if len(value.shape) else "no axes"


def describe(value: Any) -> str:
    """What the value is, for a sentence: ``a torch tensor of shape (3, 11) and type float32``."""
    if value is None:
        return "None"
    if is_tensor(value):
        kind = str(value.dtype).removeprefix("torch.")
        return f"a torch tensor of shape {tuple(value.shape)} and type {kind}"
    if is_array(value):
        return f"a numpy array of shape {value.shape} and type {value.dtype}"
    if isinstance(value, bool | int | float | complex | str | bytes):
        return f"the {_kind(value)} {shorten(_repr(value), 80)}"
    if inspect.isclass(value):
        return f"the class {value.__name__}"
    if inspect.isgenerator(value):
        return "a generator (it was made with yield)"
    if inspect.isroutine(value):
        return f"the function {getattr(value, '__name__', 'without a name')}"
    if isinstance(value, list | tuple | dict | set):
        return f"a {_kind(value)} with {len(value)} {'entry' if len(value) == 1 else 'entries'}"
    article = "an" if type(value).__name__[:1].lower() in "aeiou" else "a"
    return f"{article} object of type {type(value).__name__}"


def describe_call(name: str, args: tuple, kwargs: dict) -> str:
    """A call as it would stand in code, with tensors as their shapes: ``f(tensor[3×11], size=2)``."""
    parts = [_brief(value) for value in args]
    parts += [f"{key}={_brief(value)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(parts)})"


def _brief(value: Any) -> str:
    if is_tensor(value):
        return f"tensor[{shape_of(value)}]" if value.ndim else f"tensor({value.item():.6g})"
    if is_array(value):
        return f"array[{shape_of(value)}]"
    if inspect.isclass(value) or inspect.isroutine(value):
        return getattr(value, "__name__", "function")
    if isinstance(value, bool | int | float | complex | str | bytes | list | tuple | dict | set | None):
        return shorten(_repr(value), 60)
    return type(value).__name__


def _kind(value: Any) -> str:
    words = {str: "text", bool: "truth value", int: "number", float: "number", dict: "dictionary"}
    return words.get(type(value), type(value).__name__)


def _repr(value: Any) -> str:
    if type(value) in (list, tuple) and len(value) > 6:
        return _repr(type(value)(value[:6])).rstrip(")]") + ", …" + ("]" if type(value) is list else ")")
    if type(value) in (list, tuple) and any(is_tensor(v) or is_array(v) for v in value):
        inside = ", ".join(map(_brief, value))
        return f"[{inside}]" if type(value) is list else f"({inside})"
    try:
        return repr(value)
    except Exception:
        return f"{type(value).__name__} that cannot be shown"
