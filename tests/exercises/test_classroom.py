import asyncio
import json
import os
import threading
from datetime import UTC, datetime, timedelta

import pytest

import mi_course as mc
from mi_course import appended_file, folders
from mi_course.errors import CourseError
from mi_course.exercises import classroom, classroom_view, registry, sharing
from mi_course.exercises.check import examine

pytestmark = pytest.mark.usefixtures("toy_chapter")
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files, or no such rights")


@pytest.fixture(autouse=True)
def room(tmp_path, monkeypatch):
    """An empty shared folder; a session that has shared nothing; a course of one chapter."""
    monkeypatch.setattr(sharing, "_post", sharing._Post())
    monkeypatch.setattr(sharing, "_warned", set())
    monkeypatch.setattr(registry, "chapters", lambda: ("98",))
    folder = tmp_path / "room"
    folder.mkdir()
    return folder


def entry(minutes_ago=0, who="Ada", id="98.seven", status="wrong", hints=0, diagnosis="Too few.", **more):
    time = (NOW - timedelta(minutes=minutes_ago)).isoformat()
    fields = {
        "event": "attempt",
        "who": who,
        "id": id,
        "status": status,
        "hints": hints,
        "diagnosis": diagnosis,
    }
    return {**fields, "time": time, **more}


def write(room, *entries, name="learner-1.jsonl", mode="a"):
    with open(room / name, mode, encoding="ascii") as file:
        file.writelines(f"\n{json.dumps(line)}\n" for line in entries)


def read(room, **options):
    return classroom.read(room, now=NOW, **options)


def the_only(view):
    (standing,) = view.standings
    return standing


def shared(room):
    lines = [line for file in room.glob("*.jsonl") for line in file.read_text(encoding="ascii").split("\n")]
    return [json.loads(line) for line in lines if line]


# The learner's side


def test_nothing_is_shared_before_the_learner_joins(room, monkeypatch):
    monkeypatch.setenv("MI_COURSE_CLASSROOM", str(room))
    mc.exercise("98.seven", 8)
    assert list(room.iterdir()) == []


def test_who_has_joined_shares_right_and_wrong_answers_and_the_hints_seen(room):
    sharing.join(room, "Ada")
    mc.exercise("98.seven", 8)
    mc.hint("98.seven")
    mc.exercise("98.seven", 7)
    joined, wrong, right = shared(room)
    assert joined["event"] == "joined"
    assert (wrong["who"], wrong["id"], wrong["status"], wrong["hints"]) == ("Ada", "98.seven", "wrong", 0)
    assert wrong["diagnosis"] == "Your result is not right."
    assert (right["status"], right["hints"]) == ("right", 1)
    assert "diagnosis" not in right
    assert right["time"].endswith("+00:00")


def test_what_is_not_an_answer_is_not_shared(room):
    def double(x):
        raise NotImplementedError("Your turn.")

    sharing.join(room, "Ada")
    mc.exercise("98.double", double)
    mc.exercise("98.our_mistake", 1)
    assert [line["event"] for line in shared(room)] == ["joined"]


def secretive(x):
    raise ValueError("my secret message")


def own_error(x):
    class MySecretError(Exception):
        pass

    raise MySecretError(x)


def leaves(x):
    secret_name = exit
    secret_name("secret")


def endless(x):
    return endless(x)  # my secret remark. And another one


def secret_parameter(x, secret):
    return 2 * x


def changes(secret):
    secret += 1
    return secret


def secret_function(x):
    x = x + 1


async def secret_async(x):
    return x


@pytest.mark.parametrize(
    ("id", "answer", "expected"),
    [
        ("98.double", secretive, "The code raised ValueError."),
        ("98.double", own_error, "The code raised an error of its own."),
        ("98.double", leaves, "The code tried to end Python (`exit`)."),
        ("98.double", endless, "The code calls itself without end (RecursionError)."),
        ("98.double", secret_parameter, "The code does not fit a call with 1 argument."),
        ("98.double", changes, "The code changed its input."),
        ("98.double", secret_function, "The code returned None."),
        ("98.double", secret_async, "The code is an `async` function; write it with a plain `def`."),
        ("98.seven", "def secret(): pass. And so on", None),
    ],
    ids=["message", "own error", "exit", "recursion", "signature", "input", "none", "async", "text"],
)
def test_nothing_of_the_learners_code_leaves(room, id, answer, expected):
    sharing.join(room, "Ada")
    task = registry.find(id)
    assert examine(task, answer).status == "wrong"
    mc.exercise(id, answer)
    line = shared(room)[-1]
    assert "secret" not in json.dumps(line)
    assert expected is None or line["diagnosis"] == expected


