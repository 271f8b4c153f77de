import pytest

import mi_course as mc
from mi_course import errors
from mi_course.exercises import journal

pytestmark = pytest.mark.usefixtures("toy_chapter")


def test_hints_come_one_at_a_time_and_stay(capsys):
    mc.hint("98.double")
    first = capsys.readouterr().out
    assert "Hint 1 of 2: Think of two." in first
    assert "Multiply" not in first
    assert 'mc.hint("98.double")' in first
    mc.hint("98.double")
    second = capsys.readouterr().out
    assert "Hint 1 of 2: Think of two.\nHint 2 of 2: Multiply by `2`." in second
    assert "solved notebook" in second


def test_again_shows_what_was_seen_and_nothing_new(capsys):
    mc.hint("98.double", again=True)
    assert "No hint revealed yet" in capsys.readouterr().out
    mc.hint("98.double")
    mc.hint("98.double", again=True)
    assert "Multiply" not in capsys.readouterr().out


def test_after_the_last_hint_nothing_more_is_recorded():
    for _ in range(5):
        mc.hint("98.double")
    assert [entry["number"] for entry in journal.events()] == [1, 2]


def test_hints_that_a_shorter_version_no_longer_has_are_no_problem(capsys):
    journal.record("hint", id="98.double", number=9)
    mc.hint("98.double")
    assert "Hint 2 of 2" in capsys.readouterr().out


def test_an_unknown_exercise_offers_the_nearest():
    with pytest.raises(errors.UnknownName, match=r"98\.double"):
        mc.hint("98.dbl")
