"""The photographs that ship, the faces, and the learner's own files."""

import io

import pytest
import torch

from mi_course.data import photographs
from mi_course.errors import UnknownName, UnreadableImage


@pytest.mark.parametrize("name", photographs.names())
def test_a_photograph_has_colour_in_range_and_says_where_it_is_from(name):
    photograph = photographs.photograph(name)
    assert photograph.name == name
    assert photograph.pixels.dtype == torch.float32
    assert photograph.pixels.min() >= 0
    assert 0.5 < photograph.pixels.max() <= 1
    assert min(photograph.pixels.shape[1:]) >= 300
    red, _, blue = photograph.pixels
    assert not torch.equal(red, blue)
    assert photograph.caption
    assert photograph.licence
    assert "in scikit-" in photograph.source


def test_an_unknown_photograph_offers_the_nearest_name():
    with pytest.raises(UnknownName, match="'coffee'"):
        photographs.photograph("cofee")


def test_reading_the_photographs_opens_no_connection(monkeypatch):
    def refuse(*_arguments, **_options):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    for name in photographs.names():
        photographs.photograph(name)
    photographs.faces()


def test_a_missing_package_file_is_told_with_its_remedy(monkeypatch, tmp_path):
    class Spec:
        origin = str(tmp_path / "__init__.py")

    monkeypatch.setattr("importlib.util.find_spec", lambda _name: Spec)
    with pytest.raises(UnreadableImage, match=r"chelsea\.png is missing.*pip install .*scikit-image"):
        photographs.photograph("cat")


def test_two_calls_share_no_pixels():
    first = photographs.photograph("cat")
    first.pixels.zero_()
    assert photographs.photograph("cat").pixels.max() > 0.5


def test_a_square_is_the_middle_of_the_picture():
    pixels = torch.zeros(3, 10, 30)
    pixels[:, :, 10:20] = 1
    wide = photographs.Photograph("stripe", pixels, "", "", "")
    assert torch.equal(wide.square(5), torch.ones(3, 5, 5))


def test_a_square_is_antialiased_and_stays_in_range():
    pixels = torch.zeros(3, 64, 64)
    pixels[:, :, ::2] = 1  # stripes of one pixel: without averaging, they would turn black or white
    stripes = photographs.Photograph("stripes", pixels, "", "", "")
    assert (stripes.square(8) - 0.5).abs().max() < 0.05
    square = photographs.photograph("astronaut").square(64)
    assert square.shape == (3, 64, 64)
    assert square.min() >= 0
    assert square.max() <= 1


def test_a_square_can_be_larger_than_the_picture():
    dot = photographs.Photograph("dot", torch.full((3, 1, 1), 0.25), "", "", "")
    assert torch.equal(dot.square(7), torch.full((3, 7, 7), 0.25))


def test_a_square_without_pixels_is_refused():
    with pytest.raises(ValueError, match="size=0"):
        photographs.photograph("cat").square(0)


def test_a_photograph_introduces_itself_in_one_line():
    assert repr(photographs.photograph("cat")) == "Photograph('cat', 300 × 451)"


def test_the_first_hundred_pictures_are_faces():
    faces = photographs.faces()
    assert faces.images.shape == (200, 25, 25)
    assert faces.is_face.tolist() == [True] * 100 + [False] * 100
    assert faces.images.min() >= 0
    assert faces.images.max() <= 1
    detail = faces.images.diff(dim=2).abs().mean((1, 2))
    assert detail[faces.is_face].median() > 2 * detail[~faces.is_face].median()


def test_a_picture_of_the_learners_comes_from_a_path_bytes_or_an_open_file(tmp_path):
    from PIL import Image

    path = tmp_path / "mine.png"
    Image.new("RGB", (4, 3), (255, 0, 0)).save(path)
    content = path.read_bytes()
    with path.open("rb") as file:
        readings = [
            photographs.read_image(path),
            photographs.read_image(str(path)),
            photographs.read_image(content, name="mine.png"),
            photographs.read_image(memoryview(content), name="mine.png"),
            photographs.read_image(io.BytesIO(content), name="mine.png"),
            photographs.read_image(file),
        ]
        assert not file.closed
    red = torch.tensor([1.0, 0, 0])[:, None, None].expand(3, 3, 4)
    for photograph in readings:
        assert photograph.name == "mine.png"
        assert torch.equal(photograph.pixels, red)
