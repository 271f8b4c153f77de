"""`mc.exercise`: run the check of an exercise, show the result, hand back something that works."""

from __future__ import annotations

import inspect
import random
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from mi_course.exercises import card, journal, registry, sharing, time_limit
from mi_course.exercises.attempt import Attempt, NotAttempted, comes_from_learner, explain, is_stub
from mi_course.exercises.captured_output import captured_output
from mi_course.exercises.describe import describe, shorten
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong


def exercise(id: str, answer: Any) -> Any:
    """Check ``answer``, show the result, and return it if it is right and the reference solution otherwise.

    Whatever the answer does (raise, loop, print, change its input), the cells after it can run.

    id      chapter and name, such as ``"01.normalize_filter"``
    answer  the function itself (without parentheses), or the value that is asked for

    Raises ``UnknownName`` with the nearest ids if there is no such exercise.
    """
    task = registry.find(id)
    verdict = examine(task, answer)
    journal.record("attempt", id=task.id, status=verdict.status, diagnosis=shorten(verdict.words, 500))
    card.show(verdict.card(task))
    sharing.share(task, verdict.status, verdict.words)
    return answer if verdict.status == "right" else task.solution()


@dataclass(frozen=True)
class Verdict:
    """What came of one check."""

    status: Literal["right", "wrong", "untouched", "broken"]
    """``broken``: the check itself failed, which is never the learner's fault."""
    words: str = ""
    """The diagnosis, or what the learner has just shown."""
    call: str | None = None
    """The call that the diagnosis is about."""
    printed: str = ""
    error: BaseException | None = None
    """Why a check is broken."""

    def card(self, task: Exercise) -> card.Card:
        """The result as the learner sees it; the same words every time."""
        name = f"{task.id} · {task.title}"
        if self.status == "right":
            return card.Card("✅", f"{name}: right", _sentences(self.words), tone="success")
        go_on = (
            f'The reference solution stands in, so the cells below run. For a hint: `mc.hint("{task.id}")`'
        )
        if self.status == "untouched":
            heading = f"{name}: not attempted yet ({task.dots}, {task.minutes} min)"
            return card.Card("⬜", heading, (go_on,), tone="neutral")
        if self.status == "broken":
            words = ("This is a mistake in the course, not in your answer; please report it.", self.words)
            stands_in = "The reference solution stands in, so the cells below run."
            return card.Card("⚠️", f"{name}: the check itself failed", (*words, stands_in), tone="warning")
        called = (f"The check called `{self.call}`.",) if self.call else ()
        printed = ("Your code printed:",) if self.printed else ()
        paragraphs = (self.words, *called, go_on, *printed)
        return card.Card("❌", f"{name}: not yet", paragraphs, quoted=self.printed, tone="error")


def _sentences(words: str) -> tuple[str, ...]:
    return (words,) if words else ()


def examine(task: Exercise, answer: Any) -> Verdict:
    """The verdict on an answer, without showing or recording it. Never raises, except for an interrupt."""
    clock = time_limit.Clock(task.seconds)
    attempt = Attempt(answer, _name(task, answer), clock) if task.asks_for_function else None
    with _own_randomness(), captured_output() as printed:
        ending = time_limit.run(lambda: _judge(task, answer, attempt, clock), clock)
    call = attempt.last_call if attempt else None
    if ending.timed_out:
        return _too_slow(task, ending, clock, call, printed.text)
    if ending.error is not None:
        return _broken(ending.error)
    verdict: Verdict = ending.value
    if verdict.status == "wrong":
        return Verdict("wrong", verdict.words, call, printed.text)
    return verdict


def _judge(task: Exercise, answer: Any, attempt: Attempt | None, clock: time_limit.Clock) -> Verdict:
    try:
        with clock.running():
            if is_stub(answer):
                return Verdict("untouched")
            _expect_kind(task, answer)
        note = task.check(attempt if task.asks_for_function else answer)
        return Verdict("right", note or "")
    except NotAttempted:
        return Verdict("untouched")
    except Wrong as diagnosis:
        return Verdict("wrong", str(diagnosis))
    except time_limit.TimeIsUp:
        raise
    except BaseException as error:
        if comes_from_learner(error):
            found = explain(error, attempt.name if attempt else "your answer")
            return Verdict("untouched") if isinstance(found, NotAttempted) else Verdict("wrong", str(found))
        return _broken(error)


def _name(task: Exercise, answer: Any) -> str:
    name = getattr(answer, "__name__", None)
    return name if isinstance(name, str) and name.isidentifier() else task.id[3:]


def _expect_kind(task: Exercise, answer: Any) -> None:
    name = task.id[3:]
    if task.asks_for_function and not callable(answer):
        raise Wrong(
            f"Your answer is {describe(answer)}, not a function. Hand over the function itself, without "
            f'parentheses: `mc.exercise("{task.id}", {name})`.'
        )
    if not task.asks_for_function and answer is None:
        raise Wrong("Your answer is None. Did the cell that computes it run, and does its function `return`?")
    if not task.asks_for_function and inspect.isroutine(answer):
        raise Wrong(f"Your answer is {describe(answer)}; a value is asked for. Call the function: add `()`.")


def _too_slow(
    task: Exercise, ending: time_limit.Ending, clock: time_limit.Clock, call: str | None, printed: str
) -> Verdict:
    learners = clock.learner_used_it_up or (ending.error is not None and comes_from_learner(ending.error))
    if not learners:
        return Verdict(
            "broken", f"The check did not end within {task.seconds + time_limit.PATIENCE:g} seconds."
        )
    words = (
        f"Your code was still running after {task.seconds:g} seconds and was stopped. Does a loop never end, "
        "or is there a loop over single values where one operation on the whole tensor would do?"
    )
    if ending.left_running:
        words = (
            f"Your code was still running after {task.seconds:g} seconds and could not be stopped. It goes "
            "on in the background for a while; if the notebook is slow now, restart the kernel (your progress "
            "is kept)."
        )
    return Verdict("wrong", words, call, printed)


def _broken(error: BaseException) -> Verdict:
    steps = traceback.extract_tb(error.__traceback__)
    place = (
        f" ({steps[-1].filename.replace(chr(92), '/').rpartition('/')[2]}, line {steps[-1].lineno})"
        if steps
        else ""
    )
    words = shorten(f"`{type(error).__name__}: {error}`{place}")
    return Verdict("broken", words, error=error)


@contextmanager
def _own_randomness() -> Iterator[None]:
    """Give the check seeded random numbers and put the notebook's back, so that its results do not
    depend on which exercises have been solved."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    python_state = random.getstate()
    numpy_state = numpy.random.get_state() if numpy else None
    torch_state = torch.get_rng_state() if torch else None
    try:
        random.seed(0)
        if numpy:
            numpy.random.seed(0)
        if torch:
            torch.default_generator.manual_seed(0)
        yield
    finally:
        random.setstate(python_state)
        if numpy:
            numpy.random.set_state(numpy_state)
        if torch:
            torch.set_rng_state(torch_state)
