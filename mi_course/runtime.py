"""Seed, device and threads. Nothing happens on import."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager


def seed_everything(seed: int = 0) -> None:
    """Seed Python's, NumPy's and torch's random numbers, so that a notebook repeats itself."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def choose_device(requested: str | None = None) -> str:
    """The device to compute on: what was asked for, by argument or ``MI_COURSE_DEVICE``, else the CPU.

    A graphics card is never chosen by itself: pictures lie in ordinary memory, where a model on the
    card cannot see them, and the models of the course are small. With ``device="cuda"`` you move your
    tensors yourself. Apple's MPS has returned wrong numbers without an error in several operations
    that interpretability code leans on: compare a result with the CPU's before you believe it.
    """
    import torch

    device = requested or os.environ.get("MI_COURSE_DEVICE")
    if not device:
        return "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise ValueError(f'device={device!r} is not a device torch knows; use "cpu" or "cuda".') from None
    missing = (kind == "cuda" and not torch.cuda.is_available()) or (
        kind == "mps" and not torch.backends.mps.is_available()
    )
    if missing:
        raise ValueError(f'device={device!r} is not on this machine; use device="cpu".')
    if kind == "mps":
        import warnings

        warnings.warn(
            "MPS is known to return wrong numbers silently for some operations: "
            "compare with the CPU before you trust a result.",
            stacklevel=2,
        )
    return device


@contextmanager
def one_thread() -> Iterator[None]:
    """While the context is open, torch computes with one thread.

    For many small steps: threads that wait for each other after each of them make a busy machine
    slower by a factor of ten and more.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
