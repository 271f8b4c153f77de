"""How long an image takes that one channel of AlexNet-mini likes, beside Lucent and beside one image at a time.

Run by hand, in an environment of its own; no test asserts a time:

    python -m venv peers && peers/bin/pip install -e .
    peers/bin/pip install --no-deps torch-lucent==0.1.8 kornia==0.4.1 decorator
    PYTHONPATH=. peers/bin/python tests/benchmarks/feature_visualization.py

Lucent asks for torchvision, of which it uses one class (`Normalize`) that is not needed here; where torchvision is
missing, an empty stand-in takes its place. Channels of conv5, 64 × 64 pixels, 128 steps of Adam at 0.05, Fourier
images with decorrelated colours, random transforms: ours (shift, turn, zoom in one resampling) and Lucent's
standard ones (pad, jitter, scale, rotate, jitter), so that the steps are the same in kind and number but not bit
for bit. One thread; what counts is the CPU time of this process, user and system, for one image. Beside it stands
what each reaches: the channel's mean before the ReLU, measured by ours on the finished image. It is no contest:
other random views give other pictures.

Measured once, November 2026, on two busy cores with torch 2.13, 16 images, in CPU seconds an image: mi_course in one
batch 0.57, one at a time 1.01, Lucent in one batch 0.79; reached on average 4.1, 4.1 and 2.1.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import types
from collections.abc import Callable

import torch

import mi_course as mc
from mi_course.methods import feature_visualization, objectives

SIDE, STEPS, POINT, MODULE = 64, 128, "conv5.pre", "features_10"
Images = torch.Tensor


def ours(model: torch.nn.Module, channels: list[int]) -> Images:
    return feature_visualization.visualize(model, objectives.channel(POINT, channels), steps=STEPS).images


def one_at_a_time(model: torch.nn.Module, channels: list[int]) -> Images:
    return torch.cat([ours(model, [channel]) for channel in channels])


def lucent() -> Callable[[torch.nn.Module, list[int]], Images] | None:
    """Lucent's own loop, a batch of images with one channel each; None if it is not installed."""
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError):
        empty, transforms = types.ModuleType("torchvision"), types.ModuleType("torchvision.transforms")
        transforms.Normalize = object
        sys.modules |= {"torchvision": empty, "torchvision.transforms": transforms}
    try:
        from lucent.optvis import objectives as theirs
        from lucent.optvis import param, render
    except ImportError as missing:
        print(f"Lucent is left out: {missing}")
        return None

    def run(model: torch.nn.Module, channels: list[int]) -> Images:
        objective = sum(theirs.channel(MODULE, channel, batch=i) for i, channel in enumerate(channels))
        pictures = render.render_vis(
            model,
            objective,
            lambda: param.image(SIDE, batch=len(channels)),
            thresholds=(STEPS,),
            preprocess=False,
            fixed_image_size=SIDE,
            progress=False,
            show_image=False,
        )
        return torch.from_numpy(pictures[-1]).permute(0, 3, 1, 2)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = mc.load("alexnet-mini").requires_grad_(False)
    channels = list(range(0, 128, 128 // options.images))[: options.images]
    runs = {
        "mi_course, one batch": ours,
        "mi_course, one at a time": one_at_a_time,
        "Lucent, one batch": lucent(),
    }
    seconds: dict[str, list[float]] = {name: [] for name, run in runs.items() if run}
    reached = {}
    for _ in range(options.rounds):
        for name in seconds:  # turn by turn, so that a busy machine is unfair to all alike
            torch.manual_seed(0)
            begun = time.process_time()
            images = runs[name](model, channels)
            seconds[name].append((time.process_time() - begun) / len(channels))
            value = feature_visualization.evaluate(model, objectives.channel(POINT, channels), images)
            reached[name] = value.mean().item()
    for name, found in seconds.items():
        print(
            f"{name:26} {statistics.median(found):.2f} CPU s an image; channels reach {reached[name]:.2f} on average"
        )


if __name__ == "__main__":
    main()
