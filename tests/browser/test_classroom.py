"""The instructor's room in a notebook: it follows what learners do, hides names, and bears hostile files."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from mi_course.exercises.classroom import STUCK_MINUTES, STUCK_WRONG
from mi_course.exercises.classroom_view import SECONDS
from tests.browser.contrast import too_faint

pytestmark = pytest.mark.browser

CELLS = [
    """from pathlib import Path

import mi_course as mc
from mi_course.exercises import sharing
from mi_course.exercises.classroom_view import watch

room = Path("room")
room.mkdir()
sharing.join(room, "Ada")""",
    "watch(room)",
    'mc.exercise("00.count_ink", lambda image: int((image > 0.5).sum()))',
    'mc.exercise("00.count_ink", lambda image: int((image >= 0.5).sum()))',
    "sharing.leave()",
]
VIEW = 1
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def view(opened, browser):
    assert opened.failures() == []
    return opened.outputs().nth(VIEW)


@pytest.fixture
def room(lab):
    return lab.folder / "room"


def is_stuck(name):
    """The lines of a learner who has been wrong often enough and long enough."""
    time = datetime.now(UTC) - timedelta(minutes=STUCK_MINUTES + 5)
    entry = {"event": "attempt", "who": name, "id": "00.right_gap", "status": "wrong", "hints": 1}
    entry |= {"diagnosis": "One column too many.", "time": time.isoformat()}
    return f"\n{json.dumps(entry)}\n" * STUCK_WRONG


def row(view, id):
    return view.locator("tbody tr", has_text=id)


def test_what_a_learner_did_shows_up_by_itself(view):
    row(view, "00.count_ink").wait_for()
    assert row(view, "00.count_ink").locator("td").all_inner_texts()[:2] == ["1", "0"], "solved in the end"
    assert "a pixel of exactly 0.5 counts too" in row(view, "00.count_ink").inner_text()


def test_who_is_stuck_comes_up_with_a_name_that_stays_text(view, room):
    (room / "learner-1.jsonl").write_text(is_stuck(HOSTILE), encoding="ascii")
    row(view, "00.right_gap").wait_for()
    assert HOSTILE in row(view, "00.right_gap").inner_text()
    assert view.locator("img").count() == 0


def test_names_are_hidden_by_keyboard(view):
    hide = view.get_by_label("Made-up names")
    view.get_by_label("Follow the room").focus()
    view.page.keyboard.press("Tab")
    assert hide.evaluate("box => box === document.activeElement")
    view.page.keyboard.press("Space")
    row(view, "00.right_gap").get_by_text("learner ").wait_for()
    assert HOSTILE not in view.inner_text()


def test_a_damaged_file_is_told(view, room):
    (room / "learner-2.jsonl").write_bytes(b"\xff\x00 no result\n" * 3)
    view.get_by_text("learner-2.jsonl").wait_for()
    assert row(view, "00.count_ink").is_visible()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_table_can_be_read(view, browser, theme):
    browser.use_theme(theme)
    assert too_faint(view.locator(".jp-OutputArea-output")) == {}


def test_it_stands_still_when_asked_to_with_the_mouse(view, room):
    view.get_by_label("Follow the room").click()
    (room / "learner-3.jsonl").write_text(
        is_stuck("Ben").replace("right_gap", "read_the_rule"), encoding="ascii"
    )
    view.page.wait_for_timeout(1000 * (SECONDS + 1))
    assert row(view, "00.read_the_rule").count() == 0
