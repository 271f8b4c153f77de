"""What learners get wrong in chapter 06, and what the diagnosis must say."""

import torch


def counted(tokens, d_vocab, *, across=False, smooth=0.1):
    if across:
        flat = tokens.flatten()
        first, second = flat[:-1], flat[1:]
    else:
        first, second = tokens[:, :-1].flatten(), tokens[:, 1:].flatten()
    counts = torch.zeros(d_vocab, d_vocab)
    counts.index_put_((first, second), torch.ones(len(first)), accumulate=True)
    return counts + smooth


def rows(counts):
    return counts / counts.sum(dim=1, keepdim=True)


def without_repeats(tokens, d_vocab):
    counts = torch.full((d_vocab, d_vocab), 0.1)
    counts[tokens[:, :-1].flatten(), tokens[:, 1:].flatten()] += 1
    return rows(counts)


def stripe(offset, first=0):
    return lambda pattern, period: pattern.diagonal(offset=offset(period), dim1=-2, dim2=-1)[
        ..., first:
    ].mean(dim=(0, -1))


def eigenvalues(*weights):
    return torch.linalg.eigvals(torch.linalg.multi_dot(weights))


def shares(values):
    return float(values.real.sum() / values.abs().sum())


def in_place(z, head):
    z[:, :, head] = 0
    return z


def cleared(*where):
    def answer(z, head):
        result = z.clone()
        result[tuple(slice(None) if part is None else head for part in where)] = 0
        return result

    return answer


def only_that_head(z, head):
    result = torch.zeros_like(z)
    result[:, :, head] = z[:, :, head]
    return result


WRONG = {
    "06.bigram_table": [
        (lambda t, n: counted(t, n), "rows add up to"),
        (lambda t, n: counted(t, n) / counted(t, n).sum(0, keepdim=True), "columns add up to 1"),
        (lambda t, n: rows(counted(t, n)).T, "columns add up to 1"),
        (lambda t, n: rows(counted(t, n, across=True)), "the pair 1 → 0"),
        (lambda t, n: rows(counted(t, n, smooth=0)), "of a token that never occurs"),
        (without_repeats, "Your table"),
    ],
    "06.induction_score": [
        (stripe(lambda period: -period), "duplicate-token"),
        (stripe(lambda period: 1 - period), "leave its first entry out"),
        (stripe(lambda period: -period - 1), "came *before* the first copy"),
        (stripe(lambda period: period - 1), "negative"),
        (lambda p, period: stripe(lambda q: 1 - q, 1)(p, period).mean(), "One a head"),
        (lambda p, period: p.diagonal(1 - period, -2, -1)[..., 1:].mean((1, 2)), "one number a row"),
    ],
    "06.copying_score": [
        (lambda *w: float(eigenvalues(*w).abs().sum() / eigenvalues(*w).abs().sum()), "expected -1.00"),
        (lambda *w: float(eigenvalues(*w).real.sum()), "Divide by the sum of their sizes"),
        (lambda *w: shares(torch.linalg.eigvals(w[1] @ w[2])), "W_V W_O alone"),
        (lambda *w: eigenvalues(*w).sum() / eigenvalues(*w).abs().sum(), "complex"),
        (lambda *w: shares(eigenvalues(w[0], w[1], w[2], -w[3])), "sign"),
    ],
    "06.k_composition": [
        (lambda ov, qk: float((qk @ ov.T).norm()), "did not divide"),
        (lambda ov, qk: float((ov @ qk).norm() / ov.norm() / qk.norm()), "Q-composition"),
        (lambda ov, qk: float((qk @ ov).norm() / ov.norm() / qk.norm()), "wrong way round"),
        (lambda ov, qk: float((qk * ov).norm() / ov.norm() / qk.norm()), "entry by entry"),
    ],
    "06.without_head": [
        (cleared(None, 0), "*position* 1"),
        (cleared(0), "row 1 of the batch"),
        (only_that_head, "the other way round"),
        (in_place, "changed its input"),
        (lambda z, head: z.clone(), "nothing has changed"),
    ],
    "06.in_context_score": [
        (lambda x, early, late: float((x[:, early] - x[:, late]).mean()), "Late minus early"),
        (lambda x, early, late: float(x[:, late].mean()), "the late loss itself"),
        (
            lambda x, early, late: float((x[:, late:].mean(1) - x[:, : early + 1].mean(1)).mean()),
            "two positions",
        ),
    ],
}
