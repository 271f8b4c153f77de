"""Errors are told to a learner: they name what was wrong and offer what is near."""

import pytest

from mi_course import errors
from mi_course.errors import CourseError, UnknownName


@pytest.mark.parametrize("name", ["ModelNotHere", "DamagedWeights", "UnreadableImage", "UnknownName"])
def test_every_error_of_the_course_can_be_caught_as_one(name):
    assert issubclass(getattr(errors, name), CourseError)


def test_a_near_name_is_offered():
    error = UnknownName("model", "alexnet-mni", ["alexnet-mini", "tiny-world"])
    assert str(error) == "There is no model named 'alexnet-mni'. Did you mean 'alexnet-mini'?"


def test_several_near_names_are_offered_the_nearest_first():
    text = str(UnknownName("activation", "conv", ["conv1", "conv2", "fc6", "conv1.pre"]))
    assert text.endswith("Did you mean 'conv2' or 'conv1' or 'conv1.pre'?")


def test_without_a_near_name_all_are_listed():
    assert str(UnknownName("layer", "xyz", ["b", "a"])).endswith("Known: a, b.")


def test_a_long_list_is_cut():
    text = str(UnknownName("layer", "zzz", [f"n{i:02}" for i in range(50)]))
    assert "n19, …" in text
    assert "n20" not in text
