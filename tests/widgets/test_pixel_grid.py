import torch

from mi_course.widgets.pixel_grid import PixelGrid, flip


def test_flipping_turns_ink_into_paper_and_paper_into_ink():
    image = torch.tensor([[0.0, 0.4], [0.5, 1.0]])
    places = ((0, 0), (0, 1), (1, 0), (1, 1))
    assert flip(image, places).tolist() == [[1, 1], [0, 0]]
    assert flip(image, ()).equal(image)


def test_the_image_itself_stays_as_it_was():
    image = torch.zeros(2, 2)
    flip(image, ((1, 1),))
    assert image.sum() == 0


def test_the_colour_of_a_pixel_follows_its_ink():
    grid = PixelGrid(torch.tensor([[0.0, 1.0]]))
    assert [button.style.button_color for button in grid._buttons] == ["#ffffff", "#000000"]
    grid._buttons[0].click()
    assert grid._buttons[0].style.button_color == "#000000"


def test_a_new_image_is_shown_without_the_old_flips():
    grid = PixelGrid(torch.zeros(2, 2))
    grid._buttons[3].click()
    grid.show(torch.ones(2, 2))
    assert grid.value == ()
    assert grid._buttons[3].style.button_color == "#000000"
