"""What learners get wrong in chapter 08, and what the diagnosis must say."""

import torch


def each_person(words, people, others):
    free = [name for name in others if name not in people]
    new = dict(zip(people, free))
    return [new.get(word, word) for word in words]


def from_all_names(words, people, others):
    new = iter(others)
    return [next(new) if word in people else word for word in words]


def without_people(words, people, others):
    return [word for word in words if word not in people]


def pairs(pattern, query, key):
    return pattern[torch.arange(len(pattern)), :, query, key]


def ratio_of_each(circuit, model, nothing):
    return float(((circuit - nothing) / (model - nothing)).mean())


def lost(circuit, model, nothing):
    return float((model.mean() - circuit.mean()) / (model.mean() - nothing.mean()))


WRONG = {
    "08.nobody_twice": [
        (each_person, "comes twice"),
        (from_all_names, "is still there"),
        (without_people, "position by position"),
        (lambda words, people, others: [others[1]] * len(words), "which is not a person"),
        (lambda words, people, others: words, "is still there"),
    ],
    "08.attention_by_role": [
        (lambda p, q, k: pairs(p, k, q).mean(0), "the row is who looks"),
        (lambda p, q, k: p[:, :, q, k].mean((0, 2)), "its *own* positions"),
        (lambda p, q, k: p[:, :, q[0], k[0]].mean(0), "the positions of the first prompt"),
        (pairs, "one number a prompt"),
        (lambda p, q, k: pairs(p, q, k).mean(), "One a head"),
        (lambda p, q, k: pairs(p, q, k).sum(0), "Take the mean"),
    ],
    "08.informant": [
        ("L2H3", "the listener itself"),
        ("L1H0", "by way of somebody else"),
        ("L1MLP", "Spell it"),
        ("L3H5", "lowest number"),
        (["L1 MLP"], "expected a text"),
    ],
    "08.faithfulness": [
        (lambda c, m, n: float(c.mean() / m.mean()), "did not subtract"),
        (ratio_of_each, "averaged the ratios"),
        (lost, "*lost*"),
        (lambda c, m, n: float(m.mean() - c.mean()), "in logits"),
        (lambda c, m, n: (c - n) / (m - n), "one number is asked for"),
    ],
    "08.incompleteness": [
        (lambda f, m, c, k: abs(f(c) - f(m)), "removed nothing"),
        (lambda f, m, c, k: abs(f(c - k) - f(m)), "from the circuit only"),
        (lambda f, m, c, k: f(c - k) - f(m - k), "absolute value"),
        (lambda f, m, c, k: abs(f(c - k) - f(c)), "with itself"),
        (lambda f, m, c, k: abs(f(list(c)) - f(m)), "takes a set"),
    ],
    "08.named_once": [
        (lambda names: [name for name in dict.fromkeys(names) if name != names[-1]], "short cut"),
        (lambda names: list(dict.fromkeys(names)), "everybody"),
        (lambda names: [name for name in names if names.count(name) > 1], "comes twice"),
        (lambda names: names[1:2] * 3, "comes twice"),
        (lambda names: ["Zoe"], "expected"),
    ],
}
