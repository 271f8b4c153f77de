"""What a figure draws, as NumPy arrays: tensors on any device, arrays and nested lists alike."""

from __future__ import annotations

import numpy as np


def to_array(values, name: str) -> np.ndarray:
    """``values`` as floating-point numbers; ``name`` is what the error calls them."""
    if hasattr(values, "detach"):  # a tensor; asking this way spares the import of torch
        values = values.detach().cpu()
        values = values.float() if values.is_floating_point() else values
    try:
        array = np.asarray(values)
        return array.astype(np.float64) if array.dtype != np.uint8 else array.astype(np.float64) / 255
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers in a rectangular array, but {error}.") from None


def with_interval(value, name: str) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """``y`` or ``(y, low, high)`` as three arrays of one shape, the bounds None where there are none."""
    if not isinstance(value, tuple):
        return to_array(value, name), None, None
    if len(value) != 3:
        raise ValueError(f"{name} has {len(value)} parts; give y alone, or the tuple (y, low, high).")
    y, low, high = (to_array(part, name) for part in value)
    if not y.shape == low.shape == high.shape:
        raise ValueError(
            f"{name}: y, low and high have shapes {y.shape}, {low.shape}, {high.shape}; make them equal."
        )
    if (low > high).any():
        raise ValueError(f"{name}: low is above high somewhere; the order is (y, low, high).")
    return y, low, high
