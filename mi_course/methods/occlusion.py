"""Cover a part of the picture and see what the network no longer believes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.models.alexnet import AlexNet


@dataclass(frozen=True)
class OcclusionMap:
    """``drop[y, x]``: how much the class's logit falls when the patch centred there is covered.

    Positive: the covered part spoke *for* the class. Negative: against it. Unit: logits.
    ``whole``: the logit of the picture with nothing covered. ``patch``, ``stride``: in pixels.
    """

    drop: Float[Tensor, "height width"]
    whole: float
    patch: int
    stride: int
    class_name: str


@torch.no_grad()
def occlusion_map(
    model: AlexNet,
    image: Float[Tensor, "3 height width"],
    class_index: int,
    *,
    patch: int = 16,
    stride: int = 4,
    fill: float | None = None,
    batch: int = 64,
) -> OcclusionMap:
    """Slide a flat patch over ``image`` and record how much the class's logit falls.

    ``fill``: brightness of the patch, 0 to 1; None takes the picture's own mean colour. A patch is an
    edge of its own, so look at the pattern of drops and compare it with the untrained network's; a
    single cell proves little. Source: Zeiler and Fergus 2014, section 4.2.
    """
    if not 0 <= class_index < model.config.n_classes:
        raise ValueError(f"class_index={class_index} is not one of 0 … {model.config.n_classes - 1}.")
    _, height, width = image.shape
    if patch < 1 or stride < 1:
        raise ValueError(f"patch={patch}, stride={stride}: both are counted in pixels, 1 or more.")
    if patch > min(height, width):
        raise ValueError(f"patch={patch} is larger than the {height}×{width} image.")
    rows = range(0, height - patch + 1, stride)
    columns = range(0, width - patch + 1, stride)
    colour = image.mean(dim=(1, 2)) if fill is None else torch.full((3,), float(fill))
    corners = [(y, x) for y in rows for x in columns]
    logits = []
    for start in range(0, len(corners), batch):  # a batch at a time: all at once fill the memory
        covered = image.repeat(len(corners[start : start + batch]), 1, 1, 1)
        for one, (y, x) in zip(covered, corners[start:]):
            one[:, y : y + patch, x : x + patch] = colour[:, None, None]
        logits.append(model(covered)[:, class_index])
    whole = model(image[None])[0, class_index]
    name = model.classes[class_index] if model.classes else f"class {class_index}"
    return OcclusionMap(
        drop=(whole - torch.cat(logits)).view(len(rows), len(columns)),
        whole=float(whole),
        patch=patch,
        stride=stride,
        class_name=name,
    )
