import pytest

from mi_course import errors
from mi_course.exercises import registry
from mi_course.exercises.exercise import Exercise


def test_chapters_are_found_by_their_files(toy_chapter):
    assert "98" in registry.chapters()
    assert registry.find("98.seven").title == "Seven"
    assert list(registry.chapters()) == sorted(registry.chapters())


@pytest.mark.parametrize("id", ["98.sevn", "seven", "", "77.seven", "98"])
def test_an_unknown_id_is_an_error_with_a_remedy(toy_chapter, id):
    with pytest.raises(errors.UnknownName):
        registry.find(id)
    with pytest.raises(errors.UnknownName):
        registry.exercises("77")


@pytest.mark.parametrize(
    "fault",
    [{"id": "double"}, {"difficulty": 4}, {"hints": ("one",)}, {"minutes": 0}, {"seconds": 0.0}],
)
def test_a_malformed_exercise_is_refused(fault):
    sound = {"id": "98.a", "title": "A", "difficulty": 1, "minutes": 3, "hints": ("a", "b"), "reference": 1,
             "check": lambda answer: None}  # fmt: skip
    assert Exercise(**sound).dots == "●○○"
    with pytest.raises(ValueError, match=str(fault.get("id", "98.a"))):
        Exercise(**{**sound, **fault})
