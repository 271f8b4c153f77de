"""The learner's function as a check sees it: every mishap becomes a diagnosis, none is fatal."""

from __future__ import annotations

import dis
import inspect
import linecache
import os
import sys
import sysconfig
from types import TracebackType
from typing import Any

from mi_course.exercises.describe import describe, describe_call, shorten
from mi_course.exercises.expect import Wrong
from mi_course.exercises.snapshot import copy_of, first_change
from mi_course.exercises.time_limit import Clock, TimeIsUp


class NotAttempted(Exception):
    """The answer is still the stub that the chapter came with."""


class Attempt:
    """Calls the learner's function like ``attempt(weight, size=3)``.

    The function gets copies of the arguments. What goes wrong raises ``Wrong`` with a diagnosis: an
    exception (with the learner's line), a wrong number of arguments, a changed input, a forgotten
    ``return``. The time that the function takes is charged to the learner's seconds.

    function    the bare function, for a check that must pass it on (gradients flow through it)
    last_call   the latest call in words, as it stands on the card
    """

    def __init__(self, function: Any, name: str | None = None, clock: Clock | None = None) -> None:
        self.function = function
        self.name = name or "your answer"
        self.last_call: str | None = None
        self._clock = clock or Clock(float("inf"))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.last_call = describe_call(self.name, args, kwargs)
        self._expect_signature(args, kwargs)
        given, given_by_name = copy_of((args, kwargs))
        try:
            with self._clock.running():
                result = self.function(*given, **given_by_name)
        except (TimeIsUp, Wrong, NotAttempted):
            raise
        except BaseException as error:
            raise explain(error, self.name) from None
        self._expect_result(result)
        self._expect_untouched((args, kwargs), (given, given_by_name))
        return result

    def of(self, function: Any, name: str) -> Attempt:
        """An attempt at what the learner's code made, such as ``attempt.of(model, "your model")``."""
        if not callable(function):
            raise Wrong(f"`{name}` is {describe(function)}; expected something to call.")
        return Attempt(function, name, self._clock)

    def _expect_signature(self, args: tuple, kwargs: dict) -> None:
        try:
            signature = inspect.signature(self.function)
        except (TypeError, ValueError):
            return
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            wanted = len(args) + len(kwargs)
            raise Wrong(
                f"`{self.name}{_bare(signature)}` does not fit a call with "
                f"{wanted} argument{'' if wanted == 1 else 's'}: {error}. Keep the first line of the "
                "function as the notebook has it."
            ) from None

    def _expect_result(self, result: Any) -> None:
        if result is ...:
            raise NotAttempted
        if result is None:
            raise Wrong(f"`{self.name}` returned None. Did you forget `return`?")
        if inspect.iscoroutine(result):
            result.close()
            raise Wrong(f"`{self.name}` is an `async` function; write it with a plain `def`.")

    def _expect_untouched(self, before: tuple[tuple, dict], after: tuple[tuple, dict]) -> None:
        names = _argument_names(self.function, len(before[0]))
        pairs = list(zip(names, before[0], after[0]))
        pairs += [(name, before[1][name], after[1][name]) for name in before[1]]
        for name, old, new in pairs:
            change = first_change(old, new, f"`{name}`")
            if change:
                raise Wrong(
                    f"`{self.name}` changed its input: {change}. Whoever called it still needs that value. "
                    "Compute a new one: `x = x - 1` instead of `x -= 1`; work on `x.clone()` or on a copy."
                )


def _bare(signature: inspect.Signature) -> str:
    return "(" + ", ".join(signature.parameters) + ")"


def _argument_names(function: Any, count: int) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [names[i] if i < len(names) else f"argument {i + 1}" for i in range(count)]


def is_stub(answer: Any) -> bool:
    """Whether the answer is ``...`` or a function whose body does nothing."""
    if answer is ...:
        return True
    code = getattr(answer, "__code__", None)
    if not inspect.isfunction(answer) or code is None or code.co_names or inspect.isgeneratorfunction(answer):
        return False
    idle = {"RESUME", "NOP", "COPY_FREE_VARS", "LOAD_CONST", "POP_TOP", "RETURN_VALUE", "RETURN_CONST"}
    nothing = (None, ..., answer.__doc__)
    steps = list(dis.get_instructions(code))
    harmless = all(step.argval in nothing for step in steps if step.opname in ("LOAD_CONST", "RETURN_CONST"))
    return harmless and all(step.opname in idle for step in steps)


def explain(error: BaseException, name: str) -> Exception:
    """The diagnosis for an exception out of the learner's code; `NotAttempted` for an untouched stub."""
    line = _learners_line(error.__traceback__)
    if isinstance(error, NotImplementedError) and _innermost_is_learners(error.__traceback__):
        return NotAttempted()
    where = f", in {line}" if line else ""
    kind = type(error).__name__
    if isinstance(error, SystemExit):
        return Wrong(f"`{name}` tried to end Python (`exit`){where}. To end a function, use `return`.")
    if isinstance(error, RecursionError):
        return Wrong(f"`{name}` calls itself without end (RecursionError){where}.")
    if isinstance(error, MemoryError):
        return Wrong(f"`{name}` asked for more memory than there is (MemoryError){where}.")
    text = _message(error)
    return Wrong(f"`{name}` raised {kind}{': ' + text if text else ''}{where}.")


def comes_from_learner(error: BaseException) -> bool:
    """Whether a line of the learner's was being run when the error arose."""
    return any(_is_learners(frame) for frame, _ in _frames(error.__traceback__))


def _message(error: BaseException) -> str:
    try:
        return shorten(" ".join(str(error).split())).rstrip(".")
    except Exception:
        return ""


def _frames(traceback: TracebackType | None):
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _innermost_is_learners(traceback: TracebackType | None) -> bool:
    frames = list(_frames(traceback))
    return bool(frames) and _is_learners(frames[-1][0])


def _learners_line(traceback: TracebackType | None) -> str | None:
    found = [(frame, number) for frame, number in _frames(traceback) if _is_learners(frame)]
    if not found:
        return None
    frame, number = found[-1]
    source = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
    return f"line {number}: `{shorten(source, 100)}`" if source else f"line {number}"


_STANDARD_LIBRARY = os.path.realpath(sysconfig.get_paths()["stdlib"]) + os.sep


def _is_learners(frame: Any) -> bool:
    """Whether the code of this frame was written by the learner, not by us, Python or a library."""
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    if package == "mi_course" or package in sys.stdlib_module_names:
        return False
    filename = frame.f_code.co_filename
    if filename.startswith("<"):
        return filename.startswith(("<stdin>", "<string>", "<ipython-input", "<doctest"))
    installed = any(f"{os.sep}{folder}{os.sep}" in filename for folder in ("site-packages", "dist-packages"))
    return not installed and not os.path.realpath(filename).startswith(_STANDARD_LIBRARY)
