import io

from mi_course.exercises import card
from mi_course.exercises.card import Card


def test_both_forms_say_the_same():
    shown = Card("❌", "Heading", ("First with `code`.",), quoted="a\nb", tone="error")
    assert shown.text == "❌ Heading\nFirst with `code`.\n  | a\n  | b"
    for part in ("❌", "Heading", "First with <code>code</code>.", "a\nb"):
        assert part in shown.html


def test_everything_is_escaped():
    evil = "<script>alert(1)</script> `<b>` & \"'"
    shown = Card("❌", evil, (evil,), quoted=evil)
    assert "<script>" not in shown.html
    assert "<b>" not in shown.html


def test_colours_come_from_the_theme():
    html = Card("✅", "Right", tone="success").html
    assert "var(--jp-success-color1" in html
    assert "var(--jp-content-font-color1, inherit)" in html


def test_control_characters_and_broken_unicode_are_removed():
    assert card.clean("\x1b[31mred\x1b[0m\x00\ud800 \ttab\n") == "red? \ttab\n"


def test_a_terminal_without_unicode_is_no_problem(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", stream)
    card.show(Card("✅", "Right"))
    stream.flush()
    assert stream.buffer.getvalue().strip().endswith(b"Right")
