# ruff: noqa: N803 (matrices are upper case in the formulas)
"""Exercises of chapter 14: steering."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_course.exercises.attempt import Attempt
from mi_course.exercises.examples import random_numbers
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_shape, expect_type, refuse_slips


def _share(texts: list[list[str]], words: set[str], among: set[str]) -> float:
    counted = [word for text in texts for word in text if word in among]
    return sum(word in words for word in counted) / len(counted)


def _check_share(attempt: Attempt) -> str:
    written = (
        "the cable was lovely .",
        "we saw the Amber Bridge and the boat .",
        "the rail was dull . nobody saw the boat .",
    )
    texts = [text.split() for text in written]
    words, among = (
        {"cable", "Amber", "Bridge", "rail"},
        {"cable", "lovely", "saw", "Amber", "Bridge", "boat", "rail", "dull"},
    )
    on = "three short texts with 4 bridge words among 10 content words"
    got, want = attempt(texts, words, among), _share(texts, words, among)
    if isinstance(got, Tensor) and got.numel() == 1:
        got = got.item()
    expect_type(got, (float, int), what="Your share")
    shares = [_share([text], words, among) for text in texts]
    total, hits = sum(map(len, texts)), want * 10
    slips = {
        sum(shares)
        / 3: "you took each text's share, and then the mean. A text with two content words then counts as "
        "much as one with five. Count the words of all texts together.",
        hits
        / total: "you divided by *all* words. A text with many “the”s is not less about the bridge: divide by the "
        "number of content words.",
        hits: "that is how many there are. Divide it by the number of content words.",
        100 * want: "that is in percent; expected is a share between 0 and 1.",
        3 / 3: "that is the share of *texts* with such a word. Asked is the share of words.",
        len(words) / len(among): "you compared the two sets. Count the words as often as they were written.",
    }
    for slip, said in slips.items():
        if abs(float(got) - slip) < 1e-6:
            raise Wrong(f"On {on}: {said}")
    expect_close(float(got), want, what="Your share", on=on)
    outside = attempt([["cable", "Amber", "boat"]], {"cable", "Amber"}, {"cable", "boat"})
    if abs(float(outside) - 0.5) > 1e-6:
        raise Wrong(
            "On a text with a bridge word that is not among the content words: it must not be counted above the line "
            f"either. Yours is {float(outside):.2f}, expected 0.50."
        )
    return "Words of all texts together, and only those that have a meaning of their own."


def _mean_difference(resid: Tensor, is_text: Tensor, wanted: Tensor) -> Tensor:
    return resid[wanted][is_text[wanted]].mean(dim=0) - resid[~wanted][is_text[~wanted]].mean(dim=0)


def _check_mean_difference(attempt: Attempt) -> str:
    resid = 1 + random_numbers(4, 5, 3, seed=0)
    is_text = torch.arange(5) < torch.tensor([[5], [2], [3], [4]])
    wanted = torch.tensor([True, False, True, False])
    on = "4 texts of 5, 2, 3 and 4 tokens, of which the first and third are of the wanted kind"
    got, want = attempt(resid, is_text, wanted), _mean_difference(resid, is_text, wanted)
    expect_shape(got, (3,), what="Your direction", on=on)
    by_text = torch.stack([row[kept].mean(dim=0) for row, kept in zip(resid, is_text)])
    sums = [resid[which][is_text[which]].sum(dim=0) for which in (wanted, ~wanted)]
    slips = {
        -want: "it points from the wanted texts to the others. Take wanted minus others.",
        resid[wanted].mean(dim=(0, 1))
        - resid[~wanted].mean(
            dim=(0, 1)
        ): "you counted the filling behind the shorter texts. `is_text` says which positions are text.",
        by_text[wanted].mean(dim=0)
        - by_text[~wanted].mean(
            dim=0
        ): "you took each text's mean first, and so a token of a short text counts more. "
        "Here every *token* counts the same.",
        resid[wanted][is_text[wanted]].mean(
            dim=0
        ): "that is the mean of the wanted texts alone. It is mostly what "
        "*all* text has in common; take the other texts' mean away.",
        resid[wanted][is_text[wanted]].mean(dim=0)
        - resid[is_text].mean(dim=0): "you compared with the mean of all texts, the wanted ones among them.",
        sums[0] - sums[1]: "these are sums. The kind with more tokens would win; take means.",
        want
        / want.norm(): "you brought it to length 1. Its length says how far apart the two kinds of text are; "
        "leave it.",
    }
    refuse_slips(got, slips, on=on)
    expect_close(got, want, what="Your direction", on=on)
    return "From the middle of the other texts to the middle of the wanted ones, token by token."


def _push(resid: Tensor, direction: Tensor, dose: float) -> Tensor:
    return resid + dose * direction


def _check_push(attempt: Attempt) -> str:
    resid, direction = random_numbers(2, 4, 3, seed=1), torch.tensor([3.0, 0.0, -4.0])
    on = "2 texts of 4 tokens, a direction of length 5 and dose 2"
    got, want = attempt(resid, direction, 2.0), _push(resid, direction, 2.0)
    expect_shape(got, (2, 4, 3), what="Your residual stream", on=on)
    last, first = resid.clone(), resid.clone()
    last[:, -1] += 2 * direction
    first[:, 0] += 2 * direction
    slips = {
        resid: "nothing has changed. Return the stream with `dose * direction` added.",
        resid
        + 2
        * direction
        / 5: "you brought the direction to length 1 first. Its length is part of the dose: 1 means "
        "the whole distance between the two kinds of text.",
        last: "you pushed the last position only. Every position is pushed.",
        first: "you pushed the first position only. Every position is pushed.",
        resid + direction: "the dose is missing.",
        (2 * direction).expand_as(
            resid
        ): "you *replaced* the stream by the push, and all that was in it is gone. Add.",
        resid - 2 * direction: "you took the direction away. A positive dose adds it.",
        resid * 2 * direction: "you multiplied the stream with the direction. Add.",
        resid + 2 + direction: "multiply the dose with the direction, then add the product.",
    }
    refuse_slips(got, slips, on=on)
    expect_close(got, want, what="Your residual stream", on=on)
    return "The same push at every position; dose 0 changes nothing, a negative one pushes back."


def _hold(resid: Tensor, direction: Tensor, level: float) -> Tensor:
    unit = direction / direction.norm()
    return resid + (level - resid @ unit)[..., None] * unit


def _check_hold(attempt: Attempt) -> str:
    resid, direction = random_numbers(2, 4, 3, seed=2), torch.tensor([2.0, -1.0, 2.0])
    unit = direction / 3
    on = "2 texts of 4 tokens, a direction of length 3 and level 0.5"
    got, want = attempt(resid, direction, 0.5), _hold(resid, direction, 0.5)
    expect_shape(got, (2, 4, 3), what="Your residual stream", on=on)
    along = (resid @ unit)[..., None] * unit
    raw = (resid @ direction)[..., None] * direction
    slips = {
        resid: "nothing has changed.",
        resid - along: "everything now lies at 0 along the direction. Asked is `level`: add `level * unit`.",
        resid
        + (0.5 - resid @ direction)[..., None] * direction: "bring the direction to length 1 first: with "
        "length 3, its product with the stream is three times too large, and so is what you add.",
        resid
        - raw
        + 0.5 * unit: "bring the direction to length 1 before you take the product *and* before you "
        "multiply with it.",
        (0.5 * unit).expand_as(
            resid
        ): "only the direction is left. What lies at right angles to it must stay.",
        resid
        + 0.5
        * unit: "you pushed. Then differences along the direction remain: take away first what lies along "
        "it.",
        along: "you kept what lies *along* the direction and threw the rest away.",
        resid
        - along
        + 0.5 * direction: "`level` counts in units of the activation, so it needs the direction of "
        "length 1: `level * unit`.",
    }
    refuse_slips(got, slips, on=on)
    levels = got @ unit
    if not torch.allclose(levels, torch.full_like(levels, 0.5), atol=1e-4):
        raise Wrong(
            f"On {on}: along the direction the first text now lies at {_rounded(levels[0])}; expected 0.50 everywhere."
        )
    expect_close(got, want, what="Your residual stream", on=on)
    return "Nothing can be read off this direction any more, and everything else is as it was."


def _clamp(resid: Tensor, features: Tensor, feature: int, value: float, W_dec: Tensor) -> Tensor:
    return resid + (value - features[..., feature])[..., None] * W_dec[feature]


def _check_clamp(attempt: Attempt) -> str:
    resid, W_dec = random_numbers(2, 4, 3, seed=3), random_numbers(5, 3, seed=4)
    features = random_numbers(2, 4, 5, seed=5).relu()
    on = "2 texts of 4 tokens, 5 features, feature 2 clamped to 1.5"
    got, want = attempt(resid, features, 2, 1.5, W_dec), _clamp(resid, features, 2, 1.5, W_dec)
    expect_shape(got, (2, 4, 3), what="Your residual stream", on=on)
    clamped = features.clone()
    clamped[..., 2] = 1.5
    only_active = resid + ((1.5 - features[..., 2]) * (features[..., 2] > 0))[..., None] * W_dec[2]
    slips = {
        resid
        + 1.5
        * W_dec[2]: "you added the whole value. Where the feature is active already, only the difference is "
        "missing: `value − features[..., feature]`.",
        clamped
        @ W_dec: "you returned the reconstruction. What the autoencoder does not express is lost with it; "
        "change the stream only by the difference.",
        resid
        + clamped
        @ W_dec: "you added the whole reconstruction to the stream, so that everything is there twice.",
        only_active: "you changed only the positions at which the feature is active. A clamp sets it everywhere.",
        resid
        + (features[..., 2] - 1.5)[..., None]
        * W_dec[2]: "the sign is wrong: the difference is value minus activation.",
        resid
        - features[..., 2, None] * W_dec[2]: "you took the feature away. Then add `value` times its row.",
        resid: "nothing has changed.",
    }
    refuse_slips(got, slips, on=on)
    expect_close(got, want, what="Your residual stream", on=on)
    return "Its activation is now the same everywhere, and nothing else has moved."


def _attribution(features: Tensor, gradient: Tensor, W_dec: Tensor) -> Tensor:
    return (features * (gradient @ W_dec.T)).sum(dim=1)


def _check_attribution(attempt: Attempt) -> str:
    features, gradient = random_numbers(2, 4, 5, seed=6).relu(), random_numbers(2, 4, 3, seed=7)
    W_dec = random_numbers(5, 3, seed=8)
    on = "2 texts of 4 tokens, 5 features in a stream of 3"
    got, want = attempt(features, gradient, W_dec), _attribution(features, gradient, W_dec)
    if isinstance(got, Tensor) and tuple(got.shape) == (2, 4, 5):
        raise Wrong(
            f"On {on}: yours has one number a position. Sum over the positions: one a text and feature."
        )
    expect_shape(got, (2, 5), what="Your attributions", on=on)
    slopes = gradient @ W_dec.T
    slips = {
        slopes.sum(
            dim=1
        ): "you forgot how active the features are. A feature that is 0 can take nothing away with it.",
        features.sum(
            dim=1
        ): "you forgot the gradient: an active feature to which the answer does not react has no "
        "share in it.",
        -want: "the sign is wrong: positive means that the feature raises the answer.",
        want.abs(): "keep the sign: a feature may also hold the answer down.",
        want / 4: "you took the mean over positions. The shares of all positions add up: sum.",
        features.sum(dim=1)
        * slopes.sum(
            dim=1
        ): "multiply position by position, and sum after that. What is active at one position does "
        "not act through the gradient of another.",
        (features * slopes)
        .sum(dim=1)
        .relu(): "keep the negative ones: a feature may also hold the answer down.",
    }
    refuse_slips(got, slips, on=on)
    expect_close(got, want, what="Your attributions", on=on)
    return "How active it is, times how the answer reacts to what it writes."


def _rounded(values: Tensor) -> str:
    return "(" + ", ".join(f"{float(value):.2f}" for value in values.flatten()) + ")"


EXERCISES = (
    Exercise(
        id="14.share",
        title="How much of it is about the bridge?",
        difficulty=1,
        minutes=5,
        hints=(
            "First make one list of all words, of all texts, that are in `among`. Then ask of each whether it is in "
            "`words`.",
            "`counted = [word for text in texts for word in text if word in among]`; the share is the number of those "
            "in `words`, divided by `len(counted)`.",
        ),
        reference=_share,
        check=_check_share,
    ),
    Exercise(
        id="14.mean_difference",
        title="From the other texts to the bridge",
        difficulty=1,
        minutes=8,
        hints=(
            "`resid[wanted]` are the texts about the bridge. Which of their positions hold text says "
            "`is_text[wanted]`, and `~wanted` are the others.",
            "`resid[wanted][is_text[wanted]]` is a table with one row a token. Its mean over `dim=0`, minus the same "
            "for `~wanted`.",
        ),
        reference=_mean_difference,
        check=_check_mean_difference,
    ),
    Exercise(
        id="14.push",
        title="Push",
        difficulty=1,
        minutes=4,
        hints=(
            "One line. The direction has the shape of the last axis, so it is added at every position by itself.",
            "`resid + dose * direction`, and not `resid += …`: a hook may not change what it is given.",
        ),
        reference=_push,
        check=_check_push,
    ),
    Exercise(
        id="14.hold",
        title="Make a direction unreadable",
        difficulty=2,
        minutes=10,
        hints=(
            "Bring the direction to length 1. `resid @ unit` then says, for every position, at which level it lies. By "
            "how much must it move?",
            "By `level - resid @ unit`, along `unit`. The number of each position needs a last axis: `[..., None]`.",
        ),
        reference=_hold,
        check=_check_hold,
    ),
    Exercise(
        id="14.clamp",
        title="Clamp a feature",
        difficulty=2,
        minutes=10,
        hints=(
            "If the feature were `value` instead of what it is, by how much would the reconstruction change? Only one "
            "term of the sum `features @ W_dec` is different.",
            "By `(value - features[..., feature])` times `W_dec[feature]`, at each position. Add that to `resid`.",
        ),
        reference=_clamp,
        check=_check_clamp,
    ),
    Exercise(
        id="14.attribution",
        title="Where does the answer come from?",
        difficulty=3,
        minutes=12,
        hints=(
            "One unit more of feature f moves the stream by `W_dec[f]`. By how much does that move the answer, if "
            "`gradient` says how it reacts to each coordinate?",
            "By `gradient @ W_dec[f]`; for all features at once `gradient @ W_dec.T`. How many units are there to be "
            "taken away?",
            "`(features * (gradient @ W_dec.T)).sum(dim=1)`.",
        ),
        reference=_attribution,
        check=_check_attribution,
    ),
)
