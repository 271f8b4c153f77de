"""Files of every kind: each one becomes pixels, or an error that says what to do."""

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, features

from mi_course.data import picture_file
from mi_course.errors import UnreadableImage


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def levels(content, longest_side: int = 2048) -> np.ndarray:
    return picture_file.read(content, name="it", longest_side=longest_side)[0]


def complaint(source, name=None) -> str:
    with pytest.raises(UnreadableImage) as caught:
        picture_file.read(source, name=name, longest_side=2048)
    return str(caught.value)


def test_grey_is_repeated_in_the_three_channels():
    assert levels(encoded(Image.new("L", (2, 2), 100))).tolist() == [[[100] * 3] * 2] * 2


def test_black_and_white_becomes_0_and_255():
    image = Image.new("1", (2, 1))
    image.putpixel((1, 0), 1)
    assert levels(encoded(image)).tolist() == [[[0] * 3, [255] * 3]]


def test_a_palette_gives_its_colours():
    image = Image.new("RGB", (2, 1), (255, 0, 0))
    image.putpixel((1, 0), (0, 0, 255))
    assert levels(encoded(image.quantize(2))).tolist() == [[[255, 0, 0], [0, 0, 255]]]


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_transparent_colour_of_a_palette_shows_white(kind):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    assert levels(encoded(image, kind, transparency=1)).tolist() == [[[255, 0, 0], [255, 255, 255]]]


def test_a_transparent_colour_of_a_true_colour_picture_shows_white():
    image = Image.new("RGB", (1, 1), (9, 9, 9))
    assert levels(encoded(image, transparency=(9, 9, 9))).tolist() == [[[255] * 3]]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_half_transparent_black_on_white_is_grey(mode):
    black = (0, 0, 0, 128) if mode == "RGBA" else (0, 128)
    assert abs(int(levels(encoded(Image.new(mode, (1, 1), black))).mean()) - 127) <= 1


