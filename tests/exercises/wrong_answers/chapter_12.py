# ruff: noqa: N803 (matrices are upper case in the formulas)
"""What learners get wrong in chapter 12, and what the diagnosis must say."""

import torch
import torch.nn.functional as F


def dimensionality(listen=None, *, below=lambda products: products.square().sum(-1), above=2):
    def answer(W):
        unit = F.normalize(W, dim=-1)
        return W.norm(dim=-1) ** above / below(listen(W, unit) if listen else unit @ W.T)

    return answer


def without_itself(W):
    unit = F.normalize(W, dim=-1)
    heard = (unit @ W.T).square().sum(-1) - W.square().sum(-1)
    return W.square().sum(-1) / heard


WRONG = {
    "12.reconstruct": [
        (lambda x, W, b: x @ W @ W.T + b, "the ReLU is missing"),
        (lambda x, W, b: (x @ W @ W.T).relu(), "the bias is missing"),
        (lambda x, W, b: (x @ W @ W.T).relu() + b, "behind the ReLU"),
        (lambda x, W, b: ((x @ W).relu() @ W.T + b).relu(), "on the hidden vectors too"),
        (lambda x, W, b: x @ W, "yours are the hidden vectors"),
        (lambda x, W, b: x @ W @ W.T, "bias and the ReLU"),
    ],
    "12.loss": [
        (lambda x, y, i: ((x - y) ** 2 * i).mean(), "averaged over features too"),
        (lambda x, y, i: ((x - y) ** 2 * i).sum(), "summed over examples"),
        (lambda x, y, i: ((x - y) ** 2).sum(-1).mean(), "left out the importance"),
        (lambda x, y, i: ((x - y).abs() * i).sum(-1).mean(), "absolute errors"),
        (lambda x, y, i: (((x - y) * i) ** 2).sum(-1).mean(), "squared the importance"),
        (lambda x, y, i: ((x - y) ** 2 * i).sum(-1), "one number an example"),
        (lambda x, y, i: ((x - y) ** 2 * i).mean(0), "one number a feature"),
    ],
    "12.dimensionality": [
        (dimensionality(lambda W, unit: W @ W.T), "must have length 1"),
        (dimensionality(lambda W, unit: unit @ unit.T), "both directions to length 1"),
        (dimensionality(below=lambda products: products.sum(-1).square()), "square every product"),
        (dimensionality(below=lambda products: products.abs().sum(-1)), "are squared, too"),
        (dimensionality(above=1), "*squared* length"),
        (dimensionality(below=lambda products: products.square().sum(0)), "Sum over the ones who are heard"),
        (without_itself, "left the feature itself out"),
        (lambda W: (F.normalize(W, dim=-1) @ W.T).square(), "a number for each pair"),
    ],
    "12.cost_of_sharing": [
        (lambda p, r: (1 + r) * p / 6, "where *both* are there"),
        (lambda p, r: 2 * p**2 / 6, "counts `importance` times"),
        (lambda p, r: r * p**2 / 6, "the first feature loses too"),
        (lambda p, r: (1 + r) * p**2 / 3, "the smaller of two"),
        (lambda p, r: (1 + r) * p**2 / 9, "the mean of its square"),
        (lambda p, r: (1 + r) / 6, "In which share of the examples are they"),
        (lambda p, r: torch.tensor([p, r]), "shape"),
    ],
    "12.boundary": [
        (lambda r: 2 * r / (1 + r), "a bias can say the mean"),
        (lambda r: (2 + 5 * r) / (4 * r), "reciprocal"),
        (lambda r: 4 * r / (2 - r), "a sign has slipped"),
        (lambda r: 4 / (2 + 5 * r), "the r is missing"),
        (lambda r: 0 * r, "no border"),
        (lambda r: 0.5 * r, "Asked is the density where both cost the same"),
    ],
    "12.purity": [
        (lambda W: W.square().amax(1) / W.square().sum(1), "one number a feature"),
        (lambda W: W.amax(0) / W.sum(0), "weights of both signs cancel"),
        (lambda W: W.abs().amax(0) / W.abs().sum(0), "squared weights, not their sizes"),
        (lambda W: W.square().amax(0), "divide by the sum"),
        (lambda W: W.abs().amax(0) / W.norm(dim=0), "the root of it"),
    ],
}
