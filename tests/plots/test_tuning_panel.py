"""The panel shows the filters it was given with their weights, and each curve once."""

import pytest
import torch

from mi_course.plots.tuning_panel import tuning_panel

FILTER = torch.rand(3, 9, 9, generator=torch.Generator().manual_seed(0))
ANGLES = (0, 45, 90, 135)


def panel(excites=((FILTER, 0.5), (FILTER, 0.25)), inhibits=((FILTER, -1.5),), curves=None):
    curves = curves or {"measured": [1, 2, 3, 0], "predicted from weights": [1, 1, 4, 0]}
    return tuning_panel(list(excites), list(inhibits), ANGLES, curves, title="A unit", alt="A unit's tuning.")


def test_filters_carry_their_weights_and_the_last_axes_the_curves():
    axes = panel().figure.axes
    assert [a.get_title(loc="center") for a in axes[:-1]] == ["+0.5", "+0.25", "−1.5"]
    lines = axes[-1].get_lines()
    assert [line.get_label() for line in lines] == ["measured", "predicted from weights"]
    assert lines[0].get_ydata().tolist() == [1, 2, 3, 0]
    assert axes[-1].get_ylim()[0] == 0


def test_a_unit_without_inhibitors_says_so():
    words = [text.get_text() for text in panel(inhibits=()).figure.texts]
    assert "no channel" in words


def test_curves_after_surgery_look_different():
    four = {name: [1, 1, 1, 1] for name in ("measured", "predicted from weights", "a", "b")}
    lines = panel(curves=four).figure.axes[-1].get_lines()
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"curves": {str(i): [0, 0, 0, 0] for i in range(5)}}, "one to four"),
        ({"excites": [(FILTER, 1.0)] * 5}, "at most four"),
    ],
    ids=["curves", "filters"],
)
def test_too_much_for_one_picture_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        panel(**change)
