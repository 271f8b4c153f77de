"""Look for a face unit in conv5 of a shipped AlexNet-mini on validation photographs, and lay the figures beside its
weights.

    python -m mi_course.recipes.face_unit --images tiny-imagenet-200.zip --model alexnet-mini

The channel that best tells photographs with a human face from others of the same classes (`face_labels`) is chosen
on one set of four classes and tested on four others, and the other way round. Controls: untrained twins,
meaningless labels, the same photographs without colours and upside down, every other class of the data set, and
what becomes of the answers when the channel is silenced, beside the silencing of every other channel. Only these
figures leave the recipe.
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
from mi_course.data.scrambled import upside_down
from mi_course.methods.best_channel import FILE, ablated, answers, auc, auc_interval, permutation_test
from mi_course.methods.class_selectivity import scores
from mi_course.methods.uncertainty import Interval, wilson_interval
from mi_course.models import pretrained
from mi_course.models.alexnet import AlexNet, initialize
from mi_course.recipes.alexnet_mini import Photographs, read_tiny_imagenet
from mi_course.recipes.face_labels import SETS
from mi_course.recipes.shipping import write_card

POINT = "conv5"
TWINS = 10
HEADS = (
    "Chihuahua",
    "Yorkshire terrier",
    "golden retriever",
    "Labrador retriever",
    "German shepherd",
    "standard poodle",
)
"""Classes of dogs: their heads fill many of the photographs."""


def labelled(data: Photographs, faces: bool, classes: dict) -> tuple[Tensor, Tensor]:
    """The photographs of these classes with a face (or without), and the class of each."""
    chosen = []
    for name, numbers in classes.items():
        wanted = set(numbers[0 if faces else 1])
        of_class = (data.labels == data.classes.index(name)).nonzero()[:, 0].tolist()
        chosen += [i for i in of_class if int(Path(data.files[i]).stem.split("_")[-1]) in wanted]
    return _pixels(data.images[chosen]), data.labels[chosen]


def measure(model: AlexNet, data: Photographs, *, shuffles: int = 1000) -> tuple[dict[str, Tensor], dict]:
    """The tables of `best_channel.recorded`, and the figures for the card."""
    pictures = {(name, faces): labelled(data, faces, SETS[name]) for name in SETS for faces in (True, False)}
    tables, found = {}, {}
    for name in SETS:
        (with_face, ours), (without, theirs) = pictures[name, True], pictures[name, False]
        found[name] = answers(model, POINT, with_face), answers(model, POINT, without)
        tables[f"set {name}"] = auc(*found[name])
        tables[f"set {name} grey"] = auc(*(answers(model, POINT, _grey(x)) for x in (with_face, without)))
        tables[f"set {name} within classes"] = _within_classes(*found[name], ours, theirs)
    everything = torch.cat([answers(model, POINT, _pixels(part)) for part in data.images.split(500)])
    n_classes = len(data.classes)
    tables["classes"] = scores(everything, data.labels, n_classes)
    faces = torch.cat([found[name][0] for name in SETS])
    each = [auc(faces, everything[data.labels == number]) for number in range(n_classes)]
    tables["faces against class"] = torch.stack(each, dim=1)

    first, second = SETS
    choices = []
    for here, there in ((first, second), (second, first)):
        channel = int(tables[f"set {here}"].argmax())
        chance = permutation_test(*found[here], shuffles=shuffles)
        ours, theirs = (x[:, channel] for x in found[there])
        choices.append(
            {
                "chosen_on": here,
                "channel": channel,
                "chosen": _rounded(chance.best),
                "by_chance_95": _rounded(chance.limit),
                "p_value": _rounded(chance.p_value),
                "tested_on": there,
                "confirmed": _interval(auc_interval(ours, theirs)),
            }
        )
    channel = choices[0]["channel"]
    upright = torch.cat([pictures[name, True][0] for name in SETS])
    inverted = answers(model, POINT, upside_down(upright))[:, channel]
    more = int((faces[:, channel] > inverted).sum())
    figures = {
        "recipe": "python -m mi_course.recipes.face_unit",
        "point": POINT,
        "photographs": {name: {"face": len(found[name][0]), "none": len(found[name][1])} for name in SETS},
        "choices": choices,
        "untrained_twins": [_twin(model, seed, pictures) for seed in range(TWINS)],
        "upright_above_inverted": _interval(wilson_interval(more, len(upright))),
        "ablation": _ablation(model, data, channel),
    }
    return {name: table.half() for name, table in tables.items()}, figures


def _twin(model: AlexNet, seed: int, pictures: dict) -> dict:
    """The best channel of an untrained network on the first set, and the same channel on the second."""
    twin = initialize(AlexNet(model.config), seed).eval()
    first, second = (
        auc(*(answers(twin, POINT, pictures[name, faces][0]) for faces in (True, False))) for name in SETS
    )
    best = int(first.argmax())
    return {"seed": seed, "chosen": _rounded(first[best]), "confirmed": _rounded(second[best])}


def _ablation(model: AlexNet, data: Photographs, channel: int) -> dict:
    """How many right first guesses are lost without the channel, among dogs and among all, beside other channels."""
    dogs = torch.isin(
        data.labels, torch.tensor([data.classes.index(name) for name in HEADS if name in data.classes])
    )
    if not dogs.any():
        dogs = torch.ones_like(dogs)
    kept = [
        _right(model, data.images[dogs], data.labels[dogs], number)
        for number in (None, *range(_width(model)))
    ]
    whole, without = kept[0], torch.tensor(kept[1:])
    return {
        "dogs": int(dogs.sum()),
        "dogs_top1": _rounded(whole),
        "dogs_top1_without": _rounded(without[channel]),
        "dogs_top1_without_median_channel": _rounded(without.median()),
        "channels_that_cost_dogs_more": int((without < without[channel]).sum()),
        "all_top1": _rounded(_right(model, data.images, data.labels, None)),
        "all_top1_without": _rounded(_right(model, data.images, data.labels, channel)),
    }


@torch.no_grad()
def _right(model: AlexNet, images: Tensor, labels: Tensor, channel: int | None) -> float:
    hooks = [] if channel is None else [ablated(POINT, channel)]
    with model.hooks(hooks):
        guesses = [model(_pixels(part)).argmax(dim=1) for part in images.split(500)]
    return (torch.cat(guesses) == labels).float().mean().item()


def _width(model: AlexNet) -> int:
    return model.config.convolutions[-1].channels


def _within_classes(ours: Tensor, others: Tensor, our_classes: Tensor, their_classes: Tensor) -> Tensor:
    """`auc` over the pairs of one class only: what a channel knows about the class then helps it nothing."""
    pairs = (our_classes[:, None] == their_classes[None]).float()[:, :, None]
    wins = (ours[:, None] > others[None]).float() + 0.5 * (ours[:, None] == others[None]).float()
    return (wins * pairs).sum(dim=(0, 1)) / pairs.sum()


def _pixels(images: Tensor) -> Tensor:
    return images.permute(0, 3, 1, 2).float() / 255


def _grey(pixels: Tensor) -> Tensor:
    return torch.einsum("bchw,c->bhw", pixels, GREY)[:, None].expand(-1, 3, -1, -1).contiguous()


def _rounded(value) -> float:
    return round(float(value), 4)


def _interval(interval: Interval) -> list[float]:
    """Estimate, low, high."""
    return [_rounded(x) for x in (interval.estimate, interval.low, interval.high)]


def ship(images: Path, model: str) -> dict:
    """Write the tables into the folder of the shipped ``model`` and enter the figures in its card."""
    tables, figures = measure(mi_course.load(model), read_tiny_imagenet(images, "val"))
    folder = pretrained.WEIGHTS / model
    save_file(tables, folder / FILE)
    card = {key: value for key, value in pretrained.card(model).items() if key != "files"}
    return write_card(folder, {**card, "face_unit": figures})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--model", required=True, help="the name of a shipped AlexNet-mini")
    print(json.dumps(ship(**vars(parser.parse_args()))["face_unit"]))


if __name__ == "__main__":
    main()
