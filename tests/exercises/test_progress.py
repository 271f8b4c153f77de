import pytest

import mi_course as mc
from mi_course.exercises import registry
from mi_course.exercises.progress import summary_text

pytestmark = pytest.mark.usefixtures("toy_chapter")


@pytest.fixture(autouse=True)
def only_the_toy_chapter(monkeypatch):
    monkeypatch.setattr(registry, "chapters", lambda: ("98",))


def status(id):
    (chapter,) = mc.progress().chapters
    return dict(zip((task.id for task in chapter.exercises), chapter.status))[id]


def test_solved_stays_solved():
    assert status("98.seven") == "untouched"
    mc.exercise("98.seven", ...)
    assert status("98.seven") == "untouched"
    mc.exercise("98.seven", 8)
    assert status("98.seven") == "tried"
    mc.exercise("98.seven", 7)
    mc.exercise("98.seven", 8)
    assert status("98.seven") == "solved"


def test_the_summary_counts_exercises_and_minutes():
    mc.exercise("98.seven", 7)
    mc.exercise("98.table", 7)
    text = summary_text()
    assert text == repr(mc.progress())
    assert "Your progress: 1 of 7 exercises solved" in text
    assert "Chapter 98: 1 of 7 solved, about 26 min to go" in text
    assert "✅ 98.seven        ●●○   4 min  Seven" in text
    assert "❌ 98.table        ●●○   4 min  A table" in text
    assert "⬜ 98.double       ●○○   3 min  Double <it>" in text


def test_the_table_is_escaped_and_has_words_for_its_signs():
    table = mc.progress()._repr_html_()
    assert "Double &lt;it&gt;" in table
    assert 'aria-label="untouched"' in table
    assert 'aria-label="difficulty 2 of 3"' in table


def test_every_column_and_every_chapter_of_the_table_has_a_header():
    table = mc.progress()._repr_html_()
    heads, *chapters = table.split("<tbody>")
    assert heads.count('<th scope="col"') == chapters[0].split("</tr>")[1].count("<td")
    assert [chapter.count('scope="rowgroup"') for chapter in chapters] == [1] * len(chapters)


def test_a_mistake_in_a_check_does_not_count_as_a_try():
    mc.exercise("98.our_mistake", 5)
    assert status("98.our_mistake") == "untouched"
