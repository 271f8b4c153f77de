"""A slider over stored checkpoints."""

import numpy as np
import pytest

from mi_course.plots import Pictures, bars
from mi_course.widgets.training_scrubber import TrainingScrubber

STEPS = [0, 100, 400]


class Drawer:
    def __init__(self):
        self.drawn = []

    def __call__(self, index):
        self.drawn.append(index)
        return bars({"score": index}, title="Score", ylabel="score", alt=f"Checkpoint {index}.")


def scrubber(draw=None, **options):
    settings = {"curves": {"loss": [3.0, 2.0, 0.5]}, "title": "The loss drops", "ylabel": "loss"} | options
    return TrainingScrubber(STEPS, draw or Drawer(), **settings)


def test_the_cursor_and_the_words_follow_the_slider():
    explorer = scrubber()
    assert explorer.view
    slider = explorer._controls["checkpoint"]
    assert slider.label == "400", "it begins at the end"
    assert slider.description == "Step"
    slider.index = 1
    assert "At step 100: loss 2." in explorer._picture.value
    assert "Checkpoint 1." in explorer._picture.value
    curves, below = explorer.static(checkpoint=1).pictures
    assert list(curves.figure.axes[0].lines[-1].get_xdata()) == [100, 100]
    assert below.alt == "Checkpoint 1."


def test_a_finer_curve_is_read_at_the_measurement_nearest_to_the_checkpoint():
    x = np.arange(0, 401, 10)
    explorer = scrubber(curves={"loss": x / 100}, x=x)
    assert "At step 100: loss 1." in explorer.static(checkpoint=1).alt
    assert "At step 400: loss 4." in explorer.static(checkpoint=2).alt


def test_going_back_draws_nothing_anew():
    draw = Drawer()
    explorer = scrubber(draw)
    assert explorer.view
    for index in (0, 1, 0, 1, 2):
        explorer._controls["checkpoint"].index = index
    assert sorted(draw.drawn) == [0, 1, 2]


def test_a_checkpoint_may_have_several_pictures():
    explorer = scrubber(lambda index: Pictures([Drawer()(index), Drawer()(index)]))
    assert len(explorer.static(checkpoint=0).pictures) == 3


@pytest.mark.parametrize(
    ("steps", "options", "said"),
    [
        ([], {}, "at least one"),
        ([0, 0, 1], {}, "must rise"),
        ([2, 1, 0], {}, "must rise"),
        (STEPS, {"curves": {"loss": [1.0, 2.0]}}, "give one number for each"),
    ],
)
def test_what_does_not_fit_is_refused(steps, options, said):
    with pytest.raises(ValueError, match=said):
        TrainingScrubber(steps, Drawer(), **{"curves": {}, "title": "t", "ylabel": "y"} | options)


def test_a_checkpoint_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="there are 0 to 2"):
        scrubber().static(checkpoint=3)
