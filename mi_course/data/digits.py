"""1,797 handwritten digits of 8 × 8 pixels, in three parts: to learn from, to choose with, to test on.

They are a file inside scikit-learn; nothing here opens a network connection.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

LICENCE = "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/"
SOURCE = (
    "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning "
    "Repository, 1998, https://doi.org/10.24432/C50P49; the copy in scikit-learn"
)
SIDE, MOST_INK = 8, 16
LEARN, CHOOSE = 900, 300


@dataclass(frozen=True, eq=False)
class Digits:
    """Pictures and what they show.

    ``images`` run from 0 (paper) to 1 (full ink), row 0 at the top: *ink*, not light.
    ``labels`` are 0 to 9, in the order of the images.
    """

    images: Float[Tensor, "image 8 8"]
    labels: Int[Tensor, " image"]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, part: slice | int) -> Digits:
        if not isinstance(part, slice):
            raise TypeError(f"digits[{part!r}] is no part; for one picture take digits.images[{part!r}].")
        return Digits(self.images[part], self.labels[part])

    def __repr__(self) -> str:
        return f"Digits({len(self)} pictures of 8 × 8)"

    def with_shuffled_labels(self, seed: int = 0) -> Digits:
        """The same pictures, the same labels, but dealt out at random: nothing is left to be learned."""
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        return Digits(self.images, self.labels[order])


@dataclass(frozen=True)
class DigitParts:
    """Three parts that share no picture.

    ``learn``: what a classifier is fitted to. ``choose``: held out to compare versions of it.
    ``test``: held out for the number that is reported; whatever was chosen on it is no test any more.
    """

    learn: Digits
    choose: Digits
    test: Digits


@lru_cache(maxsize=1)
def all_digits() -> Digits:
    """All pictures, in the order of the file."""
    # By path: importing scikit-learn for one small file would take seconds.
    package = importlib.util.find_spec("sklearn").submodule_search_locations[0]
    table = np.loadtxt(Path(package, "datasets", "data", "digits.csv.gz"), delimiter=",", dtype=np.int64)
    pixels, labels = table[:, :-1], table[:, -1]
    images = torch.tensor(pixels / MOST_INK, dtype=torch.float32).reshape(-1, SIDE, SIDE)
    return Digits(images, torch.from_numpy(labels.copy()))


def parts() -> DigitParts:
    """The first 900 pictures to learn from, the next 300 to choose with, the last 597 to test on.

    The order of the file is kept on purpose. Pictures that look alike stand near each other in it, so
    it seems to follow the writers; a shuffle would put one hand into all three parts, and every
    accuracy would come out too high for the handwriting of a stranger.
    """
    digits = all_digits()
    end = LEARN + CHOOSE
    return DigitParts(learn=digits[:LEARN], choose=digits[LEARN:end], test=digits[end:])
