"""Several pictures as one."""

import io

import pytest
from PIL import Image

from mi_course.plots import Picture, Pictures
from mi_course.plots.style import new_figure


def two():
    return Pictures([Picture(new_figure(1), "One."), Picture(new_figure(2), "Two & more.")])


def test_both_are_shown_each_with_its_words():
    bundle = two()._repr_mimebundle_()
    assert bundle["text/plain"] == "Pictures: One. Two & more."
    assert bundle["text/html"].count("<img") == 2
    assert 'alt="One."' in bundle["text/html"]
    assert 'alt="Two &amp; more."' in bundle["text/html"]


def test_as_a_file_they_stand_under_one_another():
    parts = [Image.open(io.BytesIO(picture.png())) for picture in two().pictures]
    whole = Image.open(io.BytesIO(two().png()))
    assert whole.size == (parts[0].width, parts[0].height + parts[1].height)


def test_no_picture_at_all_is_refused():
    with pytest.raises(ValueError, match="no picture"):
        Pictures([])