@pytest.mark.parametrize(
    ("diagnosis", "shared"),
    [
        ("You wrote 'x = 1. It's so'. Spell it as the table does.", "You wrote '…'."),
        ("""You wrote "it's. mine". Spell it.""", "You wrote '…'."),
        ("'def f' is no kind of damage; there are: a, b.", "'…' is no kind of damage; there are: a, b."),
        (
            "That's a layer's own stride, and the layers' kernels. More.",
            "That's a layer's own stride, and the layers' kernels.",
        ),
        ('"L1 MLP" is layer 1\'s MLP. More.', '"L1 MLP" is layer 1\'s MLP.'),
        ("Yours is 3.5. Divide by 4.", "Yours is 3.5."),
        ("Did the cell run? It did not.", "Did the cell run?"),
        ("`z` has shape 3×4; expected 4×3.", "`z` has shape 3×4; expected 4×3."),
    ],
    ids=[
        "text",
        "apostrophe",
        "at the start",
        "prose",
        "double quotes",
        "number",
        "question",
        "code of the course",
    ],
)
def test_the_first_sentence_keeps_the_courses_words_and_drops_the_learners(diagnosis, shared):
    assert sharing.first_sentence(diagnosis) == shared


def test_the_name_of_a_file_says_nothing_about_the_learner_and_joining_again_keeps_the_file(room):
    first = sharing.join(room, "Ada")
    again = sharing.join(room, "Ada L.")
    assert first.file == again.file
    assert "ada" not in first.file.name.lower()
    assert read(room).learners == 1


def test_without_a_name_one_is_made_up_and_a_name_cannot_steer_the_screen(room):
    assert sharing.join(room).name.startswith("learner ")
    assert sharing.join(room, "A\x1b[31mda\n\u202ex" + "y" * 100).name == ("A [31mda x" + "y" * 100)[:40]


def test_who_has_left_shares_nothing_more(room):
    sharing.join(room, "Ada")
    assert sharing.leave().folder == room
    mc.exercise("98.seven", 7)
    assert len(shared(room)) == 1
    assert sharing.leave() is None


def test_joining_a_folder_that_is_not_there_says_so_and_changes_nothing(room):
    with pytest.raises(CourseError, match="not a folder"):
        sharing.join(room / "nowhere", "Ada")
    assert not (room / "nowhere").exists()
    assert sharing.membership() is None


@pytest.mark.parametrize("damage", ["", "[1]", '{"folder": 3}', '{"folder": "x", "name": "y", "id": "../z"}'])
def test_a_damaged_membership_is_none(room, home, damage):
    home.mkdir(exist_ok=True)
    folders.membership_file().write_text(damage)
    assert mc.exercise("98.seven", 7) == 7
    assert sharing.membership() is None


def test_a_vanished_folder_is_spoken_of_once_and_gets_what_it_missed_when_it_is_back(room, capsys):
    sharing.join(room, "Ada")
    away = room.with_name("away")
    room.rename(away)
    mc.exercise("98.seven", 8)
    assert mc.exercise("98.seven", 7) == 7
    assert capsys.readouterr().out.count("do not reach the classroom") == 1
    assert not room.exists()
    away.rename(room)
    mc.exercise("98.double", secretive)
    assert [line.get("status") for line in shared(room)] == [None, "wrong", "right", "wrong"]


def test_a_full_folder_is_spoken_of_once_and_is_never_fatal(room, monkeypatch, capsys):
    sharing.join(room, "Ada")
    monkeypatch.setattr(appended_file.os, "write", lambda *_: 0)
    monkeypatch.setattr("mi_course.exercises.journal.append_line", lambda *_: None)
    for answer in (8, 7):
        mc.exercise("98.seven", answer)
    said = capsys.readouterr().out
    assert said.count("the disk is full") == 1
    assert "98.seven · Seven: right" in said


