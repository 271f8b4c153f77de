import pytest

from mi_course import cli
from mi_course.commands import classroom
from mi_course.exercises import registry, sharing


@pytest.fixture
def room(tmp_path, course_home, monkeypatch):
    monkeypatch.delenv("MI_COURSE_CLASSROOM", raising=False)
    monkeypatch.setattr(registry, "chapters", lambda: ("01",))
    (tmp_path / "room").mkdir()
    return tmp_path / "room"


def answer(name="Ada"):
    sharing.share(registry.find("01.normalize_filter"), "wrong", f"Not so, {name}.")


def test_a_learner_joins_answers_and_leaves_and_the_instructor_sees_it(room, capsys):
    assert cli.main(["classroom", str(room), "--join", "--name", "Ada"]) == 0
    said = capsys.readouterr().out
    assert "as Ada" in said
    assert "Not your code" in said
    answer()
    assert cli.main(["classroom", str(room)]) == 0
    table = capsys.readouterr().out
    assert table.startswith("Classroom: 1 learner, last result ")
    assert "01.normalize_filter" in table
    assert "Not so, Ada. (1)" in table
    assert cli.main(["classroom", "--leave"]) == 0
    assert "You have left" in capsys.readouterr().out
    assert cli.main(["classroom", "--leave"]) == 0
    assert "nothing is shared" in capsys.readouterr().out


def test_the_environment_names_the_folder_of_a_hub(room, capsys, monkeypatch):
    monkeypatch.setenv("MI_COURSE_CLASSROOM", str(room))
    assert cli.main(["classroom", "--join"]) == 0
    assert cli.main(["classroom", "--pseudonyms"]) == 0
    assert "Classroom: 1 learner, no results yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "Which classroom"), (["nowhere"], "cannot be read"), (["nowhere", "--join"], "not a folder"),
     (["nowhere", "--name", "Ada"], "--name goes with --join")],
    ids=["no folder", "not there", "join nowhere", "name alone"],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_words(room, capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(room)
    assert cli.main(["classroom", *arguments]) == 1
    assert said in capsys.readouterr().err


def test_watching_goes_on_when_the_folder_is_away_for_a_while(room, capsys, monkeypatch):
    away = room.with_name("away")
    steps = [lambda: room.rename(away), lambda: away.rename(room), lambda: None]

    def sleep(_):
        if not steps:
            raise KeyboardInterrupt
        steps.pop(0)()

    monkeypatch.setattr(classroom.time, "sleep", sleep)
    assert cli.main(["classroom", str(room), "--watch"]) == 130
    said = capsys.readouterr()
    assert said.out.count("Classroom: 0 learners") == 4
    assert said.err.count("cannot be read") == 1
    assert "\x1b" not in said.out
