"""Copies of values (tensors, arrays, models, containers), and what changed since a copy was made."""

from __future__ import annotations

import copy
import sys
from typing import Any

from mi_course.exercises.describe import is_array, is_tensor


def copy_of(value: Any) -> Any:
    """An independent copy; what cannot be copied (a generator, an open file) is returned as it is."""
    return _copy(value, {})


def _copy(value: Any, seen: dict[int, Any]) -> Any:
    # Shared parts stay shared: f(x, x) is given one copy twice.
    if id(value) in seen:
        return seen[id(value)]
    if is_tensor(value) and not _is_module_part(value):
        made = value.detach().clone().requires_grad_(value.requires_grad)
    elif type(value) is list:
        made = seen[id(value)] = []
        made.extend(_copy(item, seen) for item in value)
    elif type(value) is dict:
        made = seen[id(value)] = {}
        made.update((key, _copy(item, seen)) for key, item in value.items())
    elif type(value) is tuple:
        made = tuple(_copy(item, seen) for item in value)
    else:
        try:
            made = copy.deepcopy(value)
        except Exception:
            made = value
    seen[id(value)] = made
    return made


def _is_module_part(value: Any) -> bool:
    return isinstance(value, sys.modules["torch"].nn.Parameter)


def first_change(before: Any, after: Any, where: str) -> str | None:
    """What differs between the two, in words that begin with ``where``; None if nothing does.

    Objects without readable contents count as unchanged.
    """
    return _change(before, after, where, set())


def _change(before: Any, after: Any, where: str, seen: set[tuple[int, int]]) -> str | None:
    if before is after or (id(before), id(after)) in seen:
        return None
    seen.add((id(before), id(after)))
    if type(before) is not type(after):
        return f"{where} became a {type(after).__name__}"
    if is_tensor(before) or is_array(before):
        return None if _same_numbers(before, after) else f"the values of {where} are not what they were"
    if isinstance(before, list | tuple | dict) and len(before) != len(after):
        return f"{where} had {len(before)} entries and now has {len(after)}"
    if isinstance(before, list | tuple):
        pairs = [(b, a, f"{where}[{i}]") for i, (b, a) in enumerate(zip(before, after))]
        return _first(pairs, seen)
    if isinstance(before, dict):
        if before.keys() != after.keys():
            return f"{where} has other keys than before"
        return _first([(before[key], after[key], f"{where}[{key!r}]") for key in before], seen)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(before, torch.nn.Module):
        return _module_change(before, after, where, seen)
    if isinstance(before, str | bytes | int | float | complex | set | frozenset | bytearray):
        return None if before == after or before != before else f"{where} is not what it was"
    if hasattr(before, "__dict__"):
        return _change(vars(before), vars(after), f"{where} ({type(before).__name__})", seen)
    return None


def _first(pairs: list[tuple[Any, Any, str]], seen: set[tuple[int, int]]) -> str | None:
    changes = (_change(before, after, where, seen) for before, after, where in pairs)
    return next((change for change in changes if change), None)


def _module_change(before: Any, after: Any, where: str, seen: set[tuple[int, int]]) -> str | None:
    change = _change(dict(before.state_dict()), dict(after.state_dict()), f"{where}'s weights", seen)
    if change:
        return change
    for old, new in zip(before.modules(), after.modules()):
        if old.training != new.training:
            return f"{where} was left in {'training' if new.training else 'evaluation'} mode"
        if len(old._forward_hooks) != len(new._forward_hooks):
            return f"a hook was left behind on {where}"
    return None


def _same_numbers(before: Any, after: Any) -> bool:
    if before.shape != after.shape or before.dtype != after.dtype:
        return False
    if is_tensor(before):
        before, after = before.detach(), after.detach()
    return bool(((before == after) | ((before != before) & (after != after))).all())
