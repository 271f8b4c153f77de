import random
import sys
import threading
import time

import numpy as np
import pytest
import torch

import mi_course as mc
from mi_course import errors
from mi_course.exercises import journal, registry
from mi_course.exercises.check import _own_randomness, examine

pytestmark = pytest.mark.usefixtures("toy_chapter")


def judged(id, answer):
    return examine(registry.find(id), answer)


def diagnosis(id, answer):
    verdict = judged(id, answer)
    assert verdict.status == "wrong", verdict
    return verdict.words


def test_a_right_function_is_handed_back(capsys):
    def mine(x):
        return x + x

    assert mc.exercise("98.double", mine) is mine
    assert capsys.readouterr().out == "✅ 98.double · Double <it>: right\nDoubling keeps the shape.\n"


def test_a_wrong_function_is_replaced_by_the_reference(capsys):
    usable = mc.exercise("98.double", lambda x: 3 * x)
    assert usable(torch.tensor(2.0)) == 4
    shown = capsys.readouterr().out
    assert shown.startswith("❌ 98.double")
    assert "Every value is 1.5 times what it should be." in shown
    assert "at [1, 2]: yours is 15, expected 10" in shown
    assert "`double(tensor[2×3])`" in shown
    assert "reference solution stands in" in shown
    assert 'mc.hint("98.double")' in shown


def test_the_card_is_the_same_every_time(capsys):
    shown = set()
    for _ in range(2):
        mc.exercise("98.double", lambda x: object())
        shown.add(capsys.readouterr().out)
    assert len(shown) == 1
    assert "0x" not in shown.pop()


def test_a_right_value_is_handed_back_and_a_wrong_one_replaced():
    assert mc.exercise("98.seven", 7) == 7
    assert mc.exercise("98.seven", 8) == 7
    assert mc.exercise("98.late", "wrong") == 7


def test_the_reference_value_is_a_fresh_copy():
    first = mc.exercise("98.table", "wrong")
    first.append(3.0)
    assert mc.exercise("98.table", "wrong") == [1.0, 2.0]


def test_a_value_that_gives_the_answer_away_is_not_shown():
    assert diagnosis("98.seven", 20) == "Your result is not right. Yours is 20."


def test_an_unknown_id_offers_the_nearest():
    with pytest.raises(errors.UnknownName, match=r"98\.double"):
        mc.exercise("98.duoble", 1)


def test_a_stub_is_not_attempted(capsys):
    def raises(x):
        """A task."""
        raise NotImplementedError("Your turn.")

    def dots(x):
        """A task."""
        ...

    def empty(x):
        pass

    for stub in (raises, dots, empty, ..., lambda x: ...):
        assert judged("98.double", stub).status == "untouched"
    assert judged("98.seven", ...).status == "untouched"
    mc.exercise("98.double", raises)
    assert capsys.readouterr().out.startswith("⬜ 98.double · Double <it>: not attempted yet (●○○, 3 min)")


def test_a_missing_feature_of_torch_is_not_taken_for_a_stub():
    def unfinished(x):
        return torch.nn.Module()(x)

    assert "NotImplementedError" in diagnosis("98.double", unfinished)


def test_an_exception_is_reported_with_the_learners_line():
    def divides(x):
        y = 0
        return 1 / y

    words = diagnosis("98.double", divides)
    assert "`divides` raised ZeroDivisionError: division by zero, in line " in words
    assert "`return 1 / y`" in words


def test_the_learners_line_is_named_when_torch_raises():
    def reshapes(x):
        return x.reshape(5, 5)

    assert "`return x.reshape(5, 5)`" in diagnosis("98.double", reshapes)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SystemExit(3), "end Python"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit(), "GeneratorExit"),
    ],
)
def test_exceptions_that_end_programs_do_not_end_the_notebook(error, words):
    def escapes(x):
        raise error

    assert words in diagnosis("98.double", escapes)


def test_endless_recursion_is_reported():
    def again(x):
        return again(x)

    assert "calls itself without end" in diagnosis("98.double", again)


def test_an_exception_that_cannot_be_shown_is_reported():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    def mute(x):
        raise Mute

    assert "raised Mute, in line" in diagnosis("98.double", mute)


def test_an_endless_loop_is_stopped():
    def loops(x):
        while True:
            pass

    begun = time.monotonic()
    assert "still running after 0.5 seconds and was stopped" in diagnosis("98.double", loops)
    assert time.monotonic() - begun < 5


def test_a_loop_that_swallows_exceptions_is_stopped():
    def swallows(x):
        while True:
            try:
                sum(range(100))
            except Exception:
                x = x + 1

    def swallows_everything(x):
        while True:
            try:
                sum(range(100))
            except BaseException:
                x = x + 1

    assert "was stopped" in diagnosis("98.double", swallows)
    assert "still running" in diagnosis("98.double", swallows_everything)
    for thread in [thread for thread in threading.enumerate() if thread.name == "exercise"]:
        thread.join(60)
        assert not thread.is_alive()


def test_a_result_that_comes_after_the_time_is_up_does_not_count():
    def late(x):
        try:
            while True:
                pass
        except BaseException:
            return 2 * x

    assert "was stopped" in diagnosis("98.double", late)


