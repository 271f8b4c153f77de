"""AlexNet, at any width: the network of 2012, torchvision's variant, and the mini that we ship.

One class serves all three. Five convolutions, of which three are followed by max-pooling, then
three fully connected layers (Krizhevsky, Sutskever and Hinton 2012). State-dict names are
torchvision's, so its checkpoint loads as it is.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mi_course.models.hooks import HookedModule

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Convolution:
    """One convolution and its ReLU; ``pool`` adds max-pooling (3×3, stride 2) behind them.

    ``groups`` cuts the channels into that many branches that do not see each other: the original
    AlexNet had two, one a GPU.
    """

    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    pool: bool = False


@dataclass(frozen=True)
class AlexNetConfig:
    """The shape of an AlexNet. ``grid``: side of the feature map that the classifier sees."""

    image_size: int
    convolutions: tuple[Convolution, ...]
    grid: int
    hidden: tuple[int, int]
    n_classes: int
    pool_padding: int = 0
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> AlexNetConfig:
        values = dict(values)
        values["convolutions"] = tuple(Convolution(**c) for c in values["convolutions"])
        for name in ("hidden", "mean", "std"):
            values[name] = tuple(values[name])
        return cls(**values)


ALEXNET_2012 = AlexNetConfig(
    image_size=227,
    convolutions=(
        Convolution(96, kernel=11, stride=4, pool=True),
        Convolution(256, kernel=5, padding=2, groups=2, pool=True),
        Convolution(384, kernel=3, padding=1),
        Convolution(384, kernel=3, padding=1, groups=2),
        Convolution(256, kernel=3, padding=1, groups=2, pool=True),
    ),
    grid=6,
    hidden=(4096, 4096),
    n_classes=1000,
)
"""The network of the paper, without its local response normalisation (which has no parameters)."""

TORCHVISION_ALEXNET = AlexNetConfig(
    image_size=224,
    convolutions=(
        Convolution(64, kernel=11, stride=4, padding=2, pool=True),
        Convolution(192, kernel=5, padding=2, pool=True),
        Convolution(384, kernel=3, padding=1),
        Convolution(256, kernel=3, padding=1),
        Convolution(256, kernel=3, padding=1, pool=True),
    ),
    grid=6,
    hidden=(4096, 4096),
    n_classes=1000,
)
"""torchvision's ``alexnet``: the "one weird trick" variant, 64 first-layer kernels instead of 96."""

ALEXNET_MINI = AlexNetConfig(
    image_size=64,
    convolutions=(
        Convolution(64, kernel=9, stride=2, pool=True),
        Convolution(96, kernel=5, padding=2, groups=2, pool=True),
        Convolution(160, kernel=3, padding=1),
        Convolution(160, kernel=3, padding=1, groups=2),
        Convolution(128, kernel=3, padding=1, groups=2, pool=True),
    ),
    grid=3,
    hidden=(384, 256),
    n_classes=200,
    pool_padding=1,
)
"""The network that ships with the course: AlexNet for 64×64 photographs of 200 classes."""


class AlexNet(HookedModule):
    """AlexNet. Takes RGB images with values in [0, 1] and normalises them itself.

    Points to hook, in order: for each convolution ``convN.pre`` (before the ReLU), ``convN`` (after
    it) and, where it pools, ``poolN``; ``fc6.pre``, ``fc6``, ``fc7.pre``, ``fc7``; ``logits``.
    """

    def __init__(self, config: AlexNetConfig = ALEXNET_MINI, classes: tuple[str, ...] = ()):
        super().__init__()
        if classes and len(classes) != config.n_classes:
            raise ValueError(f"{len(classes)} class names for {config.n_classes} classes.")
        self.config = config
        self.classes = tuple(classes)
        self._points: dict[str, str] = {}

        features: list[nn.Module] = []
        channels = 3
        for number, spec in enumerate(config.convolutions, start=1):
            self._points[f"conv{number}.pre"] = f"features.{len(features)}"
            features.append(
                nn.Conv2d(channels, spec.channels, spec.kernel, spec.stride, spec.padding, groups=spec.groups)
            )
            self._points[f"conv{number}"] = f"features.{len(features)}"
            features.append(nn.ReLU())
            if spec.pool:
                self._points[f"pool{number}"] = f"features.{len(features)}"
                features.append(nn.MaxPool2d(kernel_size=3, stride=2, padding=config.pool_padding))
            channels = spec.channels
        self.features = nn.Sequential(*features)
        self.avgpool = nn.AdaptiveAvgPool2d(config.grid)
        fc6, fc7 = config.hidden
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Linear(channels * config.grid**2, fc6),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(fc6, fc7),
            nn.ReLU(),
            nn.Linear(fc7, config.n_classes),
        )
        for name, index in (("fc6.pre", 1), ("fc6", 2), ("fc7.pre", 4), ("fc7", 5), ("logits", 6)):
            self._points[name] = f"classifier.{index}"
        self.register_buffer("mean", torch.tensor(config.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(config.std).view(3, 1, 1), persistent=False)

    def hook_points(self) -> dict[str, nn.Module]:
        return {name: self.get_submodule(path) for name, path in self._points.items()}

    @property
    def convolutions(self) -> tuple[nn.Conv2d, ...]:
        """The five convolutions, first to last."""
        return tuple(layer for layer in self.features if isinstance(layer, nn.Conv2d))

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch n_classes"]:
        """Logits of every class. ``images``: RGB in [0, 1]; any size that survives the pooling."""
        _check_images(images)
        x = self.features((images - self.mean) / self.std)
        return self.classifier(self.avgpool(x).flatten(1))


def _check_images(images: Tensor) -> None:
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(
            f"images has shape {tuple(images.shape)}; expected (batch, 3, height, width). "
            "One picture alone needs a batch axis: images[None]."
        )
    if not images.is_floating_point():
        raise ValueError(f"images has dtype {images.dtype}; expected floats in [0, 1]: divide bytes by 255.")
    if images.numel():
        low, high = images.detach().aminmax()
        if not (low >= -0.5 and high <= 1.5):
            raise ValueError(
                f"images has values from {low:.3g} to {high:.3g}; expected RGB in [0, 1]. "
                "The model subtracts the mean and divides by the deviation itself."
            )


def initialize(model: AlexNet, seed: int) -> AlexNet:
    """Give ``model`` the random weights that training starts from, and return it.

    He et al. (2015) normal weights and zero biases, with the first layer ten times smaller: large
    first-layer weights never lose their initial noise (see the card of alexnet-mini).
    """
    generator = torch.Generator().manual_seed(seed)
    weighted = [m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        for layer in weighted:
            fan_in = layer.weight[0].numel()
            layer.weight.normal_(0.0, (2.0 / fan_in) ** 0.5, generator=generator)
            layer.bias.zero_()
        weighted[0].weight.mul_(0.1)
    return model
