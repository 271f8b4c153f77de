# ruff: noqa: N803 (matrices are upper case in the formulas)
"""What learners get wrong in chapter 14, and what the diagnosis must say."""

import torch


def share(texts, words, among, *, per_text=False, all_words=False, outside=False, distinct=False):
    if per_text:
        return sum(share([text], words, among) for text in texts) / len(texts)
    written = [word for text in texts for word in text]
    written = set(written) if distinct else written
    counted = [word for word in written if all_words or word in among]
    return sum(word in words for word in (written if outside else counted)) / len(counted)


def mean_of_means(resid, is_text, wanted):
    means = torch.stack([row[kept].mean(0) for row, kept in zip(resid, is_text)])
    return means[wanted].mean(0) - means[~wanted].mean(0)


def difference(resid, is_text, wanted):
    return resid[wanted][is_text[wanted]].mean(0) - resid[~wanted][is_text[~wanted]].mean(0)


def in_place(resid, direction, dose):
    resid += dose * direction
    return resid


def last_only(resid, direction, dose):
    pushed = resid.clone()
    pushed[:, -1] += dose * direction
    return pushed


def unit(direction):
    return direction / direction.norm()


def clamped(resid, features, feature, value, W_dec):
    features = features.clone()
    features[..., feature] = value
    return features @ W_dec


WRONG = {
    "14.share": [
        (lambda t, w, a: share(t, w, a, per_text=True), "the words of all texts together"),
        (lambda t, w, a: share(t, w, a, all_words=True), "*all* words"),
        (lambda t, w, a: sum(word in w for text in t for word in text), "how many there are"),
        (lambda t, w, a: 100 * share(t, w, a), "percent"),
        (lambda t, w, a: share(t, w, a, outside=True), "not be counted above the line"),
        (lambda t, w, a: share(t, w, a, distinct=True), "compared the two sets"),
    ],
    "14.mean_difference": [
        (lambda r, t, w: r[w].mean((0, 1)) - r[~w].mean((0, 1)), "counted the filling"),
        (mean_of_means, "each text's mean first"),
        (lambda r, t, w: -difference(r, t, w), "wanted minus others"),
        (lambda r, t, w: r[w][t[w]].mean(0), "the wanted texts alone"),
        (lambda r, t, w: r[w][t[w]].mean(0) - r[t].mean(0), "the mean of all texts"),
        (lambda r, t, w: unit(difference(r, t, w)), "length 1"),
        (lambda r, t, w: r[w].mean(0) - r[~w].mean(0), "(5, 3)"),
    ],
    "14.push": [
        (in_place, "changed its input"),
        (last_only, "last position only"),
        (lambda r, d, dose: r + dose * unit(d), "brought the direction to length 1"),
        (lambda r, d, dose: r + d, "the dose is missing"),
        (lambda r, d, dose: (dose * d).expand_as(r).clone(), "*replaced*"),
    ],
    "14.hold": [
        (lambda r, d, v: r - (r @ unit(d))[..., None] * unit(d), "lies at 0"),
        (lambda r, d, v: r + (v - r @ d)[..., None] * d, "bring the direction to length 1"),
        (lambda r, d, v: r + v * unit(d), "you pushed"),
        (lambda r, d, v: (v * unit(d)).expand_as(r).clone(), "only the direction is left"),
        (lambda r, d, v: r - (r @ unit(d))[..., None] * unit(d) + v * d, "`level * unit`"),
        (lambda r, d, v: r + (v - r @ unit(d)).mean() * unit(d), "expected 0.50 everywhere"),
    ],
    "14.clamp": [
        (lambda r, f, n, v, W: r + v * W[n], "added the whole value"),
        (clamped, "returned the reconstruction"),
        (lambda r, f, n, v, W: r + clamped(r, f, n, v, W), "there twice"),
        (
            lambda r, f, n, v, W: r + ((v - f[..., n]) * (f[..., n] > 0))[..., None] * W[n],
            "sets it everywhere",
        ),
        (lambda r, f, n, v, W: r - (v - f[..., n])[..., None] * W[n], "the sign is wrong"),
        (lambda r, f, n, v, W: r - f[..., [n]] * W[n], "took the feature away"),
    ],
    "14.attribution": [
        (lambda f, g, W: (g @ W.T).sum(1), "how active the features are"),
        (lambda f, g, W: f.sum(1), "forgot the gradient"),
        (lambda f, g, W: f * (g @ W.T), "Sum over the positions"),
        (lambda f, g, W: (f * (g @ W.T)).mean(1), "mean over positions"),
        (lambda f, g, W: f.sum(1) * (g @ W.T).sum(1), "position by position"),
        (lambda f, g, W: (f * (g @ W.T)).sum(1).abs(), "keep the sign"),
        (lambda f, g, W: (f * (g @ W.T)).sum(1).T, "(5, 2)"),
    ],
}
