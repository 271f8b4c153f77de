"""Typical wrong answers to the exercises of chapter 02, and words that their diagnosis must hold."""

import torch

from mi_course.exercises import chapter_02 as right
from mi_course.methods import best_channel


def _frequency(side):
    return torch.hypot(torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None])


def _image_of(scaled, side):
    return torch.fft.irfft2(scaled, s=(side, side), norm="ortho")


def _every_channel_on_every_image(activation, channels):
    return activation[:, channels].mean(dim=(2, 3))


def _white_noise(coefficients):
    return _image_of(torch.view_as_complex(coefficients), coefficients.shape[-3])


def _division_by_zero(coefficients):
    side = coefficients.shape[-3]
    return _image_of(torch.view_as_complex(coefficients) / _frequency(side), side)


def _multiplied(coefficients):
    side = coefficients.shape[-3]
    return _image_of(torch.view_as_complex(coefficients) * _frequency(side).clamp_min(1 / side), side)


def _power_instead_of_amplitude(coefficients):
    side = coefficients.shape[-3]
    return _image_of(torch.view_as_complex(coefficients) / _frequency(side).clamp_min(1 / side) ** 2, side)


def _not_normalised(coefficients):
    side = coefficients.shape[-3]
    scaled = torch.view_as_complex(coefficients) / _frequency(side).clamp_min(1 / side)
    return torch.fft.irfft2(scaled, s=(side, side))


def _complex_image(coefficients):
    side = coefficients.shape[-3]
    return torch.fft.ifft2(torch.view_as_complex(coefficients), s=(side, side), norm="ortho")


def _views(image, shifts):
    return torch.stack([torch.roll(image, shift, dims=(1, 2)) for shift in shifts])


def _auc_without_ties(ours, others):
    return float((ours[:, None] > others[None]).float().mean())


def _auc_with_ties_won(ours, others):
    return float((ours[:, None] >= others[None]).float().mean())


def _number_of_pairs(ours, others):
    return float((ours[:, None] > others[None]).sum())


def _bests(ours, others, shuffles, unit=None):
    """Under shuffled labels the AUC of the best unit, or of the one that was chosen before."""
    generator, both = torch.Generator().manual_seed(1), torch.cat([ours, others])
    for _ in range(shuffles):
        mixed = both[torch.randperm(len(both), generator=generator)]
        found = best_channel.auc(mixed[: len(ours)], mixed[len(ours) :])
        yield found.max() if unit is None else found[unit]


def _p_of_the_chosen_unit_alone(ours, others, shuffles):
    found = best_channel.auc(ours, others)
    as_good = sum(bool(x >= found.max()) for x in _bests(ours, others, shuffles, unit=found.argmax()))
    return (1 + as_good) / (1 + shuffles)


def _p_of_zero(ours, others, shuffles):
    best = best_channel.auc(ours, others).max()
    return sum(bool(x >= best) for x in _bests(ours, others, shuffles)) / shuffles


def _share_of_worse_shuffles(ours, others, shuffles):
    best = best_channel.auc(ours, others).max()
    return sum(bool(x < best) for x in _bests(ours, others, shuffles)) / shuffles


def _gradient(model, image, of):
    image = image.clone().requires_grad_()
    return torch.autograd.grad(of(model(image[None])[0]), image)[0]


WRONG = {
    "02.channel_score": [
        (_every_channel_on_every_image, "each channel on every image"),
        (lambda a, c: right._channel_score(a, c).mean(), "one number for the whole batch"),
        (lambda a, c: a[torch.arange(len(c)), c].sum(dim=(1, 2)), "take their mean"),
        (lambda a, c: a[torch.arange(len(c)), c].amax(dim=(1, 2)), "the strongest place"),
        (lambda a, c: a[torch.arange(len(c)), c][:, 2, 3], "the middle place alone"),
        (lambda a, c: -right._channel_score(a, c), "the sign is turned"),
        (lambda a, c: right._channel_score(a.relu(), c), "a silent unit never wakes up"),
    ],
    "02.waves_to_image": [
        (_white_noise, "white noise"),
        (_division_by_zero, "infinity or nan"),
        (_multiplied, "you multiplied by the frequency"),
        (_power_instead_of_amplitude, "divided twice"),
        (_not_normalised, 'norm="ortho"'),
        (_complex_image, "your image is complex"),
    ],
    "02.share_kept": [
        (lambda score, image, shifts: float(score(_views(image, shifts)).mean()), "the mean score itself"),
        (
            lambda score, image, shifts: float(score(_views(image, shifts)).min() / score(image[None])[0]),
            "the worst view",
        ),
        (
            lambda score, image, shifts: right._share_kept(score, image, [(b, a) for a, b in shifts]),
            "rows and columns are exchanged",
        ),
        (lambda score, image, shifts: 1 / right._share_kept(score, image, shifts), "upside down"),
    ],
    "02.auc": [
        (_auc_without_ties, "Pairs of equal answers are ties"),
        (_auc_with_ties_won, "Pairs of equal answers are ties"),
        (lambda ours, others: 1 - right._auc(ours, others), "that *ours* wins"),
        (_number_of_pairs, "lies between 0 and 1"),
    ],
    "02.permutation_p": [
        (_p_of_the_chosen_unit_alone, "Let *every shuffle* choose its own best"),
        (_p_of_zero, "p = 0 claims certainty"),
        (_share_of_worse_shuffles, "at least as good"),
        (lambda ours, others, shuffles: 0.5, "your p is not right"),
    ],
    "02.saliency": [
        (lambda m, x, c: _gradient(m, x, lambda y: y[c]).amax(0), "largest gradient with its sign"),
        (lambda m, x, c: _gradient(m, x, lambda y: y[c]).sum(0).abs(), "red up and blue down cancel"),
        (lambda m, x, c: _gradient(m, x, lambda y: y.sum()).abs().amax(0), "all logits together"),
        (
            lambda m, x, c: _gradient(m, x, lambda y: y.softmax(0)[c]).abs().amax(0),
            "gradient of a probability",
        ),
        (lambda m, x, c: (_gradient(m, x, lambda y: y[c]) * x).abs().amax(0), "gradient times input"),
        (lambda m, x, c: _gradient(m, x, lambda y: y[c]).abs().sum(0), "added up the colours"),
        (lambda m, x, c: _gradient(m, x, lambda y: y[c]).abs(), "(6, 6)"),
    ],
}
