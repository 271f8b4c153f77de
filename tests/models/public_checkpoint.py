"""A file in the format of torchvision's AlexNet: its names and shapes, random numbers, a few megabytes.

The two largest matrices are windows on one short row of random numbers. PyTorch stores the row
once, and loading unfolds it, so that the file stays small and is still read like the real one.
"""

from collections import OrderedDict
from pathlib import Path

import torch

SHAPES = {
    "features.0.weight": (64, 3, 11, 11),
    "features.0.bias": (64,),
    "features.3.weight": (192, 64, 5, 5),
    "features.3.bias": (192,),
    "features.6.weight": (384, 192, 3, 3),
    "features.6.bias": (384,),
    "features.8.weight": (256, 384, 3, 3),
    "features.8.bias": (256,),
    "features.10.weight": (256, 256, 3, 3),
    "features.10.bias": (256,),
    "classifier.1.weight": (4096, 9216),
    "classifier.1.bias": (4096,),
    "classifier.4.weight": (4096, 4096),
    "classifier.4.bias": (4096,),
    "classifier.6.weight": (1000, 4096),
    "classifier.6.bias": (1000,),
}
"""What ``torchvision.models.alexnet().state_dict()`` holds, in its order."""


def weights(seed: int = 0, hidden: int = 4096) -> OrderedDict:
    """``hidden``: units in each of the two layers of the classifier that hold nine tenths of the numbers."""
    generator = torch.Generator().manual_seed(seed)
    made = OrderedDict()
    for name, published in SHAPES.items():
        shape = tuple(hidden if size == 4096 else size for size in published)
        if len(shape) == 2:
            row = 0.02 * torch.randn(sum(shape), generator=generator)
            made[name] = row.as_strided(shape, (1, 1))
        else:
            made[name] = 0.05 * torch.randn(shape, generator=generator)
    return made


def write(path: Path, state=None, **options) -> str:
    """Save ``state`` (by default: random weights) as torchvision does; returns the start of its sha256."""
    import hashlib

    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(weights() if state is None else state, path, **options)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
