"""The smallest network of the course: 64 pixels, a few hidden neurons, ten digits."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_course.data.digits import SIDE, Digits
from mi_course.models.hooks import HookedModule
from mi_course.runtime import one_thread


class BlackBox(HookedModule):
    """``logits = output(tanh(hidden(pixels)))``.

    It computes in double precision, so that every machine prints the same digits.
    ``hidden.weight``: one row of 64 weights a hidden neuron; ``output.weight``: one row a digit.
    Points to read and change: ``hidden`` (after tanh, −1 to 1) and ``logits``.
    """

    def __init__(self, neurons: int = 4):
        super().__init__()
        if neurons < 1:
            raise ValueError(f"neurons={neurons}; a hidden layer needs at least one.")
        self.hidden = nn.Linear(SIDE * SIDE, neurons, dtype=torch.float64)
        self.tanh = nn.Tanh()
        self.output = nn.Linear(neurons, 10, dtype=torch.float64)

    def hook_points(self) -> dict[str, nn.Module]:
        """``hidden`` and ``logits``."""
        return {"hidden": self.tanh, "logits": self.output}

    def forward(self, images: Float[Tensor, "batch 8 8"]) -> Float[Tensor, "batch n_classes"]:
        """One logit for each digit; the largest is the answer."""
        return self.output(self.tanh(self.hidden(images.flatten(start_dim=1).double())))

    @torch.no_grad()
    def probabilities(self, images: Float[Tensor, "batch 8 8"]) -> Float[Tensor, "batch n_classes"]:
        """How the network divides its belief among the ten digits; each row adds up to 1."""
        with one_thread():
            return self(images).softmax(dim=-1)

    @torch.no_grad()
    def answer(self, images: Float[Tensor, "batch 8 8"]) -> Int[Tensor, " batch"]:
        """The most probable digit for each picture."""
        return self(images).argmax(dim=-1)

    @torch.no_grad()
    def hidden_activations(self, images: Float[Tensor, "batch 8 8"]) -> Float[Tensor, "batch neuron"]:
        """What the hidden neurons say, −1 to 1."""
        return self.tanh(self.hidden(images.flatten(start_dim=1).double()))

    @property
    def number_count(self) -> int:
        """How many learned numbers there are inside."""
        return sum(parameter.numel() for parameter in self.parameters())


def train(digits: Digits, *, neurons: int = 4, steps: int = 150, seed: int = 0) -> BlackBox:
    """Fit a network to all pictures at once, for ``steps`` steps of Adam.

    Weights start from random numbers of this ``seed``. A little weight decay lets weights on pixels
    that are always empty fade away.
    """
    with torch.random.fork_rng(devices=[]):  # the notebook's own random numbers stay as they were
        network = BlackBox(neurons)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in (network.hidden, network.output):
            layer.weight.normal_(std=layer.in_features**-0.5, generator=generator)
            layer.bias.zero_()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05, weight_decay=1e-3)
    images = digits.images.double()
    with one_thread():
        for _ in range(steps):
            loss = nn.functional.cross_entropy(network(images), digits.labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.eval()
