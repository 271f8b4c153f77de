"""A small AlexNet whose first filters are gratings that we chose, so that every tuning is known beforehand."""

import torch

from mi_course.data.gratings import grating
from mi_course.models.alexnet import AlexNet, AlexNetConfig, Convolution, initialize

CONFIG = AlexNetConfig(
    image_size=32,
    convolutions=(
        Convolution(8, kernel=9, stride=2, pool=True),
        Convolution(4, kernel=5, padding=2, groups=2, pool=True),
        Convolution(4, kernel=3, padding=1),
        Convolution(4, kernel=3, padding=1),
        Convolution(4, kernel=3, padding=1, pool=True),
    ),
    grid=1,
    hidden=(6, 5),
    n_classes=3,
    pool_padding=1,
)

DEGREES = (0, 90, 45, 135)
"""Filters 0–3 (first group) are stripes that run there; so are 4–7 (second group)."""

FREQUENCY = 1 / 6


def striped() -> AlexNet:
    """First layer: grey stripes at `DEGREES`, twice. Second layer: unit 0 wants level stripes and no upright ones."""
    model = initialize(AlexNet(CONFIG), seed=0).eval().requires_grad_(False)
    first, second = model.convolutions[:2]
    for number in range(8):
        stripes = grating(DEGREES[number % 4], FREQUENCY, side=9) - 0.5
        first.weight[number] = 0.05 * (stripes - stripes.mean())
    second.weight.zero_()
    second.weight[0, 0] = 0.04
    second.weight[0, 1] = -0.04
    second.weight[2, 2] = torch.linspace(-1, 1, 5)  # arranged, but nothing when summed
    return model
