import pytest
import torch

from mi_course.methods.hidden_patch import drop_map, drop_when_hidden
from mi_course.models.black_box import BlackBox


@pytest.fixture
def watcher():
    """A network whose belief in digit 7 hangs on the pixel in row 3, column 4 alone."""
    box = BlackBox(1)
    with torch.no_grad():
        for parameter in box.parameters():
            parameter.zero_()
        box.hidden.weight[0, 3 * 8 + 4] = 5.0
        box.output.weight[7, 0] = 4.0
    return box


def test_only_patches_that_cover_the_watched_pixel_matter(watcher):
    drops = drop_map(watcher, torch.ones(8, 8), 7)
    covering = torch.zeros(7, 7, dtype=torch.bool)
    covering[2:4, 3:5] = True
    assert (drops[covering] > 0.5).all()
    assert torch.equal(drops[~covering], torch.zeros(45, dtype=torch.float64))


def test_what_one_digit_loses_the_others_gain(watcher):
    drops = [drop_when_hidden(watcher, torch.ones(8, 8), digit, 3, 4) for digit in range(10)]
    assert drops[7] > 0 > drops[2]
    assert sum(drops) == pytest.approx(0)


def test_hiding_empty_paper_changes_nothing(watcher):
    assert drop_when_hidden(watcher, torch.zeros(8, 8), 7, 3, 4) == 0


def test_the_picture_is_left_as_it_was(watcher):
    image = torch.ones(8, 8)
    drop_when_hidden(watcher, image, 7, 3, 4)
    assert torch.equal(image, torch.ones(8, 8))


@pytest.mark.parametrize(
    ("digit", "row", "column", "words"), [(7, 7, 0, "leaves the picture"), (10, 0, 0, "0 to 9")]
)
def test_impossible_places_and_digits_are_refused(watcher, digit, row, column, words):
    with pytest.raises(ValueError, match=words):
        drop_when_hidden(watcher, torch.ones(8, 8), digit, row, column)