def test_a_folder_that_does_not_answer_keeps_the_notebook_waiting_only_once(room, monkeypatch, capsys):
    sharing.join(room, "Ada")
    answers, asked, append = threading.Event(), [], sharing._append

    def hangs(path, line):
        asked.append(path)
        answers.wait(20)
        append(path, line)

    monkeypatch.setattr(sharing, "_append", hangs)
    monkeypatch.setattr(sharing, "PATIENCE", 0.02)
    for answer in (8, 7, 8):
        mc.exercise("98.seven", answer)
    assert capsys.readouterr().out.count("does not answer") == 1
    assert len(asked) == 1
    answers.set()
    sharing._post._messenger.join(20)
    assert [line.get("status") for line in shared(room)] == [None, "wrong", "right", "wrong"]


@posix_only
def test_a_link_in_the_way_of_the_learners_file_is_not_written_through(room, tmp_path, capsys):
    member = sharing.join(room, "Ada")
    target = tmp_path / "target"
    target.write_text("precious")
    member.file.unlink()
    member.file.symlink_to(target)
    mc.exercise("98.seven", 7)
    assert target.read_text() == "precious"
    assert "do not reach the classroom" in capsys.readouterr().out


# The instructor's side


def test_an_empty_room_has_nobody_in_it(room):
    view = read(room)
    assert (view.learners, view.standings, view.troubles) == (0, (), ())
    assert "no results yet" in repr(view)


def test_each_learner_counts_once_as_solved_or_as_tried(room):
    write(room, entry(3), entry(2), entry(1, status="right"), entry(0), name="learner-1.jsonl")
    write(room, entry(1), name="learner-2.jsonl")
    write(room, entry(1, status="right"), name="learner-3.jsonl")
    standing = the_only(read(room))
    assert (standing.solved, standing.tried, standing.stuck) == (2, 1, ())


@pytest.mark.parametrize(
    ("minutes", "statuses", "stuck"),
    [
        ((9, 8, 7), "www", True),
        ((5, 1, 0), "www", True),
        ((4, 1, 0), "www", False),
        ((9, 8), "ww", False),
        ((9, 8, 7, 6), "wwwr", False),
        ((9, 8, 7, 6), "rwww", False),
    ],
    ids=["stuck", "just", "not yet", "two", "solved since", "solved before"],
)
def test_stuck_is_who_has_three_wrong_answers_none_right_and_some_minutes(room, minutes, statuses, stuck):
    names = {"w": "wrong", "r": "right"}
    write(room, *(entry(ago, status=names[s], hints=1) for ago, s in zip(minutes, statuses)))
    found = the_only(read(room)).stuck
    expected = (classroom.Stuck("Ada", len(minutes), 1, minutes[0]),) if stuck else ()
    assert found == expected
    assert (f"Ada ({len(minutes)} wrong, 1 hint, {minutes[0]} min)" in repr(read(room))) == stuck


def test_the_commonest_diagnosis_is_the_one_of_most_learners_whatever_its_numbers(room):
    write(room, *[entry(diagnosis="Too few.")] * 5, name="learner-1.jsonl")
    for number, text in enumerate(("Yours is 3.5.", "Yours is -2.", "Yours is -2."), start=2):
        write(room, entry(diagnosis=text), name=f"learner-{number}.jsonl")
    standing = the_only(read(room))
    assert (standing.diagnosis, standing.diagnosed) == ("Yours is -2.", 3)


def test_a_clock_that_is_ahead_makes_nobody_stuck_and_the_last_result_no_later_than_now(room):
    write(room, *(entry(ago) for ago in (-60, -61, -62)))
    view = read(room)
    assert the_only(view).stuck == ()
    assert view.latest == NOW


def test_exercises_come_in_the_order_of_the_course(room):
    write(room, entry(id="98.table"), entry(id="98.double"), entry(id="98.seven"))
    assert [standing.exercise.id for standing in read(room).standings] == [
        "98.double",
        "98.seven",
        "98.table",
    ]


def test_pseudonyms_replace_every_name_and_stay_the_same(room):
    write(room, *(entry(ago) for ago in (9, 8, 7)))
    write(room, *(entry(ago, who="Bert") for ago in (9, 8, 7)), name="learner-2.jsonl")
    before = [one.name for one in the_only(read(room, pseudonyms=True)).stuck]
    write(room, entry(9, who="Newcomer"), name="learner-0.jsonl")
    view = read(room, pseudonyms=True)
    assert [one.name for one in the_only(view).stuck] == before
    assert len(set(before)) == 2
    for text in (repr(view), view._repr_html_()):
        assert not any(name in text for name in ("Ada", "Bert", "Newcomer"))


