"""A Tiny ImageNet of three classes and coloured noise, in either layout: what the recipe reads, in no time."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from mi_course.models.alexnet import AlexNetConfig, Convolution

CLASSES = {"n01": "goldfish, Carassius auratus", "n02": "alp", "n03": "pizza, pizza pie"}
SIDE, TRAIN, VAL = 16, 12, 5

CONFIG = AlexNetConfig(
    image_size=SIDE,
    convolutions=(
        Convolution(6, kernel=3, pool=True),
        Convolution(4, kernel=3, padding=1, groups=2, pool=True),
        Convolution(6, kernel=3, padding=1),
        Convolution(6, kernel=3, padding=1, groups=2),
        Convolution(4, kernel=3, padding=1, groups=2, pool=True),
    ),
    grid=1,
    hidden=(6, 5),
    n_classes=3,
    pool_padding=1,
)


def jpeg(number: int, brightest: int) -> bytes:
    """Noise in which one of the three colours is stronger: a class that can be learned."""
    pixels = np.random.default_rng(number).integers(0, 120, (SIDE, SIDE, 3)).astype(np.uint8)
    pixels[..., brightest] += 120
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


def files(layout: str) -> dict[str, bytes]:
    """The whole tree by path: ``public`` as Stanford lays it out, or ``plain``."""
    tree = {"words.txt": "\n".join(f"{wnid}\t{name}" for wnid, name in CLASSES.items()).encode()}
    annotations = []
    for colour, wnid in enumerate(CLASSES):
        folder = f"train/{wnid}/images" if layout == "public" else f"train/{wnid}"
        for number in range(TRAIN):
            tree[f"{folder}/{wnid}_{number}.JPEG"] = jpeg(100 * colour + number, colour)
        for number in range(VAL):
            content, name = jpeg(1000 + 100 * colour + number, colour), f"val_{3 * number + colour}.JPEG"
            if layout == "public":
                tree[f"val/images/{name}"] = content
                annotations.append(f"{name}\t{wnid}\t0\t0\t62\t62")
            else:
                tree[f"val/{wnid}/{name}"] = content
    if layout == "public":
        tree["val/val_annotations.txt"] = "\n".join(annotations).encode()
        tree["train/n01/n01_boxes.txt"] = b"n01_0.JPEG\t0\t0\t5\t5\n"
        tree["test/images/test_0.JPEG"] = jpeg(0, 0)
    return tree


def lay(folder: Path, layout: str = "public") -> Path:
    for name, content in files(layout).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def pack(path: Path, layout: str = "public") -> Path:
    """The same as a zip file, inside a folder, as it is downloaded."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files(layout).items():
            archive.writestr(f"tiny-imagenet-200/{name}", content)
    return path
