"""Whatever a token holds, a reader sees it, and it stays text."""

import html

import pytest
from matplotlib.cbook import is_math_text

from mi_course.plots import quoted, token_labels
from mi_course.plots.token_words import token_html, token_label, visible


@pytest.mark.parametrize(
    ("token", "seen"),
    [
        ("Mary", "Mary"),
        (" Mary", " Mary"),
        ("", "∅"),
        (" ", "␣"),
        ("   ", "␣␣␣"),
        ("\n", "↵"),
        ("\n\n", "↵↵"),
        ("a\tb", "a⇥b"),
        ("\r", "⏎"),
        ("\x07", "\\x07"),
        ("\x7f", "\\x7f"),
        ("\u200b", "\\u200b"),
        ("\u202eevil", "\\u202eevil"),
        ("\ud83d", "\\ud83d"),
        ("😀", "😀"),
        ("<script>", "<script>"),
    ],
)
def test_what_is_invisible_is_made_visible(token, seen):
    assert visible(token) == seen
    seen.encode("utf-8")  # half an emoji would break the page on its way to the browser


@pytest.mark.parametrize(
    "token", ["<script>alert(1)</script>", "</style>", "a\"b'c", "&lt;", "<img src=x onerror=alert(1)>"]
)
def test_in_html_a_token_is_only_text(token):
    written = token_html(token)
    assert not set("<>\"'") & set(written)
    assert html.unescape(written) == token


def test_a_dollar_starts_no_formula():
    for token in ("$", "$x$", "$\\frac$"):
        label = token_label(token)
        assert not is_math_text(label)
        assert label.replace(r"\$", "$") == token


def test_a_letter_that_the_font_lacks_becomes_a_box():
    assert token_label("漢") == "□"
    assert token_label("é") == "é"


def test_a_long_token_is_cut_off():
    assert token_label("a" * 40, 12) == "a" * 11 + "…"
    assert token_labels(["<|endoftext|>", "to"]) == ["<|endoftext…", "to"]


def test_in_a_sentence_a_token_stands_in_quotation_marks():
    assert quoted("\n") == "“↵”"
