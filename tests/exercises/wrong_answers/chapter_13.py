# ruff: noqa: N803 (matrices are upper case in the formulas)
"""What learners get wrong in chapter 13, and what the diagnosis must say."""

import torch
import torch.nn.functional as F


def encoder(*, pre=None, choose=None, keep=None):
    def answer(x, W_enc, b_enc, b_dec, k):
        found = (x - b_dec) @ W_enc + b_enc if pre is None else pre(x, W_enc, b_enc, b_dec)
        found = found if choose else found.relu()
        values, which = (found if choose is None else choose(found)).topk(k, dim=-1)
        if keep:
            return keep(found, values, which)
        return torch.zeros_like(found).scatter(-1, which, found.gather(-1, which))

    return answer


def together(x, W_enc, b_enc, b_dec, k):
    found = ((x - b_dec) @ W_enc + b_enc).relu()
    values, which = found.flatten().topk(k * len(x))
    return torch.zeros(found.numel()).scatter(0, which, values).view(found.shape)


def cosines(true, found):
    return F.normalize(true, dim=1) @ F.normalize(found, dim=1).T


def scores(*, above=torch.gt, average=lambda p, r: 2 * p * r / max(p + r, 1e-9), at_least=1, swap=False):
    def answer(activity, holds, threshold):
        yes = above(activity, threshold)
        hits = int((yes & holds).sum())
        said = int(yes.sum())
        precision = hits / max(said, at_least) if said or at_least else float("nan")
        recall = hits / int(holds.sum())
        found = (recall, precision) if swap else (precision, recall)
        return (*found, average(precision, recall))

    return answer


def accuracy_for_precision(activity, holds, threshold):
    _, recall, f1 = scores()(activity, holds, threshold)
    return float(((activity > threshold) == holds).float().mean()), recall, f1


WRONG = {
    "13.encode": [
        (lambda x, W, b, c, k: ((x - c) @ W + b).relu(), "every positive feature is kept"),
        (encoder(choose=lambda found: found), "some features are negative"),
        (encoder(choose=lambda found: found.abs()), "largest by size"),
        (encoder(pre=lambda x, W, b, c: x @ W + b), "did not take `b_dec` off"),
        (encoder(pre=lambda x, W, b, c: (x - c) @ W), "did not add `b_enc`"),
        (encoder(keep=lambda found, values, which: values), "the largest values alone"),
        (encoder(keep=lambda f, v, w: (torch.zeros_like(f).scatter(-1, w, v) > 0).float()), "these are ones"),
        (together, "Each vector has its own 3"),
        (lambda x, W, b, c, k: encoder()(x, W, b, c, k + 1), "4 active features"),
    ],
    "13.mean_max_cosine": [
        (lambda found, true: (true @ found.T).max(1).values.mean(), "plain products"),
        (lambda found, true: cosines(true, found).max(0).values.mean(), "of every *found* direction"),
        (lambda found, true: cosines(true, found).abs().max(1).values.mean(), "keep the sign"),
        (lambda found, true: cosines(true, found).mean(), "the mean of all cosines"),
        (lambda found, true: cosines(true, found).max(), "the best of all"),
        (lambda found, true: cosines(true, found).max(1).values, "one number is asked for"),
    ],
    "13.l1_loss": [
        (lambda x, r, f, s: (x - r).square().mean() + s * f.sum(-1).mean(), "averaged over coordinates"),
        (lambda x, r, f, s: (x - r).square().sum(-1).mean() + s * f.mean(), "the features are averaged"),
        (
            lambda x, r, f, s: (x - r).square().sum(-1).mean() + f.sum(-1).mean(),
            "not multiplied by `sparsity`",
        ),
        (lambda x, r, f, s: (x - r).square().sum(-1).mean(), "activity costs nothing"),
        (
            lambda x, r, f, s: (x - r).square().sum(-1).mean() + s * (f > 0).sum(-1).float().mean(),
            "counted the active features",
        ),
        (lambda x, r, f, s: (x - r).norm(dim=-1).mean() + s * f.sum(-1).mean(), "length of the error"),
        (lambda x, r, f, s: (x - r).square().sum() + s * f.sum(), "sums over all vectors"),
        (lambda x, r, f, s: (x - r).square().sum(-1).mean() + s * f.square().sum(-1).mean(), "squared"),
        (lambda x, r, f, s: (x - r).square().sum(-1) + s * f.sum(-1), "a loss is one number"),
    ],
    "13.loss_recovered": [
        (lambda c, r, a: (r - c) / (a - c), "*lost*"),
        (lambda c, r, a: c / r, "a ratio of losses"),
        (lambda c, r, a: 1 - r / a, "what there was to lose"),
        (lambda c, r, a: a - r, "in nats"),
        (lambda c, r, a: max(0.0, (a - r) / (a - c)), "do not cut off"),
    ],
    "13.scores": [
        (scores(swap=True), "changed places"),
        (scores(average=lambda p, r: (p + r) / 2), "harmonic mean"),
        (scores(above=torch.ge), "*above* the threshold"),
        (scores(at_least=0), "divided by 0"),
        (accuracy_for_precision, "accuracy"),
        (lambda a, h, t: scores()(a, h, t)[2], "three numbers"),
    ],
    "13.shares": [
        (lambda p, c: (c > 0).float().mean(0), "shares of all words"),
        (lambda p, c: ((c > 0) & (p > 0)[:, None]).float().mean(0), "divided by all 7 words"),
        (
            lambda p, c: ((c > 0) & (p > 0)[:, None]).sum(0) / (c > 0).sum(0),
            "the other way round",
        ),
        (lambda p, c: c[p > 0].mean(0), "mean activity"),
        (lambda p, c: (c[p > 0] > 0).sum(0).float(), "numbers of words"),
    ],
}
