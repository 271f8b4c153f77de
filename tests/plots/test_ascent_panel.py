"""An optimised image and its curve."""

import numpy as np
import pytest
import torch

from mi_course.plots.ascent_panel import ascent_panel


def test_it_shows_the_image_and_every_step():
    image = torch.rand(3, 8, 8)
    picture = ascent_panel(image, torch.tensor([0.0, 1.0, 3.0]), reached=2.5, title="Up", alt="It rises.")
    left, right = picture.figure.axes
    assert np.asarray(left.images[0].get_array()) == pytest.approx(image.permute(1, 2, 0).numpy())
    curve, dotted = right.lines
    assert list(curve.get_xdata()) == [1, 2, 3]
    assert list(curve.get_ydata()) == [0, 1, 3]
    assert list(dotted.get_ydata()) == [2.5, 2.5]
    assert picture.alt == "It rises."
