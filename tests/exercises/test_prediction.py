import pytest

import mi_course as mc
from mi_course import errors
from mi_course.exercises import journal

OPTIONS = ["mostly edges", "mostly noise"]


def ask(choice=None):
    mc.predict("98.filters", "What are they?", OPTIONS, choice=choice)


def test_a_question_says_how_to_commit(capsys):
    ask()
    assert capsys.readouterr().out == (
        "🤔 What are they?\n  0: mostly edges\n  1: mostly noise\n"
        'Commit to one before you go on: mc.predict("98.filters", …, choice=0) takes the first.\n'
    )
    assert mc.prediction("98.filters") is None


@pytest.mark.parametrize("choice", [1, "mostly noise"])
def test_a_choice_is_recorded_by_number_or_text(choice, capsys):
    ask(choice)
    assert "You predicted: mostly noise" in capsys.readouterr().out
    assert mc.prediction("98.filters") == "mostly noise"
    ask()
    assert "You predicted: mostly noise" in capsys.readouterr().out


def test_the_reveal_compares(capsys):
    ask(0)
    mc.reveal("98.filters", "mostly edges")
    assert "As you predicted" in capsys.readouterr().out
    mc.reveal("98.filters", 1)
    shown = capsys.readouterr().out
    assert "You predicted: mostly edges\nThe experiment says: mostly noise" in shown


def test_no_prediction_is_said_and_does_no_harm(capsys):
    ask()
    mc.reveal("98.filters", 0)
    assert "You made no prediction. The experiment says: mostly edges" in capsys.readouterr().out


def test_the_reveal_tells_who_says_so(capsys):
    ask(0)
    mc.reveal("98.filters", 0, source="The paper")
    assert "The paper says: mostly edges" in capsys.readouterr().out


def test_a_prediction_may_change_before_the_reveal_and_not_after(capsys):
    ask(0)
    ask(1)
    assert mc.prediction("98.filters") == "mostly noise"
    mc.reveal("98.filters", 0)
    capsys.readouterr()
    ask(0)
    assert "stays as it is" in capsys.readouterr().out
    assert mc.prediction("98.filters") == "mostly noise"


def test_a_prediction_made_after_the_reveal_is_marked(capsys):
    ask()
    mc.reveal("98.filters", 0)
    ask(0)
    mc.reveal("98.filters", 0)
    assert "You predicted (after the result had been shown): mostly edges" in capsys.readouterr().out


def test_repeating_a_choice_records_nothing_new():
    ask(0)
    ask(0)
    assert len(journal.events()) == 1


def test_a_choice_that_is_no_option_is_refused():
    with pytest.raises(errors.UnknownName, match="mostly edges"):
        ask("mostly edge")
    with pytest.raises(ValueError, match="numbered 0 to 1"):
        ask(2)
    with pytest.raises(ValueError, match="two or more different options"):
        mc.predict("98.filters", "?", ["a", "a"])
    assert mc.prediction("98.filters") is None


def test_a_revealed_answer_must_be_an_option():
    ask()
    with pytest.raises(errors.UnknownName, match="option"):
        mc.reveal("98.filters", "something else")
    with pytest.raises(ValueError, match="Run the cell"):
        mc.reveal("98.never_asked", 0)


def test_a_prediction_survives_a_question_that_changed_its_options(capsys):
    ask(0)
    capsys.readouterr()
    mc.predict("98.filters", "What are they now?", ["a", "b"])
    assert "You predicted" not in capsys.readouterr().out
    mc.predict("98.filters", "What are they now?", ["a", "b"], choice="b")
    assert mc.prediction("98.filters") == "b"
