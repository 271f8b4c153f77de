"""What learners get wrong in chapter 09, and what the diagnosis must say."""

import torch


def share(mask):
    return mask[:, None, None, None]


def pruned(edges, score, threshold, *, order=reversed, against="circuit", size=float, removed=False):
    """ACDC with one thing wrong."""
    kept = set(edges)
    best = whole = score(kept)
    for edge in order(edges):
        tested = set(edges) - {edge} if against == "whole circuit" else kept - {edge}
        without = score(tested)
        compared = whole if against != "circuit" else best
        if size(compared - without) < threshold:
            kept, best = kept - {edge}, without
    return set(edges) - kept if removed else kept


def keeps_what_is_useless(edges, score, threshold):
    kept = set(edges)
    for edge in reversed(edges):
        if score(kept) - score(kept - {edge}) >= threshold:
            kept = kept - {edge}
    return kept


def gradient(metric, mask):
    mask = mask.clone().requires_grad_()
    return torch.autograd.grad(metric(mask), mask)[0]


def one_by_one(metric, mask):
    falls = torch.zeros_like(mask)
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            without = mask.clone()
            without[row, column] = 0
            falls[row, column] = metric(mask) - metric(without)
    return falls


def with_history(metric, mask):
    mask = mask.clone().requires_grad_()
    return torch.autograd.grad(metric(mask), mask, create_graph=True)[0] + 0 * mask


def along(places):
    return lambda metric, mask, steps: torch.stack([
        gradient(metric, place * mask) for place in places(steps)
    ]).mean(dim=0)  # fmt: skip


def pairs(scores, truth):
    return scores[truth][:, None], scores[~truth][None]


def ahead(scores, truth):
    true, false = pairs(scores, truth)
    return (true > false).double()


WRONG = {
    "09.reads": [
        (lambda c, r, m: (share(m) * r + (1 - share(m)) * c).sum(0), "the wrong way round"),
        (lambda c, r, m: (share(m) * c).sum(0), "carries nothing"),
        (lambda c, r, m: (share(m) * c + (1 - share(m)) * r).mean(0), "the mean over the senders"),
        (lambda c, r, m: share(m) * c + (1 - share(m)) * r, "an axis of senders"),
        (lambda c, r, m: torch.where(share(m) > 0, c, r).sum(0), "half of each"),
    ],
    "09.acdc": [
        (lambda e, s, t: pruned(e, s, t, removed=True), "the edges that were *removed*"),
        (lambda e, s, t: pruned(e, s, t, order=iter), "Begin at the *last* one"),
        (lambda e, s, t: pruned(e, s, t, against="whole circuit"), "as it is by now"),
        (lambda e, s, t: pruned(e, s, t, against="whole score"), "Compare with the circuit before"),
        (lambda e, s, t: pruned(e, s, t, size=abs), "no `abs`"),
        (keeps_what_is_useless, "a and c should be left"),
        (lambda e, s, t: set(e), "nothing was removed"),
        (lambda e, s, t: {"x"}, "was not among the edges"),
    ],
    "09.auc": [
        (lambda s, t: 1 - float(ahead(s, t).mean()), "the *false* edge is ahead"),
        (lambda s, t: float(ahead(s, t).sum()), "Divide by how many"),
        (lambda s, t: float(ahead(s, t).mean()), "worth half"),
        (lambda s, t: float((s[t].mean() > s[~t].mean()).float()), "Your area"),
    ],
    "09.eap": [
        (lambda f, m: -gradient(f, m), "all signs are turned"),
        (one_by_one, "you removed the edges one by one"),
        (lambda f, m: gradient(f, torch.zeros_like(m)), "at a mask of zeros"),
        (with_history, "the history of their computation"),
    ],
    "09.eap_ig": [
        (lambda f, m, steps: gradient(f, m), "the gradient at the whole model alone"),
        (lambda f, m, steps: gradient(f, m / 2), "one gradient, in the middle"),
        (along(lambda n: [k / n for k in range(1, n + 1)]), "the end of each step"),
        (along(lambda n: [k / n for k in range(n)]), "the beginning of each step"),
        (
            lambda f, m, n: sum(gradient(f, (k + 0.5) / n * m) for k in range(n)),
            "the sum over the steps",
        ),
    ],
}
