"""The hand-made labels name classes that exist, and nothing is with a face and without."""

import mi_course
from mi_course.recipes.face_labels import SETS
from mi_course.recipes.face_unit import HEADS


def test_the_labels_are_of_classes_that_exist_and_no_photograph_is_on_both_sides():
    known = set(mi_course.load("alexnet-mini").classes)
    seen: set[int] = set()
    for classes in SETS.values():
        for name, (faces, others) in classes.items():
            assert name in known
            assert not set(faces + others) & seen
            assert len(set(faces + others)) == len(faces) + len(others)
            seen |= set(faces + others)
    assert not set(SETS["A"]) & set(SETS["B"])
    assert set(HEADS) <= known