def test_a_second_look_reads_only_what_was_added_and_says_the_same_as_a_first(room):
    own = classroom.Room(room)
    write(room, entry(9), entry(8))
    own.read(now=NOW)
    file = next(iter(own._files.values()))
    reads, added = [], file._added
    file._added = lambda: reads.append(added()) or reads[-1]
    write(room, entry(7, who="Ada L."))
    assert own.read(now=NOW) == read(room)
    assert own.read(now=NOW) == read(room)
    assert [len(part.split()) > 0 for part in reads] == [True, False]
    assert b"Ada L." in reads[0]
    assert reads[0].count(b"attempt") == 1


def test_a_line_that_is_still_on_its_way_counts_when_it_is_whole(room):
    own = classroom.Room(room)
    line = json.dumps(entry(status="right")) + "\n"
    with open(room / "learner-1.jsonl", "w") as file:
        file.write(line[:30])
        file.flush()
        assert own.read(now=NOW).standings == ()
        file.write(line[30:])
    view = own.read(now=NOW)
    assert (the_only(view).solved, view.troubles) == (1, ())


def test_a_file_that_was_replaced_or_taken_away_is_forgotten(room):
    own = classroom.Room(room)
    write(room, entry(), entry(status="right"))
    assert the_only(own.read(now=NOW)).solved == 1
    write(room, entry(), mode="w")
    assert the_only(own.read(now=NOW)).solved == 0
    (room / "learner-1.jsonl").unlink()
    assert own.read(now=NOW).learners == 0


LINE = json.dumps(entry())


@pytest.mark.parametrize(
    "damage",
    [b"not json", b"\xff\xfe\x00\x80", b"\0" * 500, b"[1, 2]", b"7", b"null", b"[" * 3000, b"9" * 3900, b"{}",
     b'{"who": "' + b"x" * 5000 + b'"}', LINE.replace('"Ada"', "3").encode(), LINE.replace('"98.seven"', "[]").encode(),
     LINE.replace('"hints": 0', '"hints": 1e999').encode(), LINE.replace('"Too few."', "{}").encode(),
     LINE.replace('"wrong"', '"perfect"').encode(), LINE.replace("2026-05", "yesterday").encode(),
     LINE.replace("2026-05-04T12:00:00+00:00", "0001-01-01T00:00:00").encode(),
     LINE.replace("2026-05-04T12:00:00", "9999-12-31T23:59:59").replace("+00:00", "-23:59").encode(),
     LINE.replace("2026", "0001").encode(),
     LINE.replace("98.seven", "98.none").encode(), LINE.replace('"attempt"', "null").encode(), LINE[:50].encode()],
    ids=["words", "not utf-8", "zeros", "list", "number", "null", "deep", "huge number", "empty", "long line",
         "name", "id", "hints", "diagnosis", "status", "time", "no zone", "year 9999", "year 1",
         "unknown exercise", "event", "torn"],
)  # fmt: skip
def test_a_damaged_line_is_reported_by_its_file_and_the_others_count(room, damage):
    write(room, entry())
    with open(room / "learner-1.jsonl", "ab") as file:
        file.write(b"\n" + damage + b"\n")
    write(room, entry(status="right"))
    view = read(room)
    assert (the_only(view).solved, view.learners) == (1, 1)
    (trouble,) = view.troubles
    assert trouble.startswith("learner-1.jsonl: 1 line is ")


def enormous(path):
    with open(path, "wb") as file:
        file.truncate(5_000_000_000)


def without_rights(path):
    path.write_text(LINE + "\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")


def link_out(path):
    outside = path.parent.with_name("outside.jsonl")
    outside.write_text(json.dumps(entry(who="Outsider")) + "\n")
    path.symlink_to(outside)


