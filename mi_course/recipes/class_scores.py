"""Measure which classes the units of a shipped AlexNet-mini pick out, and lay the figures beside its weights.

    python -m mi_course.recipes.class_scores --images tiny-imagenet-200.zip --model alexnet-mini-seed1

For each unit of fc7 and each class the area under the ROC curve on the validation photographs, on two halves that
share no photograph; the same without colours; and for two controls: the untrained twin, and random directions of the
trained layer. `alexnet_mini ship` writes the card anew, so run this after it. Only these figures leave the recipe,
never the photographs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

import mi_course
from mi_course.data.patches import GREY
from mi_course.methods.channel_matching import random_directions
from mi_course.methods.class_selectivity import FILE, scores
from mi_course.models import pretrained
from mi_course.models.alexnet import AlexNet
from mi_course.recipes.alexnet_mini import Photographs, read_tiny_imagenet
from mi_course.recipes.shipping import write_card


def measure(trained: AlexNet, untrained: AlexNet, data: Photographs) -> dict[str, Tensor]:
    """Every table of `class_selectivity.recorded`, in half precision."""
    halves = _halves(data.labels)
    ours, twin, grey = _answers(trained, data), _answers(untrained, data), _answers(trained, data, grey=True)
    mixed = torch.empty_like(ours)
    for half, part in zip(halves, random_directions((ours[halves[0]], ours[halves[1]]))):
        mixed[half] = part
    n_classes = len(data.classes)
    tables = {
        f"{name} half {number}": scores(answers[half], data.labels[half], n_classes)
        for name, answers in (("trained", ours), ("untrained", twin), ("mixed", mixed))
        for number, half in enumerate(halves)
    }
    tables["trained half 1 grey"] = scores(grey[halves[1]], data.labels[halves[1]], n_classes)
    return {name: table.half() for name, table in tables.items()}


def _halves(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Every second photograph in the order of the classes, and the rest: each half has about half of each class."""
    order = labels.argsort(stable=True)
    return order[0::2].sort().values, order[1::2].sort().values


@torch.no_grad()
def _answers(model: AlexNet, data: Photographs, *, grey: bool = False, batch: int = 250) -> Tensor:
    found = []
    for part in data.images.split(batch):
        pixels = part.permute(0, 3, 1, 2).float() / 255
        if grey:
            pixels = torch.einsum("bchw,c->bhw", pixels, GREY)[:, None].expand(-1, 3, -1, -1).contiguous()
        with model.caching(["fc7"]) as cache:
            model(pixels)
        found.append(cache["fc7"])
    return torch.cat(found)


def ship(images: Path, model: str) -> dict:
    """Write the tables into the folder of the shipped ``model`` and enter them in its card."""
    tables = measure(
        mi_course.load(model), mi_course.load(model + pretrained.UNTRAINED), read_tiny_imagenet(images, "val")
    )
    folder = pretrained.WEIGHTS / model
    save_file(tables, folder / FILE)
    card = {key: value for key, value in pretrained.card(model).items() if key != "files"}
    card["class_scores"] = {"recipe": "python -m mi_course.recipes.class_scores", "tables": sorted(tables)}
    return write_card(folder, card)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--model", required=True, help="the name of a shipped AlexNet-mini")
    print(json.dumps(ship(**vars(parser.parse_args()))["class_scores"]))


if __name__ == "__main__":
    main()
