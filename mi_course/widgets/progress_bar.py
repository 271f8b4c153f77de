"""A loop that says how far it is: a bar in Jupyter, a line in a terminal."""

from __future__ import annotations

import html
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

_SECONDS_BETWEEN_UPDATES = 0.1


def progress_bar(iterable: Iterable[Item], description: str, *, total: int | None = None) -> Iterator[Item]:
    """Go through ``iterable`` and show how far the loop is.

    ``for batch in progress_bar(batches, "Training"): …``
    The bar is there before the first item is asked for, so nobody waits in front of a still page.
    ``total`` is the number of items, where ``len`` cannot tell. After ``break`` or an error the bar
    stays where it stopped and says so.

    In a saved notebook only the description remains: neither times nor counts, so two runs compare equal.
    """
    if total is None and hasattr(iterable, "__len__"):
        total = len(iterable)
    show = _in_jupyter(description, total) if jupyter_is_here() else _in_terminal(description, total)
    done = 0
    finished = False
    try:
        for item in iterable:
            yield item
            done += 1
            show(done, None)
        finished = True
    finally:
        show(done, finished)


def jupyter_is_here() -> bool:
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None


def _in_jupyter(description: str, total: int | None):
    import ipywidgets
    from IPython.display import display

    bar = ipywidgets.IntProgress(
        max=max(total or 1, 1),
        bar_style="" if total is not None else "info",
        layout=ipywidgets.Layout(flex="1 1 160px", max_width="420px"),
    )
    words = ipywidgets.HTML()
    line = ipywidgets.Box(
        [ipywidgets.HTML(html.escape(description)), bar, words],
        layout=ipywidgets.Layout(flex_flow="row wrap", align_items="center", width="100%", grid_gap="10px"),
    )
    line.add_class("mi-progress")
    bundle = line._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    started = time.monotonic()
    shown = float("-inf")

    def show(done: int, finished: bool | None) -> None:
        nonlocal shown
        now = time.monotonic()
        if finished is None and now - shown < _SECONDS_BETWEEN_UPDATES:
            return
        shown = now
        count = f"{done:,}" if total is None else f"{done:,} of {total:,}"
        if finished is None:
            bar.value = min(done, bar.max) if total is not None else bar.max
            words.value = f"{count} · {_remaining(now - started, done, total)}"
            return
        bar.value = bar.max if finished else done
        bar.bar_style = "success" if finished else "warning"
        words.value = f"{count} · {'done' if finished else 'stopped'} after {_duration(now - started)}"

    show(0, None)
    display({**data, "text/plain": f"{description} (progress bar)"}, raw=True)
    return show


def _in_terminal(description: str, total: int | None):
    from tqdm import tqdm

    # disable=None: silent where the output is a file rather than a person.
    bar = tqdm(total=total, desc=description, disable=None, leave=True)

    def show(done: int, finished: bool | None) -> None:
        bar.update(done - bar.n)
        if finished is not None:
            bar.close()

    return show


def _remaining(elapsed: float, done: int, total: int | None) -> str:
    if total is None or done == 0:
        return _duration(elapsed)
    return f"about {_duration(elapsed / done * max(total - done, 0))} left"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
