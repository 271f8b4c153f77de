"""Which pixels does this one answer depend on? Gradients as pictures, and the test that a pretty picture may fail.

A saliency map answers for one picture and one class. It is easily over-read: a map that shows the outline of the
object looks like an explanation even if it would look the same for a network that knows nothing. Hence
`randomised`: give the network random weights, from the answer downwards, and see whether the map notices (Adebayo
et al. 2018, "Sanity checks for saliency maps", arXiv 1810.03292). A map that does not change cannot be about what
the network has learned.
"""

from __future__ import annotations

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mi_course.methods.best_channel import ranks
from mi_course.models.alexnet import AlexNet, initialize


def pixel_gradient(
    model: AlexNet, images: Float[Tensor, "image 3 height width"], class_index: int
) -> Float[Tensor, "image 3 height width"]:
    """How much the class's logit rises when a colour of a pixel rises, in logits per unit of light; with its sign."""
    if not 0 <= class_index < model.config.n_classes:
        raise ValueError(f"class_index={class_index} is not one of 0 … {model.config.n_classes - 1}.")
    images = images.detach().clone().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(model(images)[:, class_index].sum(), images)
    return gradient


def gradient(
    model: AlexNet, image: Float[Tensor, "3 height width"], class_index: int
) -> Float[Tensor, "height width"]:
    """How strongly each pixel moves the class's logit: the largest absolute slope of its three colours.

    0 = not at all, for a change that is small enough. A pixel on which everything depends has slope 0 as well once
    the network is sure of it (saturation). Source: Simonyan, Vedaldi and Zisserman 2014, arXiv 1312.6034, section
    3.
    """
    return pixel_gradient(model, image[None], class_index)[0].abs().amax(dim=0)


def gradient_times_input(
    model: AlexNet, image: Float[Tensor, "3 height width"], class_index: int
) -> Float[Tensor, "height width"]:
    """What each pixel seems to add to the logit: slope times distance from the mean colour. Positive: for the class.

    The mean is the one that the network subtracts. Source: Shrikumar et al. 2016, arXiv 1605.01713.
    """
    return (pixel_gradient(model, image[None], class_index)[0] * (image - model.mean)).sum(dim=0)


def smooth_gradient(
    model: AlexNet,
    image: Float[Tensor, "3 height width"],
    class_index: int,
    *,
    noise: float = 0.1,
    copies: int = 16,
    seed: int = 0,
) -> Float[Tensor, "height width"]:
    """The `gradient`, as a mean over noisy copies of the picture: less speckled.

    ``noise``: its spread, in units of light. Source: Smilkov et al. 2017, arXiv 1706.03825.
    """
    shape = (copies, *image.shape)
    noisy = image + noise * torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return pixel_gradient(model, noisy.clamp(0, 1), class_index).abs().amax(dim=1).mean(dim=0)


def guided(
    model: AlexNet, image: Float[Tensor, "3 height width"], class_index: int
) -> Float[Tensor, "height width"]:
    """Guided backpropagation: the gradient, of which every ReLU only lets the positive part through.

    Sharp and convincing, and mostly an edge detector: it changes little when the upper layers know nothing
    (`randomised`). Source: Springenberg et al. 2015, arXiv 1412.6806; why it fails: Nie, Zhang and Patel 2018,
    arXiv 1805.07039.
    """

    def let_only_positive_through(activation: Tensor, name: str) -> None:
        activation.register_hook(lambda slope: slope.clamp_min(0))

    behind_relu = [name for name in model.hook_points() if f"{name}.pre" in model.hook_points()]
    with model.hooks([(name, let_only_positive_through) for name in behind_relu]):
        return gradient(model, image, class_index)


def randomised(model: AlexNet, layers: int, *, seed: int = 0) -> AlexNet:
    """A copy whose last ``layers`` layers have the random weights that training starts from; the others stay.

    0 = as it is, 1 = only the logits are random, 8 = the whole AlexNet.
    """
    changed = copy.deepcopy(model)
    fresh = initialize(AlexNet(model.config), seed)
    pairs = list(zip(_weighted(changed), _weighted(fresh)))
    if not 0 <= layers <= len(pairs):
        raise ValueError(f"layers={layers}: this network has {len(pairs)} layers with weights.")
    for ours, random in pairs[len(pairs) - layers :]:
        ours.load_state_dict(random.state_dict())
    return changed.eval()


def rank_agreement(one: Float[Tensor, "height width"], other: Float[Tensor, "height width"]) -> float:
    """Spearman's correlation of two maps: 1 = the same pixels come first, 0 = nothing in common.

    Signs count: take absolute values first if only the strength matters.
    """
    places = ranks(torch.stack([one.flatten(), other.flatten()], dim=1))
    return float(torch.corrcoef(places.T)[0, 1])


def _weighted(model: AlexNet) -> list[nn.Module]:
    return [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
