"""A map lies on the part of the picture that it is about, and its colours say its sign."""

import numpy as np
import pytest
import torch

from mi_course.plots import overlay


def draw(images, maps, titles=None, **options):
    titles = [str(i) for i in range(len(images))] if titles is None else titles
    return overlay(images, maps, titles, title="Where?", unit="logits", alt="Maps.", **options)


def panels(picture):
    """The plain and the covered axes of each picture, without the colour bar."""
    shown = [axes for axes in picture.figure.axes if axes.images]
    return [a for a in shown if len(a.images) == 1], [a for a in shown if len(a.images) == 2]


def test_each_picture_is_shown_plain_and_under_its_map():
    images, maps = torch.rand(3, 3, 8, 8), torch.randn(3, 4, 4)
    plain, covered = panels(draw(images, maps, ["cat", "dog", "owl"]))
    assert [axes.get_title() for axes in plain] == ["cat", "dog", "owl"]
    for image, grid, below, above in zip(images, maps, plain, covered):
        assert np.allclose(below.images[0].get_array(), image.permute(1, 2, 0).numpy())
        assert np.allclose(above.images[0].get_array(), image.permute(1, 2, 0).numpy())
        assert np.allclose(above.images[1].get_array(), grid.numpy())


def test_all_maps_share_one_scale_that_is_centred_at_zero():
    _, covered = panels(draw(torch.rand(2, 3, 8, 8), [torch.tensor([[-5.0, 1.0]]), torch.tensor([[2.0]])]))
    assert [axes.images[1].get_clim() for axes in covered] == [(-5, 5), (-5, 5)]


def test_the_bar_names_the_unit():
    assert draw(torch.rand(1, 3, 8, 8), torch.rand(1, 2, 2)).figure.axes[-1].get_ylabel() == "logits"


def test_a_map_covers_the_picture_but_for_its_margin():
    _, [covered] = panels(draw(torch.rand(1, 3, 8, 8), torch.rand(1, 2, 2), margin=0.125))
    assert covered.images[0].get_extent() == [0, 1, 0, 1]
    assert covered.images[1].get_extent() == [0.125, 0.875, 0.125, 0.875]
    assert (covered.get_xlim(), covered.get_ylim()) == ((0, 1), (0, 1))


def test_a_wide_picture_stays_wide():
    picture = draw([torch.rand(3, 10, 30)], [torch.rand(2, 6)])
    picture.png()
    for axes in (axes for group in panels(picture) for axes in group):
        box = axes.get_window_extent()
        assert box.width / box.height == pytest.approx(3, rel=0.01)


def test_maps_of_zeros_are_drawn():
    assert len(draw(torch.rand(1, 3, 8, 8), torch.zeros(1, 2, 2)).png()) > 1000


@pytest.mark.parametrize("count", [1, 4])
def test_it_is_as_wide_as_every_figure(count):
    assert draw(torch.rand(count, 3, 8, 8), torch.rand(count, 2, 2)).figure.get_size_inches()[0] == 7.5


def test_one_map_and_one_title_a_picture_are_asked_for():
    with pytest.raises(ValueError, match="2 images, 1 maps and 2 titles"):
        draw(torch.rand(2, 3, 8, 8), torch.rand(1, 2, 2))
    with pytest.raises(ValueError, match="1 images, 1 maps and 2 titles"):
        draw(torch.rand(1, 3, 8, 8), torch.rand(1, 2, 2), ["a", "b"])


def test_no_picture_at_all_is_refused():
    with pytest.raises(ValueError, match="0 images"):
        draw([], [])
