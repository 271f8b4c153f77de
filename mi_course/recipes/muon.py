"""Muon: momentum whose steps are made orthogonal, for the matrices of a small transformer.

A gradient's few strong directions drown its many weak ones. Muon replaces the momentum matrix
U S Vᵀ by about U Vᵀ, so that every direction moves at one speed (Jordan et al. 2024,
https://kellerjordan.github.io/posts/muon/). Here in float32, which is what a processor without a
graphics card is fast at.
"""

from __future__ import annotations

import torch
from torch import Tensor

_QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of the published iteration: singular values land between about 0.7 and 1.2, quickly."""


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal. A weight of three axes is taken as its first two, flattened.

    ``parts``, an option of a group: its weights are so many matrices side by side (queries, keys and
    values), each made orthogonal by itself.
    """

    def __init__(self, parameters, lr: float, momentum: float = 0.95, iterations: int = 5):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "iterations": iterations, "parts": 1})

    @torch.no_grad()
    def step(self, closure=None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                momentum = state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
                update = parameter.grad.lerp(momentum, group["momentum"])
                whole = update.flatten(end_dim=-2)
                steps = [
                    orthogonalized(matrix, group["iterations"])
                    * max(1.0, matrix.shape[1] / matrix.shape[0]) ** 0.5
                    for matrix in whole.chunk(group["parts"], dim=1)
                ]
                parameter.add_(torch.cat(steps, dim=1).view_as(parameter), alpha=-group["lr"])


def orthogonalized(matrix: Tensor, iterations: int = 5) -> Tensor:
    """Nearly the orthogonal factor of ``matrix``: same singular vectors, singular values near 1."""
    a, b, c = _QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(iterations):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
