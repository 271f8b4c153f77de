"""Images in rows: what goes in is what is seen."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from mi_course.plots import image_grid


def grid(images, titles=None, **options):
    return image_grid(images, titles, title="A title", alt="Images.", **options)


def drawn(picture):
    return picture.figure.axes[0].images


@pytest.mark.parametrize(
    "images",
    [
        torch.rand(5, 3, 8, 6),
        torch.rand(5, 8, 6),
        np.random.default_rng(0).random((5, 3, 8, 6)),
        [
            torch.rand(3, 8, 6),
            torch.rand(20, 6),
            np.zeros((3, 1, 1)),
            [[0, 1], [1, 0]],
            torch.rand(3, 9, 300),
        ],
        torch.rand(5, 3, 8, 6, requires_grad=True),
        torch.rand(5, 3, 8, 6).half(),
        (torch.rand(5, 3, 8, 6) * 255).to(torch.uint8),
    ],
)
def test_tensors_arrays_and_lists_of_any_size_are_drawn(images):
    picture = grid(images, ["a", "b", "c", "d", "e"], columns=3)
    assert isinstance(picture.figure, Figure)
    assert len(drawn(picture)) == 5
    assert len(picture.png()) > 1000


def test_the_pixels_are_those_that_went_in():
    image = torch.rand(3, 4, 5)
    [shown] = drawn(grid([image]))
    assert np.allclose(shown.get_array(), image.permute(1, 2, 0).numpy())


def test_images_keep_their_proportions():
    for shown, ratio in zip(drawn(grid([torch.rand(10, 40), torch.rand(40, 10)])), (4, 0.25), strict=True):
        left, right, bottom, top = shown.get_extent()
        assert (right - left) / (top - bottom) == pytest.approx(ratio)


def test_images_do_not_overlap_and_stay_inside_the_figure():
    picture = grid(torch.rand(23, 3, 7, 7), [str(number) for number in range(23)], columns=6)
    width, height = picture.figure.get_size_inches()
    boxes = [shown.get_extent() for shown in drawn(picture)]
    for number, (left, right, bottom, top) in enumerate(boxes):
        assert left >= 0
        assert right <= width
        assert bottom >= 0
        assert top <= height
        for other_left, other_right, other_bottom, other_top in boxes[:number]:
            apart = right <= other_left or other_right <= left or top <= other_bottom or other_top <= bottom
            assert apart


def test_filters_are_enlarged_without_smoothing_and_photographs_shrunk_with_it():
    small, large = drawn(grid([torch.rand(3, 7, 7), torch.rand(3, 900, 900)]))
    assert small.get_interpolation() == "nearest"
    assert large.get_interpolation() != "nearest"


def test_signed_maps_are_centred_at_zero_and_share_one_scale():
    first, second = drawn(grid([torch.tensor([[-1.0, 0.5]]), torch.tensor([[3.0, 2.0]])], kind="signed map"))
    assert first.get_clim() == second.get_clim() == (-3, 3)


def test_maps_start_at_zero_and_each_can_have_its_own_scale():
    first, second = drawn(
        grid([torch.tensor([[1.0, 0.5]]), torch.tensor([[3.0, 2.0]])], kind="map", scale="each")
    )
    assert first.get_clim() == (0, 1)
    assert second.get_clim() == (0, 3)


def test_a_map_of_zeros_is_drawn():
    assert drawn(grid([torch.zeros(3, 4)], kind="map"))[0].get_clim() == (0, 1)


def test_a_shared_scale_has_its_bar_with_the_unit():
    picture = grid([torch.rand(3, 4)], kind="map", unit="response")
    assert picture.figure.axes[1].get_ylabel() == "response"
    assert len(grid([torch.rand(3, 4)], kind="map", scale="each").figure.axes) == 1


@pytest.mark.parametrize(
    ("images", "options", "said"),
    [
        ([], {}, "images is empty"),
        ([torch.rand(8, 8, 3)], {}, r"shape \(8, 8, 3\).*permute\(2, 0, 1\)"),
        ([torch.rand(4, 8, 8)], {}, r"shape \(4, 8, 8\)"),
        ([torch.rand(3, 0, 8)], {}, r"shape \(3, 0, 8\)"),
        (torch.rand(8, 8), {}, r"put it into a list: \[image\]"),
        ([torch.randn(3, 8, 8) * 5], {}, 'a picture runs from 0 to 1.*"signed map"'),
        ([torch.rand(3, 8, 8)], {"kind": "map"}, "three channels"),
        ([-torch.rand(8, 8)], {"kind": "map"}, 'use kind="signed map"'),
        ([["a", "b"]], {}, "image 0 must be numbers"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_remedy(images, options, said):
    with pytest.raises(ValueError, match=said):
        grid(images, **options)


def test_titles_must_be_as_many_as_images():
    with pytest.raises(ValueError, match="2 titles for 1 images"):
        grid([torch.rand(3, 4)], ["a", "b"])