@posix_only
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (enormous, "larger than 2 MB"),
        (link_out, "a link"),
        (lambda path: path.symlink_to(path), "a link"),
        (lambda path: path.symlink_to("/dev/zero"), "a link"),
        (lambda path: os.mkfifo(path), "not an ordinary file"),
        (lambda path: path.mkdir(), "not an ordinary file"),
        (without_rights, "Permission denied"),
    ],
    ids=["enormous", "link out", "link to itself", "link to a device", "pipe", "folder", "no rights"],
)
def test_a_file_that_is_none_is_named_and_left_alone(room, make, why):
    write(room, entry(status="right"))
    make(room / "learner-2.jsonl")
    view = read(room)
    assert (view.learners, the_only(view).solved) == (1, 1)
    (trouble,) = view.troubles
    assert trouble.startswith("learner-2.jsonl: not read: ")
    assert why in trouble


@posix_only
def test_a_file_that_turns_into_a_pipe_between_two_looks_holds_nothing_up(room, monkeypatch):
    write(room, entry(status="right"))
    path = room / "learner-1.jsonl"
    ordinary = os.lstat(path)
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(classroom.os, "lstat", lambda _: ordinary)
    assert "not an ordinary file" in read(room).troubles[0]


def test_other_files_in_the_folder_are_none_of_its_business(room):
    (room / "notes.txt").write_text("Room 3")
    (room / ".hidden.jsonl").write_text("x")
    assert read(room).troubles == ()


def test_more_files_than_a_room_has_learners_are_reported(room, monkeypatch):
    monkeypatch.setattr(classroom, "MOST_LEARNERS", 2)
    for number in range(3):
        write(room, entry(), name=f"learner-{number}.jsonl")
    view = read(room)
    assert view.learners == 2
    assert "more files than a classroom" in view.troubles[0]


@posix_only
def test_names_files_and_diagnoses_cannot_steer_a_terminal_or_a_page(room):
    evil = "\x1b]0;x\x07\x9b31m<script>alert(1)</script>\u202e\r\n\x08"
    write(room, *(entry(ago, who=evil, diagnosis=evil) for ago in (9, 8, 7)), name="\x1b[2J<b>\n.jsonl")
    write(room, {"not": "ours"}, name="\x1b[2J<b>\n.jsonl")
    view = read(room)
    assert all(sign.isprintable() or sign == "\n" for sign in repr(view))
    assert repr(view).count("\n") == len(repr(view).split("\n")) - 1 == 8
    page = view._repr_html_()
    assert page.count('<th scope="row"') == len(view.standings)
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page


def test_the_table_fits_a_narrow_terminal(room):
    write(room, entry(diagnosis="word " * 60))
    assert max(map(len, classroom.read(room).text(80).split("\n"))) <= 80


def test_a_folder_that_is_not_there_is_an_error_in_words(room):
    with pytest.raises(CourseError, match="cannot be read"):
        classroom.read(room / "nowhere")


def test_what_learners_share_is_what_the_instructor_reads(room):
    sharing.join(room, "Ada")
    mc.exercise("98.seven", 8)
    mc.exercise("98.double", lambda x: 2 * x)
    view = classroom.read(room)
    assert (view.learners, view.troubles) == (1, ())
    assert [(row.exercise.id, row.solved, row.tried) for row in view.standings] == [
        ("98.double", 1, 0),
        ("98.seven", 0, 1),
    ]
    assert view.latest is not None


# The same in a notebook


def test_the_view_follows_the_room_until_it_is_told_not_to(room, monkeypatch):
    monkeypatch.setattr(classroom_view, "SECONDS", 0.001)

    async def session():
        view = classroom_view.watch(room)
        _style, controls, status, table = view.children
        live, made_up = controls.children
        assert "0 learners" in table.value
        write(room, *(entry(ago) for ago in (9, 8, 7)))
        await until(lambda: "1 learner," in table.value)
        assert "Ada (3 wrong" in table.value
        made_up.value = True
        assert "Ada" not in table.value
        away = room.with_name("away")
        room.rename(away)
        await until(lambda: "cannot be read" in status.value)
        assert "1 learner," in table.value
        away.rename(room)
        await until(lambda: status.value == "")
        live.value = False
        await asyncio.sleep(0.01)
        write(room, entry(), name="learner-2.jsonl")
        await asyncio.sleep(0.01)
        assert "1 learner," in table.value
        first = classroom_view._following
        classroom_view.watch(room)
        await until(first.cancelled)
        classroom_view._following.cancel()

    asyncio.run(session())


async def until(condition):
    for _ in range(5000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never happened")
