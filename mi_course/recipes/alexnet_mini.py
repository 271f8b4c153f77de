"""Train AlexNet-mini on Tiny ImageNet, and ship it.

    python -m mi_course.recipes.alexnet_mini train --images tiny-imagenet-200.zip --out runs/seed0
    python -m mi_course.recipes.alexnet_mini ship  --run runs/seed0 --scaling runs/per-class-*
    python -m mi_course.recipes.alexnet_mini ship  --run runs/seed1 --name alexnet-mini-seed1 --no-history

Tiny ImageNet (Stanford CS231n): 64×64 photographs of 200 classes,
http://cs231n.stanford.edu/tiny-imagenet-200.zip. The folder or the zip file will do, in the public
layout (`train/WNID/images/*.JPEG`, `val/val_annotations.txt`) or a plainer one (`train/WNID/*.JPEG`,
`val/WNID/*.JPEG`). Only weights and figures leave this recipe, never the photographs.

`ship` writes the card anew. Afterwards `mi_course.recipes.colour_axes` and `mi_course.recipes.face_unit` enter in
it what chapter 02 reads there.

A run is cut into steps, not epochs or minutes, and everything random is drawn from (seed, step):
a run that was killed goes on where its last checkpoint stood and ends with the same weights.

The network trains with batch normalisation, in the order convolution → pool → norm → ReLU, and with
the norm's scales kept positive where a pool comes before it. Then scaling and pooling commute, and
the norm folds exactly into the convolution: what ships is a plain AlexNet.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mi_course.methods import filters
from mi_course.methods.uncertainty import wilson_interval
from mi_course.models.alexnet import ALEXNET_MINI, AlexNet, AlexNetConfig, initialize
from mi_course.models.pretrained import WEIGHTS
from mi_course.recipes.shipping import save_checkpoint, write_card

SMALL_CROP = 48
SMALL_CROP_SHARE = 0.62  # of the steps; cheaper images first, full size for the rest
SHIFT = 6
BATCH = 64
PEAK_LR = 0.1
WARM_UP = 0.08
WEIGHT_DECAY = 5e-4
FIRST_LAYER_DECAY = 2e-3  # without it 39 % of the first layer's filters stay noise
LABEL_SMOOTHING = 0.05
SMALLEST_SCALE = 1e-3
HISTORY_STEPS = (
    0,
    25,
    50,
    100,
    150,
    200,
    300,
    400,
    600,
    800,
    1200,
    1600,
    2400,
    3200,
    4800,
    6400,
    9600,
    12800,
)


@dataclass(frozen=True)
class Photographs:
    """Images as bytes (n, height, width, 3) with their class numbers, and the classes' names."""

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    files: tuple[str, ...]


def read_tiny_imagenet(source: Path, split: str, per_class: int | None = None) -> Photographs:
    """One split ("train" or "val") of Tiny ImageNet; the first ``per_class`` images of each class."""
    archive = _Archive(source)
    wnids, names = archive.classes()
    wanted: dict[str, list[str]] = {wnid: [] for wnid in wnids}
    for file, wnid in archive.labelled(split):
        if wnid in wanted:
            wanted[wnid].append(file)
    images, labels, files = [], [], []
    for number, wnid in enumerate(wnids):
        chosen = sorted(wanted[wnid], key=_number_in_name)[:per_class]
        if not chosen:
            raise ValueError(f"{source}: no {split} image of class {wnid}. Is this Tiny ImageNet?")
        for file in chosen:
            images.append(np.asarray(Image.open(io.BytesIO(archive.read(file))).convert("RGB")))
            labels.append(number)
            files.append(file)
    return Photographs(torch.from_numpy(np.stack(images)), torch.tensor(labels), names, tuple(files))


def _number_in_name(file: str) -> tuple[int, str]:
    digits = "".join(c for c in Path(file).stem.split("_")[-1] if c.isdigit())
    return int(digits or 0), file


