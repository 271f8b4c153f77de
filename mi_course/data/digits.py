"""1,797 handwritten digits of 8 × 8 pixels, in three parts: to learn from, to choose with, to test on.

They are a file inside scikit-learn; nothing here opens a network connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

LICENCE = "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/"
SOURCE = (
    "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning "
    "Repository, 1998, https://doi.org/10.24432/C50P49; the copy in scikit-learn"
)
SIDE = 8
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
    from sklearn.datasets import load_digits

    file = load_digits()
    return Digits(
        images=torch.tensor(file.images / 16, dtype=torch.float32),
        labels=torch.tensor(file.target, dtype=torch.int64),
    )


def parts() -> DigitParts:
    """The first 900 pictures to learn from, the next 300 to choose with, the last 597 to test on.

    The order of the file is kept on purpose. Pictures that look alike stand near each other in it, so
    it seems to follow the writers; a shuffle would put one hand into all three parts, and every
    accuracy would come out too high for the handwriting of a stranger.
    """
    digits = all_digits()
    end = LEARN + CHOOSE
    return DigitParts(learn=digits[:LEARN], choose=digits[LEARN:end], test=digits[end:])
