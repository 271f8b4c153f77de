"""The vocabulary of axes is the one that public signatures use."""

from mi_course.axes import AXES


def test_every_axis_of_the_architecture_has_one_spelling_and_a_meaning():
    spellings = """batch pos query_pos key_pos layer head d_model d_head d_mlp d_vocab d_sae component
    channel height width"""
    assert set(AXES) >= set(spellings.split())
    assert all(name.isidentifier() and name.islower() and meaning for name, meaning in AXES.items())
    assert len(set(AXES.values())) == len(AXES)