class _Archive:
    """A folder or a zip file, whichever the reader has, with Tiny ImageNet in either layout."""

    def __init__(self, source: Path):
        if not source.exists():
            raise FileNotFoundError(
                f"{source} does not exist. Tiny ImageNet: http://cs231n.stanford.edu/tiny-imagenet-200.zip"
            )
        if source.is_dir():
            self._names = [p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file()]
            self.read = lambda name: (source / name).read_bytes()
        else:
            zipped = zipfile.ZipFile(source)
            self._names = zipped.namelist()
            self.read = zipped.read

    def classes(self) -> tuple[list[str], tuple[str, ...]]:
        wnids = sorted({parts[-2 - (parts[-2] == "images")] for parts in self._parts("train")})
        listing = next((n for n in self._names if Path(n).name in ("classes.tsv", "words.txt")), None)
        rows = self.read(listing).decode().splitlines() if listing else []
        names = dict(row.split("\t", 1) for row in rows if "\t" in row)
        return wnids, tuple(names.get(w, w).split(",")[0].strip() for w in wnids)

    def labelled(self, split: str):
        annotations = next((n for n in self._names if n.endswith("val_annotations.txt")), None)
        if split == "val" and annotations:
            folder = Path(annotations).parent
            for row in self.read(annotations).decode().splitlines():
                file, wnid, *_ = row.split("\t")
                yield (folder / "images" / file).as_posix(), wnid
        else:
            for parts in self._parts(split):
                yield "/".join(parts), parts[-2 - (parts[-2] == "images")]

    def _parts(self, split: str):
        for name in self._names:
            parts = name.split("/")
            if split in parts[:-1] and name.lower().endswith((".jpeg", ".jpg")):
                yield parts


