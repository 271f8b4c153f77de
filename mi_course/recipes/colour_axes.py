"""Measure along which axes the colours of the training photographs vary, and enter them in a shipped network's card.

    python -m mi_course.recipes.colour_axes --images tiny-imagenet-200.zip --model alexnet-mini

Feature visualization paints along these axes (`mi_course.methods.image_parameterisation`). They are the principal
axes of the red, green and blue of all pixels, each as long as its standard deviation, the longest first; the sign
is such that red is positive. Only these twelve numbers leave the recipe.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor

from mi_course.models import pretrained
from mi_course.recipes.alexnet_mini import read_tiny_imagenet
from mi_course.recipes.shipping import write_card


def measure(images: Tensor, *, batch: int = 1000) -> dict[str, list]:
    """Mean and axes of the colours of ``images``: bytes, "n height width 3"."""
    total, squares, count = torch.zeros(3).double(), torch.zeros(3, 3).double(), 0
    for part in images.split(batch):
        pixels = part.reshape(-1, 3).double() / 255
        total, squares, count = total + pixels.sum(0), squares + pixels.T @ pixels, count + len(pixels)
    mean = total / count
    variances, directions = torch.linalg.eigh(squares / count - torch.outer(mean, mean))
    axes = (directions * variances.clamp_min(0).sqrt()).T.flip(0)
    axes = torch.where(axes[:, :1] < 0, -axes, axes)
    return {
        "mean": [round(x, 4) for x in mean.tolist()],
        "axes": [[round(x, 4) for x in row] for row in axes.tolist()],
    }


def ship(images: Path, model: str) -> dict:
    """Enter the colours in the card of the shipped ``model``."""
    colours = {
        "recipe": "python -m mi_course.recipes.colour_axes",
        **measure(read_tiny_imagenet(images, "train").images),
    }
    card = {key: value for key, value in pretrained.card(model).items() if key != "files"}
    return write_card(pretrained.WEIGHTS / model, {**card, "colours": colours})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--model", required=True, help="the name of a shipped AlexNet-mini")
    print(json.dumps(ship(**vars(parser.parse_args()))["colours"]))


if __name__ == "__main__":
    main()
