"""Which pieces of photographs move a unit most? The oldest way to ask what it looks for, and a check on every other.

A channel looks at every place of a picture alike, so whole photographs are searched, place by place, and what is
shown is the piece that the unit really saw: its receptive field. What the best pieces do not show: what moves the
unit a little, which is most of what it does, and what is missing from these photographs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.data.photographs import Photograph
from mi_course.errors import CourseError
from mi_course.methods import layer_arithmetic
from mi_course.models.alexnet import AlexNet, AlexNetConfig


@dataclass(frozen=True)
class DatasetExamples:
    """For each channel the pieces of photographs that move it most, the strongest first.

    ``crops``: the receptive fields, RGB in [0, 1]. ``values``: the activation, in its own unit. ``sources``: which of
    ``names`` each was cut from. Channels that nothing moves have values of 0 or less, and their crops mean nothing.
    """

    crops: Float[Tensor, "channel example 3 side side"]
    values: Float[Tensor, "channel example"]
    sources: Int[Tensor, "channel example"]
    names: tuple[str, ...]
    channels: tuple[int, ...]


@torch.no_grad()
def strongest(
    model: AlexNet,
    point: str,
    channels: Sequence[int],
    photographs: Sequence[Photograph],
    *,
    k: int = 6,
    per_photograph: int = 2,
    height: int = 192,
) -> DatasetExamples:
    """The ``k`` pieces of ``photographs`` that move each channel of the map ``point`` most.

    ``point``: a convolution or pool ("conv4", "conv4.pre", "pool2"). ``per_photograph``: at most so many pieces of
    one photograph, none closer to another than half a receptive field, or all would show the same spot. ``height``:
    to which every photograph is scaled first; what was large in it then fits into the field or does not. Only
    fields that lie wholly inside a photograph count.
    """
    field, step, offset = _field(model.config, point.removesuffix(".pre"))
    if k > per_photograph * len(photographs):
        raise CourseError(
            f"{len(photographs)} photographs with {per_photograph} pieces each are fewer than k={k}."
        )
    rows = [[] for _ in channels]
    for number, photograph in enumerate(photographs):
        image = _scaled(photograph.pixels, height)
        if min(image.shape[1:]) < field:
            raise CourseError(
                f"{photograph.name!r} is {image.shape[1]} × {image.shape[2]} pixels at height={height}; "
                f"a cell of {point} sees {field} × {field}. Give a larger height."
            )
        with model.caching([point]) as cache:
            model(image[None])
        maps = cache[point][0, list(channels)]
        top, left = (offset + step * torch.arange(n) for n in maps.shape[1:])
        inside = _inside(top, field, image.shape[1])[:, None] & _inside(left, field, image.shape[2])[None]
        for row, answers in zip(rows, maps.masked_fill(~inside, -torch.inf)):
            for value, y, x in _peaks(answers, per_photograph, apart=field / step / 2):
                corner = int(top[y]), int(left[x])
                row.append(
                    (value, number, image[:, corner[0] : corner[0] + field, corner[1] : corner[1] + field])
                )
    best = [sorted(row, key=lambda found: -found[0])[:k] for row in rows]
    if min(map(len, best)) < k:
        raise CourseError(
            f"Only {min(map(len, best))} separate pieces fit into these photographs; ask for fewer than k={k}."
        )
    return DatasetExamples(
        crops=torch.stack([torch.stack([crop for _, _, crop in row]) for row in best]),
        values=torch.tensor([[value for value, _, _ in row] for row in best]),
        sources=torch.tensor([[number for _, number, _ in row] for row in best]),
        names=tuple(photograph.name for photograph in photographs),
        channels=tuple(channels),
    )


def _field(config: AlexNetConfig, name: str) -> tuple[int, int, int]:
    """Of a map: side of the receptive field, pixels from cell to cell, and where the field of cell 0 begins."""
    row = layer_arithmetic.layer(config, name, image_size=4 * config.image_size)
    if row.side == 1 and name.startswith(("fc", "logits")):
        raise CourseError(
            f"{name!r} sees the whole picture: show it whole pictures (`best_channel.answers`)."
        )
    step, offset = 1, 0
    for number, spec in enumerate(config.convolutions, start=1):
        offset -= spec.padding * step
        step *= spec.stride
        if name == f"conv{number}":
            break
        if spec.pool:
            offset -= config.pool_padding * step
            step *= layer_arithmetic.POOL_STRIDE
            if name == f"pool{number}":
                break
    return row.receptive_field, row.step, offset


def _scaled(pixels: Float[Tensor, "3 height width"], height: int) -> Float[Tensor, "3 new_height new_width"]:
    width = round(pixels.shape[2] * height / pixels.shape[1])
    return torch.nn.functional.interpolate(pixels[None], (height, width), mode="bilinear", antialias=True)[0]


def _inside(start: Int[Tensor, " cell"], field: int, side: int) -> Tensor:
    return (start >= 0) & (start + field <= side)


def _peaks(answers: Float[Tensor, "height width"], n: int, *, apart: float) -> list[tuple[float, int, int]]:
    """The ``n`` largest cells, each at least ``apart`` rows or columns from those before it."""
    answers, found = answers.clone(), []
    y, x = torch.arange(answers.shape[0])[:, None], torch.arange(answers.shape[1])[None]
    for _ in range(n):
        value, place = answers.flatten().max(dim=0)
        if value == -torch.inf:
            break
        row, column = divmod(int(place), answers.shape[1])
        found.append((float(value), row, column))
        answers[((y - row).abs() < apart) & ((x - column).abs() < apart)] = -torch.inf
    return found
