"""What does a unit want to see? An image is changed, step by step, until the unit answers as strongly as it can.

Gradient ascent on the *image*; the network stays as it is. Done naively it ends in noise that no photograph contains,
so three remedies stand ready, and each can be switched off to see what it does:

    parameterisation="fourier"     the numbers that change are frequencies, not pixels  (`image_parameterisation`)
    colour="decorrelated"          … along the colour axes of photographs
    transforms=RandomTransforms()  every step sees the image from a slightly other view  (`random_transforms`)

and against what may still be wrong: ``finest`` against checkerboards, `objectives.contrast` and
`objectives.total_variation` against shrill colours and restlessness.

What an optimised image does not show: what the unit does on photographs. It is one picture that moves the unit, found
under our own preferences for what a picture is. Lay dataset examples beside it (`dataset_examples`).

Sources: Erhan et al. 2009 ("Visualizing higher-layer features of a deep network"); Simonyan, Vedaldi and Zisserman
2014 (arXiv 1312.6034); Olah, Mordvintsev and Schubert 2017 (https://distill.pub/2017/feature-visualization).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.errors import CourseError
from mi_course.methods.image_parameterisation import FINEST, Canvas, Colour, Parameterisation
from mi_course.methods.objectives import IMAGE, Objective
from mi_course.methods.random_transforms import VIEWS, RandomTransforms
from mi_course.models.alexnet import AlexNet


@dataclass(frozen=True)
class Visualization:
    """Optimised images with what they reach.

    ``images``: RGB in [0, 1]. ``labels``: what each was to make large. ``curve``: the objective at every step, on
    the view that this step saw. ``reached``: the objective on the finished image, as it is. Unit of both: the
    objective's own (activation, less penalties).
    """

    images: Float[Tensor, "image 3 side side"]
    labels: tuple[str, ...]
    curve: Float[Tensor, "step image"]
    reached: Float[Tensor, " image"]

    def __repr__(self) -> str:
        return f"Visualization({len(self.images)} images, {len(self.curve)} steps)"


@dataclass
class Ascent:
    """Gradient ascent as a loop that can be watched and left: ``for step in ascent: …``, then ``ascent.result()``.

    ``images`` holds the pictures as they are now. Arguments as of `visualize`.
    """

    model: AlexNet
    objective: Objective
    steps: int = 64
    side: int | None = None
    parameterisation: Parameterisation = "fourier"
    colour: Colour = "decorrelated"
    transforms: RandomTransforms | None = VIEWS
    finest: float = FINEST
    learning_rate: float = 0.05
    seed: int = 0

    def __post_init__(self):
        if self.objective.labels is None:
            raise CourseError(
                "This objective holds for any number of images (a penalty, or diversity): add something "
                'to show to it, such as objectives.channel("conv4.pre", 7).'
            )
        if self.steps < 1:
            raise ValueError(f"steps={self.steps}: ascent needs 1 step or more.")
        if self.finest <= 0:
            raise ValueError(f"finest={self.finest} cycles per pixel leaves nothing; 0.5 keeps everything.")
        self._canvas = Canvas(
            len(self.objective.labels),
            self.side or self.model.config.image_size,
            parameterisation=self.parameterisation,
            colour=self.colour,
            finest=self.finest,
            seed=self.seed,
        )
        self._optimizer = torch.optim.Adam([self._canvas.parameters], lr=self.learning_rate)
        self._views = torch.Generator().manual_seed(self.seed + 1)
        self._curve: list[Tensor] = []

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[int]:
        """Take the steps that are left; after each comes its number, from 1."""
        while len(self._curve) < self.steps:
            self._step()
            yield len(self._curve)

    @property
    def images(self) -> Float[Tensor, "image 3 side side"]:
        return self._canvas.images().detach()

    def result(self) -> Visualization:
        """What there is after the steps that were taken."""
        images = self.images
        with torch.no_grad():
            reached = evaluate(self.model, self.objective, images)
        curve = torch.stack(self._curve) if self._curve else reached.new_zeros(0, len(reached))
        return Visualization(images, self.objective.labels, curve, reached)

    @torch.enable_grad()
    def _step(self) -> None:
        images = self._canvas.images()
        view = self.transforms(images, self._views) if self.transforms else images
        values = _value(self.model, self.objective, view, images)
        # Images do not see each other except through diversity, so the sum gives each its own gradient.
        (gradient,) = torch.autograd.grad(-values.sum(), self._canvas.parameters)
        self._canvas.parameters.grad = gradient
        self._optimizer.step()
        self._curve.append(values.detach())


def visualize(
    model: AlexNet,
    objective: Objective,
    *,
    steps: int = 64,
    side: int | None = None,
    parameterisation: Parameterisation = "fourier",
    colour: Colour = "decorrelated",
    transforms: RandomTransforms | None = VIEWS,
    finest: float = FINEST,
    learning_rate: float = 0.05,
    seed: int = 0,
) -> Visualization:
    """Images that make ``objective`` large for ``model``, all at once in one batch.

    ``objective``: see `objectives`; it says how many images there are. ``side``: of the images in pixels; None
    takes the size that the network was trained on. ``transforms``: None switches them off. ``finest``: cycles per
    pixel above which a Fourier image holds nothing (0.5: no limit). ``learning_rate``: of Adam (Kingma and Ba
    2015). The same ``seed`` gives the same images on the same machine; on another one the last digits differ, and
    grow.

    To watch, or to stop early, go through an `Ascent` yourself.
    """
    ascent = Ascent(
        model, objective, steps, side, parameterisation, colour, transforms, finest, learning_rate, seed
    )
    for _ in ascent:
        pass
    return ascent.result()


def evaluate(
    model: AlexNet, objective: Objective, images: Float[Tensor, "image 3 height width"]
) -> Float[Tensor, " image"]:
    """The objective of given images, one number each: how far up photographs come, for comparison."""
    return _value(model, objective, images, images)


def robustness(
    model: AlexNet,
    objective: Objective,
    images: Float[Tensor, "image 3 height width"],
    transforms: RandomTransforms,
    *,
    views: int = 16,
    seed: int = 0,
) -> Float[Tensor, " image"]:
    """The objective's mean over random views of each image, as a share of the value on the image itself.

    1 = nothing is lost when the picture moves a little, 0 = all of it. Beyond these limits where the value on the
    image itself is near or below 0: then the share means nothing.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        still = evaluate(model, objective, images)
        moved = [evaluate(model, objective, transforms(images, generator)) for _ in range(views)]
    return torch.stack(moved).mean(dim=0) / still


class _Enough(Exception):
    """Every activation that was asked for has been computed."""


def _value(model: AlexNet, objective: Objective, view: Tensor, images: Tensor) -> Tensor:
    found = {IMAGE: images}
    points = objective.points - {IMAGE}

    def keep(activation: Tensor, name: str) -> None:
        found[name] = activation
        if points <= found.keys():
            raise _Enough  # the layers behind it would be computed for nothing

    if points:
        try:
            with model.hooks([(point, keep) for point in points]):
                model(view.contiguous(memory_format=torch.channels_last))
        except _Enough:
            pass
    return objective.value(found)
