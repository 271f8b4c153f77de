"""The same pictures with one thing destroyed: harder opponents for a unit that is said to know what they show.

Faces differ from other pictures in a hundred ways besides being faces: in brightness, contrast, smoothness. A
picture made from the *same* face keeps most of these, so a unit that tells the two apart must look at something
else:

    block_scrambled    the pieces are all there, their arrangement is not; what is new are the edges between blocks
    phase_scrambled    as much of every frequency as before, at random places; what is gone are edges and corners
    upside_down        everything but gravity

No contrast is perfect. A unit that wins all of them has earned a closer look, no more.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def enlarged(grey: Float[Tensor, "image height width"], side: int = 64) -> Float[Tensor, "image 3 side side"]:
    """Small grey pictures at the size and in the three colours that a network expects; no sharper than before."""
    larger = torch.nn.functional.interpolate(grey[:, None], (side, side), mode="bicubic")
    return larger.clamp(0, 1).expand(-1, 3, -1, -1).contiguous()


def block_scrambled(
    images: Float[Tensor, "image channel height width"], *, blocks: int = 4, seed: int = 0
) -> Float[Tensor, "image channel height width"]:
    """Each picture cut into ``blocks`` × ``blocks`` pieces, which are laid out in random order, another one for each.

    Every pixel is still there, so brightness, contrast and colours are the same. ``blocks`` must divide both sides.
    """
    n, channels, height, width = images.shape
    if blocks < 1 or height % blocks or width % blocks:
        raise ValueError(
            f"{blocks} blocks do not divide {height} × {width} pixels; choose a number that divides both."
        )
    generator = torch.Generator().manual_seed(seed)
    order = torch.rand(n, blocks**2, generator=generator).argsort(dim=1)
    tall, wide = height // blocks, width // blocks
    pieces = images.reshape(n, channels, blocks, tall, blocks, wide).permute(0, 2, 4, 1, 3, 5)
    pieces = pieces.flatten(1, 2)[torch.arange(n)[:, None], order].unflatten(1, (blocks, blocks))
    return pieces.permute(0, 3, 1, 4, 2, 5).reshape(images.shape)


def phase_scrambled(
    images: Float[Tensor, "image channel height width"], *, seed: int = 0
) -> Float[Tensor, "image channel height width"]:
    """Each picture with as much of every frequency, but shifted at random: clouds with a photograph's spectrum.

    The phases of a random picture are added to its own, the same ones to all colours, so that colours stay
    together. What leaves [0, 1] is cut off, which changes the spectrum a little.
    """
    n, _, height, width = images.shape
    noise = torch.randn(n, 1, height, width, generator=torch.Generator().manual_seed(seed))
    turn = torch.fft.rfft2(noise)
    turn = turn / turn.abs().clamp_min(torch.finfo(noise.dtype).tiny)
    turn[..., 0, 0] = 1  # the mean stays
    return torch.fft.irfft2(torch.fft.rfft2(images) * turn, s=(height, width)).clamp(0, 1)


def upside_down(
    images: Float[Tensor, "image channel height width"],
) -> Float[Tensor, "image channel height width"]:
    """Each picture mirrored from top to bottom: a face remains a face, but no longer the way faces are met."""
    return images.flip(2)
