"""`mc.begin`: the first cell of a notebook."""

from __future__ import annotations

import re

from mi_course import runtime
from mi_course.exercises import journal


def begin(chapter: str) -> None:
    """Make the notebook repeat itself: seeds, at most two threads, the figure style. Records the opening.

    ``chapter`` is the two digits of the notebook's name, such as ``"01"``. Prints nothing.
    """
    if not re.fullmatch(r"\d\d", chapter):
        raise ValueError(f'chapter={chapter!r}; expected two digits in quotes, such as "01".')
    import torch

    from mi_course.plots.style import use_style

    runtime.seed_everything(0)
    # Fewer where the machine, or OMP_NUM_THREADS, offers fewer.
    torch.set_num_threads(min(2, torch.get_num_threads()))
    use_style()
    journal.record("opened", chapter=chapter)
