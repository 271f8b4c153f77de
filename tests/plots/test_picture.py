"""A figure shows itself with its words, once, and the same each time."""

import base64
import io
import re
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
from PIL import Image

from mi_course.data import photographs
from mi_course.plots import Picture, curves, image_grid
from mi_course.plots.style import new_figure, styled

matplotlib.use("agg")


def line(alt="A line that rises.", **options):
    return curves([0, 1], {"line": [0, 1]}, title="A line", xlabel="x", ylabel="y", alt=alt, **options)


class Images(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_a_picture_shows_itself_as_html_and_as_words():
    bundle = line()._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"] == "Picture: A line that rises."
    [(tag, attributes)] = Images(bundle["text/html"]).found
    assert tag == "img"
    assert attributes["alt"] == "A line that rises."
    kind, data = re.fullmatch(r"data:image/(\w+);base64,(.*)", attributes["src"]).groups()
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert image.format.lower() == kind == "png"
    assert (int(attributes["width"]), int(attributes["height"])) == (720, 384)
    assert image.size == (900, 480)


def test_words_with_html_in_them_stay_words():
    words = 'Is a < b & "c" > d? <script>alert(1)</script>'
    [(tag, attributes)] = Images(line(alt=words).html()).found
    assert tag == "img"
    assert attributes["alt"] == f"A line. {words}"


@pytest.mark.parametrize(
    ("title", "alt", "heard"),
    [
        ("Depth helps", "By layer: 0.2, 0.9.", "Depth helps. By layer: 0.2, 0.9."),
        ("Does depth help?", "By layer: 0.2, 0.9.", "Does depth help? By layer: 0.2, 0.9."),
        ("After 3 steps\nof 9.", "Seen: a cat.", "After 3 steps of 9. Seen: a cat."),
        ("A line", "A line that rises.", "A line that rises."),
        ("", "A line that rises.", "A line that rises."),
    ],
)
def test_who_hears_a_picture_hears_its_title_once_and_first(title, alt, heard):
    picture = Picture(new_figure(1), alt, title=title)
    assert Images(picture.html()).found[0][1]["alt"] == heard
    assert repr(picture) == f"Picture: {alt}"


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_a_picture_without_words_is_refused(alt):
    with pytest.raises(ValueError, match="alt is empty"):
        Picture(new_figure(1), alt)


def test_line_breaks_in_the_words_become_spaces():
    assert Picture(new_figure(1), "two\n    lines").alt == "two lines"


def test_the_same_figure_gives_the_same_bytes():
    assert line().png() == line().png()
    assert b"Software" not in line().png()


def test_a_figure_of_pyplots_is_shown_once():
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2])
    picture = Picture(figure, "A line.")
    assert plt.get_fignums() == []
    assert Image.open(io.BytesIO(picture.png())).format == "PNG"


def test_the_panel_is_light_and_opaque_whatever_the_settings_outside():
    with matplotlib.rc_context({"figure.facecolor": "black", "savefig.transparent": True}):
        pixels = np.asarray(Image.open(io.BytesIO(line().png())).convert("RGBA"))
    assert pixels[0, 0].tolist() == [250, 250, 247, 255]
    assert (pixels[..., 3] == 255).all()


def test_a_plot_stays_below_100_kilobytes_and_photographs_are_stored_compactly():
    pixels = [photographs.photograph(name).pixels for name in ("cat", "coffee", "rocket", "pagoda")]
    grid = image_grid(pixels, columns=2, title="Photographs", alt="Four photographs.")
    assert len(line().html()) < 100_000
    assert len(grid.png()) > 300_000
    [(_, attributes)] = Images(grid.html()).found
    assert attributes["src"].startswith("data:image/webp;base64,")
    assert len(grid.html()) < 150_000


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_picture_can_be_saved_with_its_words(tmp_path, ending):
    path = line().save(tmp_path / f"line.{ending}")
    assert path.stat().st_size > 1000
    if ending == "png":
        assert Image.open(path).text["Description"] == "A line that rises."
    if ending == "svg":
        assert "A line that rises." in path.read_text()


def test_style_is_left_as_it_was():
    before = matplotlib.rcParams["axes.titleweight"]
    line().png()
    with styled():
        assert matplotlib.rcParams["axes.titleweight"] == "bold"
    assert matplotlib.rcParams["axes.titleweight"] == before
