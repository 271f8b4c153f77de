"""The pipeline of 2005: directions as one sees them, and a classifier that works for the right reason."""

import pytest
import torch

from mi_course.data import photographs
from mi_course.methods import engineered_pipeline as pipeline


def edge(degrees, side=25):
    """A picture that gets brighter evenly in this direction, counter-clockwise from rightwards."""
    angle = torch.deg2rad(torch.tensor(float(degrees)))
    rows, columns = torch.meshgrid(
        torch.arange(side) - side // 2, torch.arange(side) - side // 2, indexing="ij"
    )
    along = columns * angle.cos() - rows * angle.sin()
    return 0.5 + along / 40


@pytest.fixture(scope="module")
def faces():
    return photographs.faces()


@pytest.mark.parametrize("degrees", [10, 30, 50, 70, 90, 110, 130, 150, 170])
def test_directions_are_those_of_growing_brightness(degrees):
    found = pipeline.stages(edge(degrees))
    assert torch.allclose(found.direction, torch.tensor(float(degrees)), atol=0.01)
    assert torch.allclose(found.strength, torch.tensor(1 / 40), atol=1e-4)
    inside = found.histograms[1:-1, 1:-1]
    assert (inside.argmax(dim=-1) == degrees * pipeline.DIRECTIONS // 180).all()


def test_left_to_right_is_0_and_dark_to_light_equals_light_to_dark():
    right, left = (pipeline.stages(edge(degrees)) for degrees in (0, 180))
    assert right.direction[12, 12] == 0
    assert torch.allclose(right.strength, left.strength, atol=1e-6)
    assert torch.allclose(right.histograms, left.histograms, atol=1e-5)


def test_directions_stay_in_their_range():
    noise = torch.rand(25, 25, generator=torch.Generator().manual_seed(0))
    found = pipeline.stages(noise)
    assert found.direction.min() >= 0
    assert found.direction.max() <= 180
    assert found.strength.min() >= 0
    assert found.histograms.min() >= 0


def test_a_histogram_belongs_to_the_cell_in_which_the_edge_is():
    vertical, horizontal = torch.zeros(25, 25), torch.zeros(25, 25)
    vertical[:, 17:] = 1
    horizontal[7:] = 1
    found = pipeline.stages(vertical).histograms
    assert found.shape == (5, 5, 9)
    assert (found[:, 3, 0] > 0.9).all()
    assert not found[:, [0, 1, 2, 4]].any()
    found = pipeline.stages(horizontal).histograms
    assert (found[1, :, 4] > 0.9).all()
    assert not found[[0, 2, 3, 4]].any()


def test_contrast_is_evened_out_inside_every_cell():
    faint = pipeline.stages(0.5 + 0.1 * (edge(50) - 0.5))
    assert torch.allclose(faint.histograms, pipeline.stages(edge(50)).histograms, atol=0.01)


def test_a_flat_picture_has_no_edges():
    found = pipeline.stages(torch.full((25, 25), 0.4))
    assert not found.strength.any()
    assert not found.features.any()


def test_strength_and_direction_are_those_of_the_gradient_by_hand():
    picture = torch.rand(25, 25, generator=torch.Generator().manual_seed(1))
    found = pipeline.stages(picture)
    right = (picture[7, 10] - picture[7, 8]) / 2
    up = (picture[6, 9] - picture[8, 9]) / 2
    assert found.strength[7, 9].item() == pytest.approx(torch.hypot(right, up).item(), abs=1e-6)
    assert found.direction[7, 9].item() == pytest.approx(
        torch.rad2deg(torch.atan2(up, right)).item() % 180, abs=1e-3
    )


def test_the_features_are_the_histograms_in_one_row(faces):
    several = pipeline.features(faces.images[:3])
    assert several.shape == (3, 225)
    for image, row in zip(faces.images, several):
        found = pipeline.stages(image)
        assert torch.equal(found.features, row)
        assert torch.equal(found.histograms.flatten(), row)


def test_the_score_is_the_sum_over_cells_of_histogram_times_weight(faces):
    classifier = pipeline.fit(faces.images, faces.is_face)
    weights = pipeline.weights_by_cell(classifier, image_side=25)
    assert weights.shape == (5, 5, 9)
    score = (pipeline.stages(faces.images[3]).histograms * weights).sum() + classifier.intercept_.item()
    expected = classifier.decision_function(pipeline.features(faces.images[3:4]).numpy()).item()
    assert score.item() == pytest.approx(expected, abs=1e-4)
    assert score > 0


def test_faces_are_recognised_among_pictures_that_were_not_fitted(faces):
    right = pipeline.cross_validated(faces.images, faces.is_face)
    assert right.shape == (200,)
    assert right.float().mean() > 0.85


def test_shuffled_labels_leave_nothing_to_recognise(faces):
    shares = []
    for seed in range(2):
        shuffled = faces.is_face[torch.randperm(200, generator=torch.Generator().manual_seed(seed))]
        shares.append(pipeline.cross_validated(faces.images, shuffled).float().mean().item())
    assert sum(shares) / 2 == pytest.approx(0.5, abs=0.1)
