"""Photographs to show a vision network: nine that are already on this machine, and any file of your own.

Nothing here opens a network connection. The nine photographs and the faces are files inside the
scikit-image and scikit-learn packages. They are read by path, because scikit-image's own loaders
may decide to download.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mi_course.data import picture_file
from mi_course.errors import UnknownName, UnreadableImage


@dataclass(frozen=True, eq=False)
class Photograph:
    """One picture with its origin.

    ``pixels`` has red, green and blue as channels 0, 1, 2, from 0 (no light) to 1 (full light), as
    the file stores them: gamma-encoded sRGB, not proportional to physical light. Row 0 is the top.
    """

    name: str
    pixels: Float[Tensor, "3 height width"]
    caption: str
    licence: str
    source: str

    def __repr__(self) -> str:
        _, height, width = self.pixels.shape
        return f"Photograph({self.name!r}, {height} × {width})"

    def square(self, size: int) -> Float[Tensor, "3 size size"]:
        """The largest square in the middle of the picture, resized to ``size`` × ``size``; in [0, 1].

        Shrinking averages over all the pixels that fall into one (antialiased), so that fine
        stripes turn grey instead of into false coarse stripes. What lies outside the square is
        not seen by the network at all.
        """
        if size < 1:
            raise ValueError(f"size={size} makes no picture; give the side in pixels, 1 or more.")
        _, height, width = self.pixels.shape
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        middle = self.pixels[None, :, top : top + side, left : left + side]
        resized = torch.nn.functional.interpolate(middle, (size, size), mode="bilinear", antialias=True)
        return resized[0].clamp(0, 1)


@dataclass(frozen=True)
class _Origin:
    package: str
    file: str
    caption: str
    licence: str
    source: str


_CC_BY = "CC BY 2.0, https://creativecommons.org/licenses/by/2.0/"

_ORIGINS = {
    "cat": _Origin(
        "skimage",
        "data/chelsea.png",
        "Chelsea, a tabby cat, looks past the camera.",
        "CC0",
        "Stefan van der Walt, in scikit-image",
    ),
    "astronaut": _Origin(
        "skimage",
        "data/astronaut.png",
        "Eileen Collins, astronaut, smiles in an orange suit in front of a flag and a model shuttle.",
        "public domain: no known copyright restrictions",
        "NASA Great Images, https://flic.kr/p/r9qvLn, in scikit-image",
    ),
    "coffee": _Origin(
        "skimage",
        "data/coffee.png",
        "A cup of coffee with a spoon on a wooden table.",
        "CC0",
        "Rachel Michetti, courtesy of Pikolo Espresso Bar, in scikit-image",
    ),
    "rocket": _Origin(
        "skimage",
        "data/rocket.jpg",
        "A Falcon 9 rocket stands on its launch pad between steel towers at dusk.",
        "public domain",
        "SpaceX, https://www.flickr.com/photos/spacexphotos/16511594820/, in scikit-image",
    ),
    "motorcycle": _Origin(
        "skimage",
        "data/motorcycle_left.png",
        "A red motorcycle in a garage, seen from the side.",
        "not stated by scikit-image; see https://vision.middlebury.edu/stereo/data/scenes2014/",
        "Middlebury 2014 stereo benchmark (Scharstein et al. 2014), left image, in scikit-image",
    ),
    "galaxies": _Origin(
        "skimage",
        "data/hubble_deep_field.jpg",
        "Thousands of galaxies on black: the Hubble eXtreme Deep Field.",
        "public domain",
        "NASA, HubbleSite news release 2012-37, in scikit-image",
    ),
    "retina": _Origin(
        "skimage",
        "data/retina.jpg",
        "The back of a human eye, with its blood vessels and the bright spot where the optic nerve leaves.",
        "CC0",
        "Mikael Häggström (2014), doi:10.15347/wjm/2014.008, in scikit-image",
    ),
    "pagoda": _Origin(
        "sklearn",
        "datasets/images/china.jpg",
        "A pagoda with tiled roofs above trees and a lake in China.",
        _CC_BY,
        "danielbuechele, https://www.flickr.com/photos/danielbuechele/6061409035/, in scikit-learn",
    ),
    "flower": _Origin(
        "sklearn",
        "datasets/images/flower.jpg",
        "An orange dahlia in front of dark leaves.",
        _CC_BY,
        "vultilion (the account that scikit-learn links to), "
        "https://www.flickr.com/photos/vultilion/6056698931/, in scikit-learn",
    ),
}

_TEXTURES = {
    "bricks": _Origin(
        "skimage",
        "data/brick.png",
        "A brick wall.",
        "CC0",
        "CC0Textures, https://cc0textures.com/view.php?tex=Bricks25, in scikit-image",
    ),
    "grass": _Origin(
        "skimage",
        "data/grass.png",
        "Grass, seen from above.",
        "CC0",
        "linolafett, https://www.deviantart.com/linolafett/art/Grass-01-434853879, in scikit-image",
    ),
    "gravel": _Origin(
        "skimage",
        "data/gravel.png",
        "Gravel, seen from above.",
        "CC0",
        "CC0Textures, https://cc0textures.com/view.php?tex=Gravel04, in scikit-image",
    ),
    "coins": _Origin(
        "skimage",
        "data/coins.png",
        "Greek coins from Pompeii on a dark ground.",
        "no known copyright restrictions",
        "Brooklyn Museum, https://www.brooklynmuseum.org/opencollection/archives/image/51611, in scikit-image",
    ),
    "cameraman": _Origin(
        "skimage",
        "data/camera.png",
        "A man in a coat behind a camera on a tripod.",
        "CC0",
        "Lav Varshney, in scikit-image",
    ),
    "cell": _Origin(
        "skimage",
        "data/cell.png",
        "A single cell floating in saline, by quantitative phase imaging.",
        "CC0",
        "Müller et al. 2018, doi:10.1364/OE.26.010729, in scikit-image",
    ),
    "handwriting": _Origin(
        "skimage",
        "data/text.png",
        "Handwriting on a page.",
        "public domain: no known copyright restrictions",
        "https://en.wikipedia.org/wiki/File:Corner.png, in scikit-image",
    ),
}


def names() -> tuple[str, ...]:
    """The nine colour photographs."""
    return tuple(_ORIGINS)


def textures() -> tuple[str, ...]:
    """Seven grey pictures, most of them of one texture: material for tests of what a layer can tell apart."""
    return tuple(_TEXTURES)


def photograph(name: str) -> Photograph:
    """One of the pictures that ship inside scikit-image and scikit-learn: of `names` or of `textures`.

    Raises ``UnknownName``, with the nearest names, for any other.
    """
    known = _ORIGINS | _TEXTURES
    if name not in known:
        raise UnknownName("photograph", name, known)
    origin = known[name]
    read = read_image(_package_file(origin.package, origin.file))
    return Photograph(name, read.pixels, origin.caption, origin.licence, origin.source)


@dataclass(frozen=True, eq=False)
class Faces:
    """Small grey pictures, 25 × 25 pixels: 100 faces, then 100 pieces of background.

    ``images`` runs from 0 (black) to 1 (white); ``is_face`` is true for a face. The two groups
    differ in more than faces: the backgrounds are smoother, often nearly empty, and many have a black
    corner, so telling them apart does not prove that anything recognises a face. Two labels are
    doubtful: background 125 shows most of a face, and background 130 an eye and a cheek.
    """

    images: Float[Tensor, "n 25 25"]
    is_face: Bool[Tensor, " n"]
    licence: str
    source: str

    def __repr__(self) -> str:
        return f"Faces({len(self.images)} pictures, {int(self.is_face.sum())} of them faces)"


def faces() -> Faces:
    """The 100 faces and 100 non-faces of the Labeled Faces in the Wild subset in scikit-image."""
    images = torch.from_numpy(np.load(_package_file("skimage", "data/lfw_subset.npy"))).float()
    return Faces(
        images=images,
        is_face=torch.arange(len(images)) < 100,
        licence="not stated by scikit-image; see http://vis-www.cs.umass.edu/lfw/",
        source="Labeled Faces in the Wild (Huang, Mattar, Lee and Learned-Miller 2012), in scikit-image",
    )


def read_image(
    source: str | os.PathLike | bytes | bytearray | memoryview | picture_file.BinaryFile,
    *,
    name: str | None = None,
    longest_side: int = 2048,
) -> Photograph:
    """Read any picture of yours: a path, the bytes of a file, or an open binary file.

    Whatever the file holds becomes red, green and blue in [0, 1]:

    - grey is repeated in the three channels; 16-bit grey keeps its range; other number formats
      (32-bit, floating point) that leave their usual range are stretched from least to greatest value;
    - transparent parts show white, as on a sheet of paper;
    - CMYK is converted by the plain formula, without colour profiles;
    - a photograph that was taken with the camera turned stands upright (EXIF orientation);
    - of an animation, the first frame is read;
    - what is larger than ``longest_side`` pixels is shrunk to it, so that no picture fills the memory.

    ``name`` is what errors call the picture; by default the file's own name.
    Raises ``UnreadableImage`` with the reason and the remedy when the file is missing, empty, cut
    short, larger than 120 megapixels once unpacked, or no picture.
    """
    levels, called = picture_file.read(source, name=name, longest_side=longest_side)
    pixels = torch.from_numpy(levels).permute(2, 0, 1).float().div(255).contiguous()
    return Photograph(called, pixels, f"your picture {called}", "yours to know", called)


def _package_file(package: str, file: str) -> Path:
    spec = importlib.util.find_spec(package)  # finds the folder without importing the package
    path = Path(spec.origin).parent / file if spec and spec.origin else None
    if path is None or not path.is_file():
        distribution = {"skimage": "scikit-image", "sklearn": "scikit-learn"}[package]
        raise UnreadableImage(
            f"{file} is missing from {distribution} on this machine. "
            f"Install it again: python -m pip install --force-reinstall --no-deps {distribution}"
        )
    return path