class TrainingAlexNet(nn.Module):
    """An AlexNet with batch normalisation, built so that the norms can be folded away exactly."""

    def __init__(self, config: AlexNetConfig, seed: int):
        super().__init__()
        self.plain = initialize(AlexNet(config), seed)
        for layer in self._weighted()[:-1]:
            layer.bias = None
        self.norms = nn.ModuleList(
            [nn.BatchNorm2d(c.channels) for c in config.convolutions]
            + [nn.BatchNorm1d(h) for h in config.hidden]
        )

    def _weighted(self) -> list[nn.Module]:
        return [m for m in self.plain.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]

    def forward(self, images: Tensor) -> Tensor:
        plain, config = self.plain, self.plain.config
        x = (images - plain.mean) / plain.std
        weighted = self._weighted()
        for layer, norm, spec in zip(weighted, self.norms, config.convolutions):
            x = layer(x)
            if spec.pool:
                x = F.max_pool2d(x, 3, 2, config.pool_padding)
            x = F.relu(norm(x))
        x = plain.avgpool(x).flatten(1)
        for layer, norm in zip(weighted[5:7], list(self.norms)[5:]):
            x = F.relu(norm(layer(x)))
        return weighted[7](x)

    @torch.no_grad()
    def keep_scales_positive(self) -> None:
        for norm, spec in zip(self.norms, self.plain.config.convolutions):
            if spec.pool:
                norm.weight.clamp_(min=SMALLEST_SCALE)

    @torch.no_grad()
    def folded(self, classes: tuple[str, ...] = ()) -> AlexNet:
        """The plain AlexNet that computes the same function as this network in evaluation mode."""
        result = AlexNet(self.plain.config, classes)
        targets = [m for m in result.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
        for source, target, norm in zip(self._weighted(), targets, [*self.norms, None]):
            if norm is None:
                target.load_state_dict(source.state_dict())
                continue
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            target.weight.copy_(source.weight * scale.view(-1, *[1] * (source.weight.ndim - 1)))
            target.bias.copy_(norm.bias - norm.running_mean * scale)
        return result.eval()


def learning_rate(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine down to zero."""
    progress = (step + 1) / steps
    if progress < WARM_UP:
        return PEAK_LR * progress / WARM_UP
    return PEAK_LR * 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))


def batch_at(data: Photographs, step: int, steps: int, seed: int) -> tuple[Tensor, Tensor]:
    """The augmented batch of this step; depends on (seed, step) alone, so that runs can resume."""
    n = len(data.labels)
    first = step * BATCH
    chosen = [_shuffled(n, seed, i // n)[i % n] for i in range(first, first + BATCH)]
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    flips = torch.rand(BATCH, generator=generator) < 0.5
    small = step < SMALL_CROP_SHARE * steps
    side = SMALL_CROP if small else data.images.shape[1]
    room = data.images.shape[1] - SMALL_CROP if small else 2 * SHIFT
    corners = torch.randint(0, room + 1, (BATCH, 2), generator=generator).tolist()
    pixels = data.images[torch.tensor(chosen)].permute(0, 3, 1, 2).float().div_(255)
    if not small:
        pixels = F.pad(pixels, [SHIFT] * 4, mode="reflect")
    crops = torch.stack([p[:, y : y + side, x : x + side] for p, (y, x) in zip(pixels, corners)])
    crops = torch.where(flips.view(-1, 1, 1, 1), crops.flip(-1), crops)
    return crops.contiguous(memory_format=torch.channels_last), data.labels[torch.tensor(chosen)]


_shuffle_cache: dict[tuple[int, int, int], list[int]] = {}


def _shuffled(n: int, seed: int, epoch: int) -> list[int]:
    key = (n, seed, epoch)
    if key not in _shuffle_cache:
        _shuffle_cache.clear() if len(_shuffle_cache) > 2 else None
        generator = torch.Generator().manual_seed(seed * 7_919 + epoch)
        _shuffle_cache[key] = torch.randperm(n, generator=generator).tolist()
    return _shuffle_cache[key]


@torch.no_grad()
def accuracy(model: nn.Module, data: Photographs, batch: int = 250) -> dict[str, float]:
    """Shares of images whose class is the first guess (top-1) or among the first five (top-5)."""
    was_training = model.training
    model.eval()
    ranks = []
    for start in range(0, len(data.labels), batch):
        pixels = data.images[start : start + batch].permute(0, 3, 1, 2).float() / 255
        logits = model(pixels.contiguous(memory_format=torch.channels_last))
        right = logits.gather(1, data.labels[start : start + batch, None])
        ranks.append((~(logits < right)).sum(1) - 1)  # a tie counts against, and so does NaN
    model.train(was_training)
    rank = torch.cat(ranks)
    return {"top1": (rank < 1).float().mean().item(), "top5": (rank < 5).float().mean().item()}


def train(
    images: Path,
    out: Path,
    *,
    steps: int = 12_000,
    seed: int = 0,
    per_class: int | None = None,
    evaluate_every: int = 1_000,
    checkpoint_every: int = 250,
) -> dict:
    """Train one network into ``out`` (resuming what stands there) and return its record."""
    out.mkdir(parents=True, exist_ok=True)
    data, held_out = read_tiny_imagenet(images, "train", per_class), read_tiny_imagenet(images, "val")
    model = TrainingAlexNet(ALEXNET_MINI, seed).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(_parameter_groups(model), lr=PEAK_LR, momentum=0.9, nesterov=True)
    record = {"seed": seed, "steps": steps, "batch": BATCH, "train_images": len(data.labels), "curve": []}
    first, seconds, conv1 = 0, 0.0, {}
    losses: list[float] = []  # since the last evaluation

    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if (state["seed"], state["steps"], state["train_images"]) != (seed, steps, len(data.labels)):
            raise ValueError(f"{checkpoint} is of another run; choose another --out or delete it.")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first, seconds, conv1 = state["step"], state["seconds"], state["conv1"]
        record["curve"] = state["curve"]
        losses = state.get("losses", [])

    model.train()
    began = time.process_time()
    for step in range(first, steps):
        if step in HISTORY_STEPS:
            conv1[step] = model.plain.convolutions[0].weight.detach().clone().contiguous()
        pixels, labels = batch_at(data, step, steps, seed)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        loss = F.cross_entropy(model(pixels), labels, label_smoothing=LABEL_SMOOTHING)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        model.keep_scales_positive()
        losses.append(loss.item())
        done = step + 1
        if done % evaluate_every == 0 or done == steps:
            row = {"step": done, "train_loss": sum(losses) / len(losses), **accuracy(model, held_out)}
            row["cpu_seconds"] = seconds + time.process_time() - began
            record["curve"].append({k: round(v, 4) for k, v in row.items()})
            losses.clear()
            print(json.dumps(record["curve"][-1]), flush=True)
        if done % checkpoint_every == 0 or done == steps:
            state = {
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": done,
                "steps": steps,
                "seed": seed,
                "train_images": len(data.labels),
                "curve": record["curve"],
                "losses": losses,
                "conv1": conv1,
                "seconds": seconds + time.process_time() - began,
            }
            save_checkpoint(checkpoint, state)
    conv1[steps] = model.plain.convolutions[0].weight.detach().clone().contiguous()

    model.eval()
    plain = model.folded(data.classes)
    record["folding_error"] = _largest_difference(model, plain, held_out)
    record["validation"] = accuracy(plain, held_out)
    record["validation_images"] = len(held_out.labels)
    weights = {name: tensor.half().contiguous() for name, tensor in plain.state_dict().items()}
    save_file(weights, out / "model.safetensors")
    history = {
        "step": torch.tensor(sorted(conv1)),
        "conv1.weight": torch.stack([conv1[s].half() for s in sorted(conv1)]),
    }
    save_file(history, out / "history.safetensors")
    (out / "record.json").write_text(json.dumps({**record, "classes": data.classes}, indent=1))
    return record


def ship(
    run: Path, scaling: list[Path], to: Path = WEIGHTS / "alexnet-mini", *, history: bool = True
) -> dict:
    """Lay a finished run into the package: weights, configuration, history, and the card.

    The folder's name is the model's name. ``history``: whether the first layer's checkpoints ship as well.
    """
    to.mkdir(parents=True, exist_ok=True)
    record = json.loads((run / "record.json").read_text(encoding="utf-8"))
    for name in ("model.safetensors", *(["history.safetensors"] if history else [])):
        (to / name).write_bytes((run / name).read_bytes())
    config = {"architectures": ["AlexNet"], "alexnet": ALEXNET_MINI.to_dict(), "classes": record["classes"]}
    (to / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")

    weights = load_file(to / "model.safetensors")["features.0.weight"].float()
    twins = [initialize(AlexNet(ALEXNET_MINI), seed).convolutions[0].weight.detach() for seed in range(10)]
    top5, n = record["validation"]["top5"], record["validation_images"]
    interval = wilson_interval(round(top5 * n), n)
    found = filters.kinds(weights)
    runs = [json.loads((folder / "record.json").read_text(encoding="utf-8")) for folder in scaling]
    card = {
        "name": to.name,
        "about": "AlexNet for 64×64 photographs of 200 classes, 1.03 million parameters",
        "licence": "weights: CC BY 4.0; trained on Tiny ImageNet, whose photographs are not included",
        "recipe": "python -m mi_course.recipes.alexnet_mini train",
        "data": "Tiny ImageNet (Stanford CS231n): 250 training and 25 validation photographs of each class",
        "seed": record["seed"],
        "steps": record["steps"],
        "batch": record["batch"],
        "train_images": record["train_images"],
        "cpu_seconds": round(record["curve"][-1]["cpu_seconds"]),
        "validation": {
            "images": n,
            "top1": round(record["validation"]["top1"], 4),
            "top5": round(top5, 4),
            "top5_interval_95": [round(interval.low, 4), round(interval.high, 4)],
            "chance_top5": 5 / ALEXNET_MINI.n_classes,
        },
        "curve": [{k: row[k] for k in ("step", "train_loss", "top1", "top5")} for row in record["curve"]],
        "first_layer": {
            "noisy_share": _noisy(weights),
            "noisy_share_untrained_10_seeds": sum(map(_noisy, twins)) / len(twins),
            "kinds": {kind: found.count(kind) for kind in filters.KINDS},
        },
        "folding_error": record["folding_error"],
        "untrained_twin": {"name": f"{to.name}-untrained", "seed": record["seed"]},
        "scaling": sorted(
            (
                {
                    "train_images": r["train_images"],
                    "steps": r["steps"],
                    "top1": round(r["validation"]["top1"], 4),
                    "top5": round(r["validation"]["top5"], 4),
                }
                for r in runs
            ),
            key=lambda row: row["train_images"],
        ),
    }
    return write_card(to, card)


def _noisy(weight: Tensor) -> float:
    return round(float((filters.noise_share(weight) > 0.5).float().mean()), 4)


@torch.no_grad()
def _largest_difference(model: nn.Module, plain: nn.Module, data: Photographs) -> float:
    pixels = data.images[:: max(1, len(data.labels) // 500)].permute(0, 3, 1, 2).float() / 255
    return (model(pixels) - plain(pixels)).abs().max().item()


def _parameter_groups(model: TrainingAlexNet) -> list[dict]:
    conv1 = model.plain.convolutions[0].weight
    decayed = [p for p in model.parameters() if p.ndim > 1 and p is not conv1]
    free = [p for p in model.parameters() if p.ndim <= 1]
    return [
        {"params": [conv1], "weight_decay": FIRST_LAYER_DECAY},
        {"params": decayed, "weight_decay": WEIGHT_DECAY},
        {"params": free, "weight_decay": 0.0},
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("train", help="train one network (resumes what stands in --out)")
    run.add_argument("--images", type=Path, required=True)
    run.add_argument("--out", type=Path, required=True)
    run.add_argument("--steps", type=int, default=12_000)
    run.add_argument("--seed", type=int, default=0)
    run.add_argument("--images-per-class", type=int, default=None, dest="per_class")
    run.add_argument("--threads", type=int, default=None)
    lay = commands.add_parser("ship", help="lay a finished run into the package, with its card")
    lay.add_argument("--run", type=Path, required=True)
    lay.add_argument("--scaling", type=Path, nargs="*", default=[], help="runs on fewer photographs")
    lay.add_argument("--name", default="alexnet-mini", help="what `load` calls it")
    lay.add_argument("--no-history", action="store_false", dest="history")
    options = vars(parser.parse_args())
    if options.pop("command") == "ship":
        print(json.dumps(ship(to=WEIGHTS / options.pop("name"), **options)["validation"]))
        return
    threads = options.pop("threads")
    if threads:
        torch.set_num_threads(threads)
    print(json.dumps(train(**options)["validation"]))


if __name__ == "__main__":
    main()
