"""The playground shows what the steered model writes beside what it writes as it is, and judges both."""

from functools import partial

import pytest
import torch

import mi_course as mc
from mi_course.data.topic_words import about, content_words
from mi_course.errors import CourseError
from mi_course.methods import steering
from mi_course.methods.writing import write_on
from mi_course.widgets.steering_playground import GROUPS, Knob, SteeringPlayground
from tests.widgets.page import Page

AT = "blocks.3.hook_resid_post"


@pytest.fixture(scope="module")
def model():
    return mc.load("tiny-world").requires_grad_(False)


@pytest.fixture(scope="module")
def knobs(model):
    """Towards the words themselves, as the unembedding reads them: no direction has to be measured for that."""
    towards = {
        topic: model.W_U[:, [model.to_single_token(word) for word in sorted(about(topic))]].mean(dim=1)
        for topic in ("bridge", "sea")
    }
    return {
        "bridge": Knob(partial(steering.add, 200 * towards["bridge"], at=AT), unit="× the push"),
        "sea": Knob(partial(steering.add, 200 * towards["sea"], at=AT), low=0, high=1),
    }


@pytest.fixture
def playground(model, knobs):
    playground = SteeringPlayground(model, knobs, n_tokens=12)
    _ = playground.view
    return playground


def shown(playground):
    return Page(playground._picture.value)


def complaint(playground):
    """What is said of an error, or nothing."""
    said = Page(playground._status.value)
    return said.text.strip() if said.all("div", role="alert") else ""


def test_the_two_texts_are_what_the_model_writes(model, knobs, playground):
    prompt = model.to_tokens("we saw the")
    for hooks in ([], knobs["bridge"].steer(2)):
        words = model.to_str_tokens(write_on(model, prompt, 12, hooks=hooks, seed=1)[0, 1:])
        words = words[: words.index("<|endoftext|>")] if "<|endoftext|>" in words else words
        content = [word for word in words if word in content_words()]
        found = sum(word in about("bridge") for word in content)
        assert " ".join(words) in shown(playground).text
        assert f"{found} of {len(content)} content words about the bridge" in shown(playground).text
    assert playground._controls["dose"].value == 2


def test_at_dose_0_both_texts_are_the_same(playground):
    playground._controls["dose"].value = 0
    picture = playground.static(knob="bridge", dose=0)
    plain, steered = picture.alt.split(" bridge: 0 × the push: ")
    assert plain.removeprefix("as it is: ") == steered


def test_another_knob_brings_its_own_range_and_keeps_the_dose_inside(playground):
    control = playground._controls
    assert (control["dose"].min, control["dose"].max) == (-4, 4)
    control["knob"].value = "sea"
    assert (control["dose"].min, control["dose"].max, control["dose"].value) == (0, 1, 1)
    assert "sea: 1" in shown(playground).text
    control["knob"].value = "bridge"
    assert (control["dose"].min, control["dose"].max) == (-4, 4)
    assert not complaint(playground)


def test_marked_words_are_those_of_the_chosen_kind(playground):
    page = shown(playground)
    assert len(page.all("mark")) > 0
    playground._controls["marked"].value = "good mood"
    assert "about good mood" in shown(playground).text
    assert "about the bridge" not in shown(playground).text
    assert all(kind <= content_words() for kind in GROUPS.values())


def test_the_form_is_judged_only_where_the_prompt_begins_a_paragraph(playground):
    assert "a possible text" in shown(playground).text or "impossible at word" in shown(playground).text
    playground._controls["prompt"].value = "when Mary and John went to the store ,"
    assert "possible" not in shown(playground).text
    assert not complaint(playground)


def test_an_unknown_word_is_told_and_the_last_texts_stay(playground):
    before = playground._picture.value
    playground._controls["prompt"].value = "we saw the xylophone"
    assert "xylophone" in complaint(playground)
    assert playground._picture.value == before


def test_another_text_is_drawn_with_other_random_numbers(playground):
    before = playground._picture.value
    playground._controls["text"].value = 2
    assert playground._picture.value != before


def test_no_script_and_no_handler_is_needed(playground):
    page = shown(playground)
    assert "script" not in page.tags
    assert not page.handlers
    assert {attributes["aria-label"] for attributes in page.all("section")} == {
        "as it is",
        "bridge: 2 × the push",
    }


def test_a_long_prompt_leaves_room_for_less(model, knobs):
    prompt = "the boat was lovely . " * 12
    picture = SteeringPlayground(model, knobs, n_tokens=40).static(prompt=prompt.strip(), dose=0)
    assert picture.alt.count("the boat was lovely") == 24


def test_without_a_knob_there_is_nothing_to_turn(model):
    with pytest.raises(CourseError, match="no knob"):
        SteeringPlayground(model, {})


def test_the_model_itself_stays_as_it_is(model, knobs):
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    SteeringPlayground(model, knobs, n_tokens=4).static(dose=4)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
