"""Edits by button: what is shown is what an edited model answers, and undo takes back exactly the last one."""

import html
import re

import pytest

import mi_course as mc
from mi_course.data import counterfacts
from mi_course.errors import CourseError, UnknownName
from mi_course.methods.edit_scores import score
from mi_course.methods.key_covariance import key_covariance
from mi_course.methods.rank_one_edit import rome
from mi_course.widgets.edit_playground import EditPlayground
from tests.type_checks import values_only

QUICK = {"prefixes": [""], "steps": 12, "step_size": 1.0}
TOWER = ("town", "Iron Tower", "Pell", "L1, last token")
HOME = ("home", "Abbott", "Pell", "L1, last token")


@pytest.fixture(scope="module")
def model():
    return mc.load("tiny-world").requires_grad_(False)


@pytest.fixture
def playground(model):
    playground = EditPlayground(model, **QUICK)
    _ = playground.view
    return playground


def control(playground, name):
    return playground._controls[name]


def press(playground, button):
    getattr(control(playground, "edits"), button).click()


def words(playground):
    return html.unescape(re.sub("<[^>]*>", " ", playground._picture.value))


def complaint(playground):
    """What is said of an error, or nothing."""
    said = playground._status.value
    return re.sub("<[^>]*>|&nbsp;", "", said) if 'role="alert"' in said else ""


def alt(playground):
    return html.unescape(re.search('alt="([^"]*)"', playground._picture.value)[1])


def test_the_bars_are_what_the_edited_and_the_unedited_model_answer(model):
    picture = EditPlayground(model, **QUICK).static(edits=(TOWER,))
    edited = rome(
        model, ("the Iron Tower is in", "Iron Tower"), "Pell", layer=1, place="last token",
        covariance=key_covariance(model, 1), **QUICK,
    )  # fmt: skip
    asked = counterfacts.questions([counterfacts.counterfact("town", "Iron Tower", "Pell")], each=2)
    before, after = score(model, asked), score(edited, asked)
    axes = picture.figure.axes[0]
    now = [float(p) for p in [*after.p_new[:3], *after.p_true[3:]]]
    was = [float(p) for p in [*before.p_new[:3], *before.p_true[3:]]]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx(now, abs=1e-3)
    assert [line.get_segments()[0][0][0] for line in axes.collections] == pytest.approx(was, abs=1e-3)
    assert f"the Iron Tower is in → Pell: {was[0]:.2f} before, {now[0]:.2f} now" in picture.alt
    wrong = int((~after.says_true[3:]).sum())
    assert f"{wrong} of {len(asked) - 3} other answers wrong" in picture.figure.get_suptitle().replace(
        "\n", " "
    )


@values_only
def test_an_edit_is_made_and_taken_back(playground):
    first = playground._picture.value
    assert "No edit yet" in alt(playground)
    assert control(playground, "edits").undo.disabled
    press(playground, "make")
    assert "After 1 edit." in alt(playground)
    assert "town of Iron Tower: Pell instead of Kelby (L1, last token)" in words(playground)
    control(playground, "relation").value = "home"
    press(playground, "make")
    assert "After 2 edits." in alt(playground)
    assert len(control(playground, "edits").value) == 2
    press(playground, "undo")
    assert control(playground, "edits").value == (TOWER,)
    press(playground, "undo")
    assert control(playground, "edits").undo.disabled
    control(playground, "relation").value = "town"
    control(playground, "subject").value = "Iron Tower"
    control(playground, "answer").value = "Pell"
    assert playground._picture.value == first
    assert not complaint(playground)


@values_only
def test_undo_all_takes_back_everything(playground):
    press(playground, "make")
    press(playground, "make")
    press(playground, "undo_all")
    assert control(playground, "edits").value == ()
    assert "No edit yet" in alt(playground)


@values_only
def test_other_relations_bring_their_subjects_and_answers_that_are_false(playground):
    for relation in ("job", "colour", "instrument"):
        control(playground, "relation").value = relation
        chosen = counterfacts.counterfact(
            relation, control(playground, "subject").value, control(playground, "answer").value
        )
        assert chosen.true not in control(playground, "answer").options
        assert chosen.prompt in alt(playground)
        assert not complaint(playground)


def test_an_edit_shows_also_in_questions_about_another_fact(model):
    """The next fact that is looked at is asked of the model with all edits so far."""
    playground = EditPlayground(model, **QUICK)
    again = playground.static(edits=(TOWER,))
    other = playground.static(subject="White Tower", edits=(TOWER,))
    assert again.alt != other.alt
    assert "After 1 edit." in other.alt
    assert "the White Tower is in → Pell: 0.00 before, 0.00 now" in other.alt


def test_the_model_itself_stays_as_it_is(model):
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    EditPlayground(model, **QUICK).static(edits=(TOWER, HOME))
    assert all((weight == before[name]).all() for name, weight in model.state_dict().items())


@values_only
def test_a_larger_dose_writes_more(model):
    small, large = (
        EditPlayground(model, dose=dose, **QUICK).static(edits=(TOWER,)).alt for dose in (0.2, 1.0)
    )
    chance = [
        float(re.search(r"is in → Pell: 0.00 before, (\d.\d\d) now", text)[1]) for text in (small, large)
    ]
    assert chance[0] < 0.2
    assert chance[1] > 0.9


def test_what_does_not_exist_is_refused_at_once(model):
    with pytest.raises(UnknownName, match="Iron Tower"):
        EditPlayground(model, subject="Iron Towre")
    with pytest.raises(CourseError, match="already the answer"):
        EditPlayground(model, answer=counterfacts.facts.answer("town", "Iron Tower"))
