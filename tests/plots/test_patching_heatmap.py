"""A patching result as a map: the share of the way, in either direction, and its strongest cells in words."""

import numpy as np
import pytest
import torch

from mi_course.methods.patching_result import PatchingResult
from mi_course.plots import patching_heatmap


def result(direction, columns=("H0", "H1", "H2")):
    values = torch.tensor([[0.0, 0.25, 1.0], [-0.1, 0.5, 0.75]])
    clean, corrupted = torch.tensor([10.0, 10.0]), torch.tensor([-10.0, -10.0])
    by_example = (corrupted + values[..., None] * 20).contiguous()
    return PatchingResult(by_example, clean, corrupted, ("L0", "L1"), columns, "z", direction, "logits")


def drawn(picture):
    return np.asarray(picture.figure.axes[0].images[0].get_array())


@pytest.mark.parametrize(("direction", "words"), [("denoising", "comes back"), ("noising", "is lost")])
def test_the_colour_is_how_far_the_answer_moves(direction, words):
    picture = patching_heatmap(result(direction), title="Heads")
    moved = result(direction).values if direction == "denoising" else 1 - result(direction).values
    assert np.allclose(drawn(picture), moved.numpy(), atol=0.006)
    assert f"share of the answer that {words}" in picture.alt


def test_the_alt_text_names_the_strongest_cells_and_bounds_the_rest():
    alt = patching_heatmap(result("denoising"), title="Heads").alt
    assert "Strongest: L0H2 1.00, L1H2 0.75, L1H1 0.50, L0H1 0.25; all others at most 0.10 either way." in alt


def test_positions_can_bear_the_names_of_roles():
    by_position = result("denoising", ("0 the", "1", "2 to"))
    picture = patching_heatmap(by_position, title="Positions", columns=["start", "giver", "end"])
    assert [label.get_text() for label in picture.figure.axes[0].get_xticklabels()] == [
        "start",
        "giver",
        "end",
    ]
    assert "L0 at end 1.00" in picture.alt
    assert "L0 at 2 to 1.00" in patching_heatmap(by_position, title="Positions").alt
