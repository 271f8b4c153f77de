import time

import pytest

from mi_course.exercises.captured_output import captured_output
from mi_course.exercises.time_limit import Clock, TimeIsUp, run


def endless(clock):
    def loop():
        with clock.running():
            while True:
                pass

    return loop


def test_a_value_and_an_error_come_back():
    assert run(lambda: 3, Clock(1)).value == 3
    assert isinstance(run(lambda: 1 / 0, Clock(1)).error, ZeroDivisionError)


def test_thirty_endless_loops_are_all_stopped(capsys):
    for _ in range(30):
        clock = Clock(0.0)
        ending = run(endless(clock), clock)
        assert ending.timed_out
        assert not ending.left_running
        assert isinstance(ending.error, TimeIsUp)
    assert capsys.readouterr().err == ""


def test_only_the_learners_time_is_charged():
    clock = Clock(0.05)

    def slow_check():
        time.sleep(0.3)
        return "done"

    assert run(slow_check, clock).value == "done"
    assert not clock.learner_used_it_up


def test_nested_calls_are_charged_once():
    clock = Clock(10)
    with clock.running(), clock.running():
        begun = time.process_time()
        while time.process_time() < begun + 0.2:
            pass
    assert 0.2 <= clock._used < 0.4


def test_waiting_is_charged_less_than_work():
    clock = Clock(10)
    with clock.running():
        time.sleep(0.3)
    assert 0.1 <= clock._used < 0.3


def test_an_interrupt_stops_the_code_and_goes_through(monkeypatch):
    clock = Clock(60)
    seen = []

    class Interrupting(Clock):
        @property
        def is_up(self):
            raise KeyboardInterrupt

    clock = Interrupting(60)

    def loop():
        try:
            while True:
                pass
        except BaseException as error:
            seen.append(type(error))
            raise

    with pytest.raises(KeyboardInterrupt), captured_output():
        run(loop, clock)
    assert seen == [TimeIsUp]
