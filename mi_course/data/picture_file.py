"""Picture files of every kind, turned into red, green and blue bytes, in bounded memory."""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from mi_course.errors import UnreadableImage

MOST_MEGAPIXELS = 120
"""Pictures that unpack to more are refused: 120 megapixels take half a gigabyte of memory."""

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "PPM", "JPEG2000")
"""What Pillow may try. Its other readers are left out: some start programs, none holds photographs."""

_ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held


@runtime_checkable
class BinaryFile(Protocol):
    """An open file, or anything else with a ``read`` that gives bytes."""

    def read(self, size: int = -1, /) -> bytes: ...


def read(source, *, name: str | None, longest_side: int) -> tuple[UInt8[np.ndarray, "height width 3"], str]:
    """The picture's bytes, from 0 to 255, and what to call it; see ``photographs.read_image``."""
    if longest_side < 1:
        raise ValueError(f"longest_side={longest_side} leaves no picture; give 1 pixel or more.")
    stream, called = _open(source, name)
    with stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's notes on odd files; what matters raises
        Image.init()
        readable = [kind for kind in FORMATS if kind in Image.OPEN]
        try:
            with Image.open(stream, formats=readable) as image:
                return _upright_rgb(image, called, longest_side), called
        except Image.DecompressionBombError as error:
            pixels = re.search(r"\d+", str(error))
            size = f"{int(pixels[0]) / 1e6:,.0f}" if pixels else "far too many"
            raise _too_large(called, f"{size} megapixels") from None
        except UnidentifiedImageError:
            raise UnreadableImage(_why_unknown(stream, called)) from None
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError) as error:
            raise UnreadableImage(
                f"{called} begins like a picture, but it is damaged or cut short ({error}). "
                "Copy or download it again; if that changes nothing, open it in a picture viewer "
                "and save it as PNG."
            ) from None


def _open(source, name: str | None) -> tuple[BinaryFile, str]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        called = name or "the uploaded picture"
        if len(source) == 0:
            raise UnreadableImage(f"{called} is empty: it holds no bytes. Choose another file.")
        return io.BytesIO(source), called
    if isinstance(source, (str, os.PathLike)):
        path = Path(source).expanduser()
        called = name or path.name or str(path)
        if path.is_dir():
            raise UnreadableImage(f"{path} is a folder. Give the path of one picture inside it.")
        try:
            empty = path.stat().st_size == 0
            stream = path.open("rb")
        except FileNotFoundError:
            raise UnreadableImage(
                f"There is no file {path}. Relative paths start at {Path.cwd()}; check the spelling there."
            ) from None
        except (OSError, ValueError) as error:
            raise UnreadableImage(
                f"{path} cannot be opened ({error}). Check its permissions, or copy it to your own folder."
            ) from None
        if empty:
            stream.close()
            raise UnreadableImage(f"{called} is empty: it holds no bytes. Copy or download it again.")
        return stream, called
    # The file belongs to whoever opened it and stays open: only its bytes go on from here.
    content = source.read()
    if not isinstance(content, bytes):
        raise UnreadableImage(
            "This file was opened as text. Open it with mode 'rb', or give read_image its path."
        )
    return _open(content, name or Path(str(getattr(source, "name", "the uploaded picture"))).name)


def _too_large(called: str, size: str) -> UnreadableImage:
    return UnreadableImage(
        f"{called} unpacks to {size}; the course reads at most {MOST_MEGAPIXELS} megapixels, "
        "to spare this machine's memory. Shrink it first; 2,000 pixels a side are plenty."
    )


def _why_unknown(stream: BinaryFile, called: str) -> str:
    stream.seek(0)
    start = stream.read(32)
    if start[4:8] == b"ftyp":
        return (
            f"{called} is a phone's HEIC photograph or a video, which cannot be read here. "
            "Export it as JPEG and use that file."
        )
    return (
        f"{called} is not a picture in a format that can be read here "
        "(JPEG, PNG, GIF, WebP, AVIF, BMP or TIFF). "
        "If it is a picture, open it in a picture viewer and save it as PNG or JPEG."
    )


def _upright_rgb(image: Image.Image, called: str, longest_side: int) -> np.ndarray:
    """The picture as height × width × 3 bytes, turned upright, no side above ``longest_side``."""
    # A JPEG can be unpacked at 1/2, 1/4 or 1/8 of its size, which saves the memory of the full one.
    image.draft(None, (longest_side, longest_side))
    width, height = image.size
    if width * height > MOST_MEGAPIXELS * 1e6:
        raise _too_large(called, f"{width:,} × {height:,} = {width * height / 1e6:,.0f} megapixels")
    image.load()
    bands = [np.asarray(band) for band in _rgb_bands(image, max(1, max(width, height) // longest_side))]
    rgb = Image.fromarray(np.concatenate(bands))
    rgb.thumbnail((longest_side, longest_side), Image.Resampling.BILINEAR)
    rgb.getexif()[_ORIENTATION] = image.getexif().get(_ORIENTATION, 1)
    return np.array(ImageOps.exif_transpose(rgb))


def _rgb_bands(image: Image.Image, shrink: int) -> Iterator[Image.Image]:
    """Band after band of rows as RGB on white, each shrunk by a whole factor.

    Only one band at a time exists in full resolution beside the picture itself.
    """
    stretch = _stretch(image)
    rows = shrink * max(1, 512 // shrink)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        if stretch is not None:
            low, high = stretch
            values = np.nan_to_num(np.asarray(band, dtype=np.float64), nan=low)
            levels = np.clip((values - low) / (high - low), 0, 1) * 255
            rgb = Image.fromarray(np.round(levels).astype(np.uint8)).convert("RGB")
        elif image.has_transparency_data:
            rgba = band.convert("RGBA")
            white = rgba.copy()
            white.paste((255, 255, 255, 255), (0, 0, *rgba.size))
            white.alpha_composite(rgba)
            rgb = white.convert("RGB")
        else:
            rgb = band.convert("RGB")
        yield rgb.reduce(shrink) if shrink > 1 else rgb


def _stretch(image: Image.Image) -> tuple[float, float] | None:
    """Which stored numbers mean black and white, for the modes with more than eight bits a pixel."""
    if not image.mode.startswith(("I", "F")):
        return None
    low, high = image.getextrema()
    usual = 1.0 if image.mode == "F" else 65535.0
    if low >= 0 and high <= usual:
        return 0.0, usual
    if not np.isfinite([low, high]).all() or low == high:
        return 0.0, usual
    return float(low), float(high)