def test_a_call_that_cannot_be_interrupted_is_left_behind(monkeypatch):
    monkeypatch.setattr("mi_course.exercises.time_limit.GRACE", 0.2)

    def sleeps(x):
        time.sleep(4)

    assert "could not be stopped" in diagnosis("98.double", sleeps)
    left = [thread for thread in threading.enumerate() if thread.name == "exercise"]
    assert all(thread.daemon for thread in left)
    for thread in left:
        thread.join(10)
        assert not thread.is_alive()


def test_prints_are_shown_only_when_the_answer_is_wrong(capsys):
    def chatty(x):
        print("<b>size</b>", tuple(x.shape))
        print("careful", file=sys.stderr)
        return 2 * x

    mc.exercise("98.double", chatty)
    assert "size" not in capsys.readouterr().out
    mc.exercise("98.double", lambda x: chatty(x) + 1)
    shown = capsys.readouterr()
    assert "Your code printed:\n  | <b>size</b> (2, 3)\n  | careful" in shown.out
    assert shown.err == ""


def test_an_endless_print_is_cut():
    def prints(x):
        while True:
            print("x" * 10_000)

    verdict = judged("98.double", prints)
    assert len(verdict.printed) < 1200
    assert verdict.printed.endswith("(and more)")


def test_output_works_after_a_check_as_before(capsys):
    judged("98.double", lambda x: sys.stdout.close())
    print("still here")
    assert "still here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: print(x), "Did you forget `return`"),
        (lambda: 0, "does not fit a call with 1 argument"),
        (lambda x, y: 0, "missing a required argument: 'y'"),
        (3, "not a function"),
        (None, "not a function"),
        (torch.zeros(2), "a torch tensor of shape (2,)"),
        (lambda x: 2 * x.numpy(), "numpy array"),
        (lambda x: (yield x), "a generator"),
        (lambda x: "wrong", "the text 'wrong'"),
    ],
)
def test_answers_of_the_wrong_kind_are_named(answer, words):
    assert words in diagnosis("98.double", answer)


def test_an_async_function_is_named():
    async def waits(x):
        return x

    assert "async" in diagnosis("98.double", waits)


def test_a_function_where_a_value_is_asked_for_is_named():
    assert "Call the function" in diagnosis("98.seven", lambda: 7)
    assert "None" in diagnosis("98.seven", None)


def test_a_changed_input_is_reported():
    def in_place(x):
        x *= 2
        return x

    assert "`in_place` changed its input: the values of `x`" in diagnosis("98.double", in_place)


def test_a_mistake_in_a_method_of_the_learners_class_is_the_learners():
    class Broken:
        def __init__(self, factor):
            self.factor = factor

        def __call__(self, x):
            return x * self.facter

    class Stub:
        def __init__(self, factor):
            raise NotImplementedError

    assert "facter" in diagnosis("98.class", Broken)
    assert judged("98.class", Stub).status == "untouched"
    assert "expected something to call" in diagnosis("98.class", lambda factor: 3)


def test_a_value_whose_methods_fail_is_the_learners_mistake():
    class Trap:
        def __array__(self, *args, **kwargs):
            raise KeyError("trap")

        def __len__(self):
            raise KeyError("trap")

    assert judged("98.seven", Trap()).status == "wrong"


def test_a_mistake_in_a_check_is_not_blamed_on_the_learner(capsys):
    assert mc.exercise("98.our_mistake", 5) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("⚠️ 98.our_mistake")
    assert "mistake in the course, not in your answer" in shown
    assert "ZeroDivisionError" in shown
    assert isinstance(judged("98.our_mistake", 5).error, ZeroDivisionError)


def test_a_check_that_hangs_is_not_blamed_on_the_learner(monkeypatch):
    monkeypatch.setattr("mi_course.exercises.time_limit.PATIENCE", 0.5)
    assert judged("98.our_loop", 5).status == "broken"


def test_a_check_leaves_the_notebooks_random_numbers_alone():
    def draws(x):
        return x * np.random.rand() + torch.rand(())

    def next_numbers():
        return np.random.rand(), torch.rand(()).item()

    np.random.seed(5), torch.manual_seed(5)
    expected = next_numbers()
    np.random.seed(5), torch.manual_seed(5)
    first = diagnosis("98.double", draws)
    assert next_numbers() == expected
    assert diagnosis("98.double", draws) == first
    # Alone, because beartype draws from Python's generator wherever it checks a list.
    before = random.getstate()
    with _own_randomness():
        random.random()
    assert random.getstate() == before


def test_each_attempt_is_recorded():
    mc.exercise("98.seven", 8)
    mc.exercise("98.seven", 7)
    mc.exercise("98.seven", ...)
    attempts = [(entry["id"], entry["status"]) for entry in journal.events()]
    assert attempts == [("98.seven", "wrong"), ("98.seven", "right"), ("98.seven", "untouched")]
    assert journal.events()[0]["diagnosis"] == "Your result is not right. Yours is 8."


def test_text_that_is_not_unicode_is_shown_and_recorded(capsys):
    def odd(x):
        raise ValueError("\ud800 \x1b[31mred\x00")

    mc.exercise("98.double", odd)
    assert "red" in capsys.readouterr().out
    assert journal.events()[0]["status"] == "wrong"
