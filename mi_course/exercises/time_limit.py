"""Run code that may never end, and get the notebook back.

The code runs in a thread of its own. When its time is up, an exception is raised *inside* that thread,
again and again in case the code swallows it. This works on every platform, without signals or a second
process. One long call into C cannot be stopped so; its thread is left behind, and ends when the call does.
"""

from __future__ import annotations

import contextvars
import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

PATIENCE = 60.0
"""Seconds that the check itself may take, on top of the learner's code."""
IDLE = 3.0
"""Seconds of waiting that count as one second of work."""
GRACE = 2.0
"""Seconds for which code whose time is up is asked to stop."""


class TimeIsUp(BaseException):
    """Raised inside code that ran too long. Not an ``Exception``, so ``except Exception`` lets it through."""


class Clock:
    """Counts the seconds for which the learner's code runs; the check's own work is not charged.

    On a busy machine code gets less of the processor than the clock on the wall shows. So it is charged
    for its share, but for no less than ``1 / IDLE`` of the wall's time, so that waiting ends as well.
    """

    def __init__(self, seconds: float | int) -> None:
        self.seconds = seconds
        self._used = 0.0
        self._depth = 0
        self._begun = self._created = _now()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Charge the time inside the context to the learner's code."""
        if self._depth == 0:
            self._begun = _now()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._used += _charge(self._begun)

    @property
    def learner_used_it_up(self) -> bool:
        """Whether the learner's code has had all its seconds."""
        return self._used + (_charge(self._begun) if self._depth else 0.0) > self.seconds

    @property
    def is_up(self) -> bool:
        """Whether everything, check and learner's code, must stop."""
        return self.learner_used_it_up or _charge(self._created) > self.seconds + PATIENCE


def _now() -> tuple[float, float]:
    return time.monotonic(), time.process_time()


def _charge(begun: tuple[float, float]) -> float:
    wall, processor = (now - then for now, then in zip(_now(), begun))
    return max(wall / IDLE, min(wall, processor))


@dataclass(frozen=True)
class Ending:
    """How a run ended: with a value, with an error, or because its time was up."""

    value: Any = None
    error: BaseException | None = None
    timed_out: bool = False
    left_running: bool = False
    """The code could not be stopped; its thread is still there."""


class _Worker(threading.Thread):
    def __init__(self, fn: Callable[[], Any]) -> None:
        super().__init__(daemon=True, name="exercise")
        self._fn = fn
        self._context = contextvars.copy_context()
        self._gate = threading.Lock()
        self._finished = False
        # Not is_alive(): in Python 3.11 and 3.12 an interrupted join() takes a running thread for ended.
        self.ended = threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._work()
        finally:
            self.ended.set()

    def _work(self) -> None:
        try:
            try:
                self.value = self._context.run(self._fn)
            except BaseException as error:
                self.error = error
        except TimeIsUp:
            pass  # asked to stop a second time, while the first was being noted
        # A TimeIsUp may still be on its way: take it back, so that it does not hit Python's own clean-up.
        while not self._finished:
            try:
                with self._gate:
                    _set_exception(self.ident, None)
                    self._finished = True
            except TimeIsUp:
                continue

    def ask_to_stop(self) -> None:
        if self._gate.acquire(timeout=0.1):
            try:
                if not self._finished:
                    _set_exception(self.ident, TimeIsUp)
            finally:
                self._gate.release()


def _set_exception(thread: int | None, kind: type[BaseException] | None) -> None:
    pending = ctypes.py_object(kind) if kind else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread or 0), pending)


def _stop(worker: _Worker, patience: float) -> None:
    give_up = time.monotonic() + patience
    pause = 0.05
    while not worker.ended.is_set() and time.monotonic() < give_up:
        worker.ask_to_stop()
        worker.ended.wait(pause)
        # A loop that swallows every exception can be hit only between two rounds: try often.
        pause = max(0.005, 0.8 * pause)


def run(fn: Callable[[], Any], clock: Clock) -> Ending:
    """Run ``fn`` until it ends or the clock is up. An interrupt (Ctrl-C, stop button) still interrupts."""
    worker = _Worker(fn)
    timed_out = False
    try:
        worker.start()
        while not worker.ended.wait(0.05) and not timed_out:
            timed_out = clock.is_up
    finally:
        # Also on the way out of a KeyboardInterrupt: nothing of the learner's may go on running.
        _stop(worker, GRACE)
        if not worker.ended.is_set():
            threading.Thread(target=_stop, args=(worker, float("inf")), daemon=True).start()
    if not worker.ended.is_set():
        return Ending(timed_out=True, left_running=True)
    return Ending(worker.value, worker.error, timed_out)