def test_cmyk_is_converted():
    cyan = levels(encoded(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG", quality=95))
    assert np.abs(cyan.mean((0, 1)) - [0, 255, 255]).max() < 5


def test_sixteen_bits_of_grey_keep_their_range():
    ramp = np.array([[0, 32768, 65535]], dtype=np.uint16)
    assert levels(encoded(Image.fromarray(ramp)))[0, :, 0].tolist() == [0, 128, 255]
    assert levels(encoded(Image.fromarray(ramp), "TIFF"))[0, :, 0].tolist() == [0, 128, 255]


def test_floating_point_from_0_to_1_is_taken_as_it_is_and_else_stretched():
    unit = np.array([[0.0, 0.2, 0.5]], dtype=np.float32)
    wide = np.array([[-10.0, 0.0, 30.0]], dtype=np.float32)
    assert levels(encoded(Image.fromarray(unit), "TIFF"))[0, :, 0].tolist() == [0, 51, 128]
    assert levels(encoded(Image.fromarray(wide), "TIFF"))[0, :, 0].tolist() == [0, 64, 255]


def test_not_a_number_becomes_black_rather_than_an_error():
    holes = np.array([[np.nan, 1.0]], dtype=np.float32)
    assert levels(encoded(Image.fromarray(holes), "TIFF"))[0, :, 0].tolist() == [0, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_camera_orientation_stands_upright(orientation):
    upright = Image.new("RGB", (32, 48), (0, 0, 255))
    upright.paste((255, 0, 0), (0, 0, 16, 16))  # red in the upper left corner
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        read = levels(encoded(stored, kind, exif=exif))
        assert read.shape == (48, 32, 3), kind
        assert read[4, 4, 0] > 200, kind
        assert read[44, 28, 2] > 200, kind


def test_an_orientation_that_does_not_exist_is_ignored():
    exif = Image.Exif()
    exif[0x0112] = 99
    assert levels(encoded(Image.new("RGB", (3, 2)), "JPEG", exif=exif)).shape == (2, 3, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM"])
def test_one_pixel_is_a_picture(kind):
    assert levels(encoded(Image.new("RGB", (1, 1), (255, 255, 255)), kind)).shape == (1, 1, 3)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_read(kind):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    animation = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert np.abs(levels(animation).mean((0, 1)) - [255, 0, 0]).max() < 8


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow cannot write AVIF")
def test_avif_is_read():
    assert (
        np.abs(levels(encoded(Image.new("RGB", (16, 16), "red"), "AVIF")).mean((0, 1)) - [255, 0, 0]).max()
        < 8
    )


@pytest.mark.parametrize(
    ("size", "shrunk"),
    [
        ((300, 100), (64, 21)),
        ((100, 300), (21, 64)),
        ((64, 64), (64, 64)),
        ((10_000, 1), (64, 1)),
        ((65, 2), (64, 2)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_large_picture_is_shrunk_to_its_longest_side(size, shrunk, kind):
    height, width, _ = levels(encoded(Image.new("RGB", size, "red"), kind), longest_side=64).shape
    assert (width, height) == shrunk


def test_shrinking_by_a_whole_factor_averages():
    board = np.indices((512, 512)).sum(0) % 2 * 255
    read = levels(encoded(Image.fromarray(board.astype(np.uint8))), longest_side=64)
    assert read.shape == (64, 64, 3)
    assert np.abs(read.astype(int) - 127).max() <= 1


def test_bands_leave_no_seams():
    ramp = np.linspace(0, 255, 2000, dtype=np.uint8)[:, None].repeat(7, 1)
    read = levels(encoded(Image.fromarray(ramp)), longest_side=300)[:, 0, 0].astype(int)
    assert len(read) == 300
    assert set(np.diff(read)) <= {0, 1, 2}


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_ten_thousand_pixels_a_side_stay_within_a_gigabyte(kind, tmp_path):
    path = tmp_path / "large"
    Image.new("RGB", (10_000, 10_000)).save(path, kind, compress_level=1)
    script = f"""
import resource, sys
from mi_course.data import picture_file
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
read, _ = picture_file.read({str(path)!r}, name=None, longest_side=2048)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(*read.shape, (after - before) * (1 if sys.platform == "darwin" else 1024) // 2**20)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    *shape, megabytes = map(int, result.stdout.split())
    assert shape == [2048, 2048, 3]
    assert megabytes < (600 if kind == "PNG" else 150)


def png_claiming(width: int, height: int) -> bytes:
    """A small file whose header says that it is huge."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("side", "said"), [(12_000, "12,000 × 12,000 = 144 megapixels"), (60_000, "3,600 megapixels")]
)
def test_a_picture_that_would_fill_the_memory_is_refused_with_its_size(side, said):
    words = complaint(png_claiming(side, side), name="bomb.png")
    assert words.startswith(f"bomb.png unpacks to {said}")
    assert "at most 120 megapixels" in words
    assert "Shrink it" in words


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("part", [0.2, 0.5, 0.95])
def test_a_file_that_is_cut_short_says_so(kind, part):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 60, 3), dtype=np.uint8))
    content = encoded(noise, kind)
    words = complaint(content[: int(len(content) * part)], name="half.img")
    assert "half.img" in words
    assert "damaged or cut short" in words or "not a picture" in words


def test_damaged_bytes_never_raise_anything_else():
    random = np.random.default_rng(1)
    picture = Image.fromarray(random.integers(0, 255, (24, 24, 3), dtype=np.uint8))
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM"):
        content = np.frombuffer(encoded(picture, kind), dtype=np.uint8)
        for _ in range(60):
            damaged = content.copy()
            damaged[random.integers(0, min(len(damaged), 400), 5)] = random.integers(0, 256, 5)
            try:
                read = levels(damaged.tobytes())
            except UnreadableImage:
                continue
            assert read.dtype == np.uint8
            assert read.shape[2] == 3


def test_a_phones_heic_gets_its_own_advice():
    assert "Export it as JPEG" in complaint(b"\x00\x00\x00\x18ftypheic" + b"\x00" * 64, name="IMG_1.HEIC")


@pytest.mark.parametrize(
    "content",
    [
        b"Dear diary",
        b"<svg></svg>",
        b"%PDF-1.7",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"\x00",
    ],
)
def test_what_is_no_picture_says_so(content):
    words = complaint(content, name="notes")
    assert words.startswith("notes is not a picture in a format that can be read here")
    assert "save it as PNG or JPEG" in words


def test_an_empty_file_says_so(tmp_path):
    (tmp_path / "empty.png").touch()
    assert "empty.png is empty" in complaint(tmp_path / "empty.png")
    assert "is empty" in complaint(b"")
    assert "is empty" in complaint(io.BytesIO())


def test_a_folder_says_so(tmp_path):
    assert "is a folder" in complaint(tmp_path)


def test_a_missing_file_says_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = complaint("holiday.jpg")
    assert words.startswith("There is no file holiday.jpg.")
    assert str(tmp_path) in words


def test_an_impossible_path_says_so():
    assert "cannot be opened" in complaint("a\0b.png")


def test_a_file_opened_as_text_says_how_to_open_it(tmp_path):
    (tmp_path / "a.png").write_text("x")
    with (tmp_path / "a.png").open() as file:
        assert "mode 'rb'" in complaint(file)


def test_no_side_at_all_is_refused():
    with pytest.raises(ValueError, match="longest_side=0"):
        picture_file.read(b"x", name=None, longest_side=0)
