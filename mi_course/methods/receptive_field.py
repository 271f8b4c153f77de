"""Which pixels can a unit see, and which does it really use? Measured with gradients."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.models.alexnet import AlexNet


def gradient_map(
    model: AlexNet, name: str, *, image_size: int = 160, n_images: int = 16, seed: int = 0
) -> Float[Tensor, "height width"]:
    """How strongly each pixel moves the middle units of layer ``name``, on average over noise images.

    Sums the absolute gradient of the centre cell of every channel with respect to the pixels over
    ``n_images`` images of uniform noise, and divides by its maximum: 1 = the pixel that matters most,
    0 = a pixel that the cell cannot see. Use an image larger than the receptive field that
    `layer_arithmetic` states, or its border cuts the map off.

    The extent of what is not zero approaches the receptive field of the formula from below: max-pooling
    passes the gradient of one pixel of nine, and a ReLU that is off passes none. It does not show what a
    unit looks *for*. Compare Luo et al. 2016, "Understanding the effective receptive field".
    """
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(n_images, 3, image_size, image_size, generator=generator, requires_grad=True)
    with torch.enable_grad():
        _, cache = model.run_with_cache(images, [name])
        activation = cache[name]
        if activation.ndim != 4:
            raise ValueError(f"{name!r} is not a feature map; choose a convolution or a pool.")
        middle = activation[:, :, activation.shape[2] // 2, activation.shape[3] // 2]
        (gradient,) = torch.autograd.grad(middle.sum(), images)
    seen = gradient.abs().sum(dim=(0, 1))
    return seen / seen.max().clamp_min(torch.finfo(seen.dtype).tiny)


def extent(gradients: Float[Tensor, "height width"], *, share: float = 1.0) -> int:
    """Side of the smallest square around the map's centre of mass that holds ``share`` of it.

    ``share=1`` counts every pixel that is not zero; ``share=0.9`` gives an *effective* receptive field.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share={share} must be above 0 and at most 1.")
    if share == 1:
        rows, columns = (gradients > 0).nonzero(as_tuple=True)
        if not len(rows):
            return 0
        return int(max(rows.max() - rows.min(), columns.max() - columns.min()) + 1)
    total = gradients.sum()
    if total == 0:
        return 0
    rows = torch.arange(gradients.shape[0], dtype=gradients.dtype)
    columns = torch.arange(gradients.shape[1], dtype=gradients.dtype)
    y = float((gradients.sum(1) * rows).sum() / total)
    x = float((gradients.sum(0) * columns).sum() / total)
    distance = torch.maximum((rows - y).abs()[:, None], (columns - x).abs()[None, :])
    radius, order = distance.flatten().sort()
    held = gradients.flatten()[order].cumsum(0) / total
    enough = min(
        int((held < share).sum()), len(radius) - 1
    )  # rounding may leave the last sum below the share
    return int(2 * radius[enough] + 1)
