# ruff: noqa: N803 (matrices are upper case in the formulas)
"""What learners get wrong in chapter 10, and what the diagnosis must say."""

import torch


def in_place(embed, subject, noise):
    embed += noise * subject[..., None]
    return embed


def last_only(embed, subject, noise):
    after = torch.cat([subject[:, 1:], torch.zeros(len(subject), 1, dtype=torch.bool)], dim=1)
    return embed + noise * (subject & ~after)[..., None]


def second_moment(keys, divide=True):
    found = keys.double()
    return found.T @ found / (len(found) if divide else 1)


def update(direction, *, step=None, divide=None):
    def answer(W, b, key, value, C):
        way = direction(C, key)
        size = way @ key if divide is None else divide(way)
        missing = value - (key @ W + b) if step is None else step(W, b, key, value)
        return W + torch.outer(way / size, missing)

    return answer


def right(C, key):
    return torch.linalg.solve(C, key)


WRONG = {
    "10.spoil": [
        (lambda e, s, n: e + n, "noise on every token"),
        (lambda e, s, n: torch.where(s[..., None], n, e), "Add it to"),
        (lambda e, s, n: e + n * ~s[..., None], "everything *but* the subject"),
        (last_only, "last token only"),
        (lambda e, s, n: e.clone(), "nothing has changed"),
        (in_place, "changed its input"),
    ],
    "10.recovered": [
        (lambda a, c, r: ((r - c) / (a - c)).nanmean(-1), "one share a fact"),
        (lambda a, c, r: (r - c).nanmean(-1), "Divide it by the total effect"),
        (lambda a, c, r: (r - c).mean(-1) / (a - c).mean(), "`nanmean`"),
        (lambda a, c, r: r.nanmean(-1) / a.mean(), "did not take away"),
        (lambda a, c, r: (r - c) / (a - c).mean(), "one number a fact"),
        (lambda a, c, r: (a - r).nanmean(-1) / (a - c).mean(), "still *missing*"),
    ],
    "10.key_covariance": [
        (lambda k, t: second_moment(k[t], divide=False), "sum over 13 tokens"),
        (lambda k, t: second_moment(k.flatten(0, 1)), "counted the filling"),
        (lambda k, t: torch.cov(k[t].double().T), "took the mean away"),
        (lambda k, t: torch.corrcoef(k[t].double().T), "correlations"),
        (lambda k, t: second_moment(k[t].T), "(4, 4)"),
    ],
    "10.rank_one_update": [
        (update(right, divide=lambda way: 1), "did not divide"),
        (update(lambda C, key: key), "used no C"),
        (update(lambda C, key: C @ key), "you multiplied by C"),
        (update(right, step=lambda W, b, key, value: value), "added the new value to the old one"),
        (update(right, step=lambda W, b, key, value: value - key @ W), "forgot b"),
        (update(right, divide=lambda way: way.norm()), "not by the length"),
        (lambda W, b, key, value, C: update(right)(W, b, key, value, C) - W, "the difference alone"),
        (lambda W, b, key, value, C: W.clone(), "nothing has changed"),
        (lambda W, b, key, value, C: update(right)(W, b, key, value, C).T, "(5, 3)"),
    ],
    "10.harmonic_mean": [
        (lambda s: s.mean(-1), "the ordinary mean"),
        (lambda s: s.prod(-1) ** (1 / s.shape[-1]), "geometric"),
        (lambda s: 1 / (1 / s).sum(-1), "multiply by the number"),
        (lambda s: s.shape[-1] / (1 / s.clamp(min=0.01)).sum(-1), "one thing altogether"),
        (lambda s: s.amin(-1), "the smallest share"),
    ],
    "10.crosstalk": [
        (lambda r, k: k @ r.T, "Rows are edits"),
        (lambda r, k: (r @ k.T).abs(), "keep the sign"),
        (lambda r, k: torch.cosine_similarity(r[:, None], k[None], dim=-1), "cosines"),
    ],
}
