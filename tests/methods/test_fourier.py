"""Waves on a clock: exact answers on sums of waves, and on a network that was set by hand."""

import math

import numpy as np
import pytest
import torch

from mi_course.data import modular_addition
from mi_course.errors import CourseError
from mi_course.methods import fourier, grokking
from mi_course.models.transformer import Transformer
from tests.methods.planted_clock import EXPLAINED, planted_clock

P = 11


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def wave(k, shift=0.0, p=P):
    return (2 * math.pi * k * torch.arange(p) / p + shift).cos().double()


def sums(p=P):
    a, b, c = torch.meshgrid(*[torch.arange(p)] * 3, indexing="ij")
    return a, b, c


def cosine(k, p=P):
    """cos(w(a + b − c)), written the short way."""
    a, b, c = sums(p)
    return (2 * math.pi * k / p * (a + b - c)).double().cos()


# ---- the basis


@pytest.mark.parametrize("p", [3, 11, 113])
def test_the_waves_are_orthonormal_and_in_order(p):
    waves = fourier.basis(p)
    assert torch.allclose(waves @ waves.T, torch.eye(p, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(waves[0], torch.tensor(p**-0.5, dtype=torch.float64))
    for k in range(1, fourier.n_frequencies(p) + 1):
        assert torch.allclose(waves[2 * k - 1], wave(k, p=p) * math.sqrt(2 / p), atol=1e-5)
        assert torch.allclose(waves[2 * k], wave(k, -math.pi / 2, p=p) * math.sqrt(2 / p), atol=1e-5)


def test_energies_are_those_of_numpys_transform():
    table = noise(P, 4)
    ours = fourier.spectrum(table)
    theirs = np.abs(np.fft.rfft(table.numpy(), axis=0)) ** 2
    theirs[1:] *= 2
    theirs = theirs.sum(axis=1) / theirs.sum()
    assert ours.constant == pytest.approx(theirs[0])
    assert np.allclose(ours.share, theirs[1:])


@pytest.mark.parametrize("p", [2, 4, 1, 112])
def test_even_clocks_are_refused_in_words(p):
    with pytest.raises(ValueError, match="odd number"):
        fourier.basis(p)


@pytest.mark.parametrize("k", [0, 6, -1])
def test_a_frequency_that_is_not_there_is_refused(k):
    with pytest.raises(ValueError, match="1 to 5"):
        fourier.waves(P, [k])


# ---- the embedding


def test_a_spectrum_finds_the_waves_that_are_there():
    table = torch.stack([3 * wave(2, 0.3), 4 * wave(5, 1.0)], dim=1) + 1
    found = fourier.spectrum(table)
    energies = torch.tensor([9 / 2, 16 / 2, 2.0])
    assert found.constant == pytest.approx(2 / energies.sum().item())
    assert found.share[1].item() == pytest.approx(4.5 / energies.sum().item())
    assert found.held_by([2, 5]) + found.constant == pytest.approx(1)
    assert found.strongest(2) == (5, 2)
    assert found.key_frequencies(1.5) == (2, 5)


def test_random_tables_have_no_key_frequency():
    for seed in range(5):
        found = fourier.spectrum(noise(113, 128, seed=seed))
        assert found.key_frequencies() == ()
        assert found.held_by(found.strongest(8)) < 0.25


def test_on_the_circle_lies_a_circle():
    turned = torch.linalg.qr(noise(7, 7)).Q
    table = (
        torch.stack([2 * wave(3), 2 * wave(3, -math.pi / 2)], dim=1) @ turned[:2]
        + wave(1)[:, None] * turned[4]
    )
    places = fourier.on_the_circle(table, 3)
    assert torch.allclose(places.norm(dim=1), torch.full((P,), 2.0, dtype=torch.float64), atol=1e-4)
    assert torch.allclose(places, 2 * torch.stack([wave(3), wave(3, -math.pi / 2)], dim=1), atol=1e-4)


# ---- neurons


def test_a_neuron_of_one_frequency_is_fitted_and_one_of_two_is_not():
    x, y, z = wave(2, 0.4), wave(2, 1.1), wave(4)
    ones = torch.ones(P, dtype=torch.float64)
    neurons = torch.stack(
        [
            torch.outer(x, y) + 0.7 * torch.outer(ones, y) + 5,
            torch.outer(x, ones) + torch.outer(ones, z),
            torch.outer(x, z),
        ],
        dim=-1,
    )
    fits = fourier.neuron_fits(neurons)
    assert fits.best[0].item() == pytest.approx(1)
    assert fits.frequency[0] == 2
    assert fits.share[:, 1].tolist() == pytest.approx([0, 0.5, 0, 0.5, 0], abs=1e-6)
    assert fits.best[2].item() == pytest.approx(0, abs=1e-6), (
        "a product of two frequencies is a matter of neither"
    )
    assert fits.n_fitted() == 1


def test_a_random_neuron_gets_what_chance_gives():
    fits = fourier.neuron_fits(noise(31, 31, 40))
    assert fits.share.mean().item() == pytest.approx(8 / (31**2 - 1), rel=0.05)
    assert fits.n_fitted() == 0


def test_the_fit_is_the_least_squares_fit():
    neurons = noise(7, 7, 2, seed=4)
    got = fourier.neuron_fits(neurons).share[1]
    c, s, one = wave(2, p=7), wave(2, -math.pi / 2, p=7), torch.ones(7, dtype=torch.float64)
    pairs = [(one, c), (one, s), (c, one), (s, one), (c, c), (c, s), (s, c), (s, s)]
    columns = torch.stack([torch.outer(x, y).flatten() for x, y in pairs], dim=1)
    centred = neurons.flatten(0, 1) - neurons.mean(dim=(0, 1))
    fitted = columns @ torch.linalg.lstsq(columns, centred).solution
    assert torch.allclose(got, fitted.square().sum(0) / centred.square().sum(0), atol=1e-6)


def test_a_neuron_that_never_changes_has_no_score():
    fits = fourier.neuron_fits(
        torch.stack([torch.zeros(P, P), torch.outer(wave(1), wave(1)).float()], dim=-1)
    )
    assert fits.best[0].isnan()
    assert fits.n_fitted() == 1


# ---- logits


def test_a_sum_of_cosines_is_taken_apart_exactly():
    logits = 3 * cosine(2) + 4 * cosine(5) + noise(P, P, 1)
    fit = fourier.cosine_fit(logits, [5, 2, 1])
    assert fit.amplitude.tolist() == pytest.approx([4, 3, 0], abs=1e-5)
    assert fit.explained.tolist() == pytest.approx([16 / 25, 9 / 25, 0], abs=1e-5)
    centred = logits - logits.mean(dim=2, keepdim=True)
    assert torch.allclose(fit.logits(), centred, atol=1e-4)
    assert fit.total == pytest.approx(1)


def test_the_fit_of_any_logits_is_the_least_squares_fit():
    logits = noise(P, P, P, seed=2) + cosine(3)
    fit = fourier.cosine_fit(logits, [1, 3])
    columns = torch.stack([cosine(1).flatten(), cosine(3).flatten()], dim=1)
    centred = (logits - logits.mean(dim=2, keepdim=True)).flatten()
    amplitude = torch.linalg.lstsq(columns, centred[:, None]).solution[:, 0]
    assert torch.allclose(fit.amplitude, amplitude, atol=1e-6)
    left = centred - columns @ amplitude
    assert fit.total == pytest.approx(1 - (left.square().sum() / centred.square().sum()).item(), abs=1e-6)


def test_the_algorithm_by_itself_gives_every_answer():
    logits = fourier.clock_logits(P, [2, 3], torch.tensor([1.0, 2.0]))
    assert torch.allclose(logits, cosine(2) + 2 * cosine(3), atol=1e-5)
    a, b, _ = sums()
    assert torch.equal(logits.argmax(dim=2), ((a + b) % P)[..., 0])


# ---- restricted and excluded


def test_the_key_part_takes_waves_of_the_sum_and_nothing_else():
    a, b, c = sums()
    w = 2 * math.pi / P
    wanted = cosine(2) + 0.3 * (2 * w * (a + b)).double().sin() * noise(P)
    others = cosine(4) + (2 * w * (a - b)).double().cos() + (2 * w * a).double().cos() * (c + 1) + 7
    assert torch.allclose(fourier.key_part(wanted + others, [2]), wanted, atol=1e-4)


def test_restricted_and_excluded_losses_of_a_network_that_only_has_waves():
    logits = 30 * (cosine(2) + cosine(3))
    assert fourier.loss(logits) < 0.01
    assert fourier.restricted_loss(logits, [2, 3]) == pytest.approx(fourier.loss(logits), abs=1e-6)
    assert fourier.excluded_loss(logits, [2, 3]) == pytest.approx(math.log(P), abs=1e-4)
    assert fourier.excluded_loss(logits, [4, 5]) == pytest.approx(fourier.loss(logits), abs=1e-6)
    assert fourier.restricted_loss(logits, [4, 5]) == pytest.approx(math.log(P), abs=1e-4)


def test_restricted_and_excluded_losses_of_a_network_that_knows_by_heart():
    """Logits that are right on the problems of training and random elsewhere have only little of any wave."""
    parts = modular_addition.split(31, share=0.3, seed=0)
    logits = noise(31, 31, 31)
    logits[parts.train[:, 0], parts.train[:, 1], modular_addition.answers(parts.train)] += 20
    assert fourier.loss(logits, parts.train) < 0.01
    assert fourier.excluded_loss(logits, [3], parts.train) < 0.05
    assert fourier.restricted_loss(logits, [3], parts.train) > 2


def test_a_table_is_its_constant_and_all_of_its_wave_parts():
    table = noise(P, 3, seed=2)
    parts = [fourier.wave_part(table, [k]) for k in range(1, 6)]
    assert torch.allclose(sum(parts) + table.mean(dim=0), table)
    assert torch.allclose(fourier.wave_part(parts[1], [2]), parts[1])
    assert torch.allclose(fourier.wave_part(parts[1], [1, 3]), torch.zeros_like(table), atol=1e-9)


def test_accuracy_counts_the_problems_asked():
    logits = fourier.clock_logits(P, [1], torch.ones(1))
    logits[2, 3] = 0
    assert fourier.accuracy(logits) == pytest.approx(1 - 1 / P**2)
    assert fourier.accuracy(logits, torch.tensor([[2, 3, P], [4, 4, P]])) == 0.5


def test_losses_are_those_of_the_problems_asked():
    logits = noise(P, P, P)
    rows = torch.tensor([[2, 3, P], [10, 4, P]])
    log_probs = logits.log_softmax(-1)
    want = -(log_probs[2, 3, 5] + log_probs[10, 4, 3]) / 2
    assert fourier.loss(logits, rows) == pytest.approx(want.item())


# ---- whole networks


@pytest.fixture(scope="module")
def planted():
    return fourier.read(planted_clock(23, [3, 7, 10], strength=60.0))


def test_the_planted_network_answers_every_problem(planted):
    right = modular_addition.answers(modular_addition.problems(23)).view(23, 23)
    assert torch.equal(planted.logits.argmax(-1), right)


def test_its_frequencies_are_found_in_embedding_neurons_and_logits(planted):
    found = fourier.spectrum(planted.embedding)
    assert found.key_frequencies() == (3, 7, 10)
    assert found.share[[2, 6, 9]].tolist() == pytest.approx([1 / 3] * 3)
    fits = fourier.neuron_fits(planted.neurons)
    assert fits.frequency.tolist() == [3] * 24 + [7] * 24 + [10] * 24
    assert fits.best.min() > 0.9
    fit = fourier.cosine_fit(planted.logits, [3, 7, 10])
    assert fit.total == pytest.approx(EXPLAINED, abs=0.01)
    assert torch.allclose(fit.amplitude, fit.amplitude.mean().expand(3), rtol=0.02)
    rest = [k for k in range(1, 12) if k not in (3, 7, 10)]
    assert fourier.cosine_fit(planted.logits, rest).total < 0.01


def test_without_its_waves_the_planted_network_knows_nothing(planted):
    assert fourier.restricted_loss(planted.logits, [3, 7, 10]) < 0.2
    assert fourier.excluded_loss(planted.logits, [3, 7, 10]) > math.log(23) - 0.2
    assert fourier.excluded_loss(planted.logits, [1, 2, 4]) < 0.2


@pytest.mark.parametrize(("p", "d_model", "n_heads", "d_mlp"), [(7, 8, 2, 12), (13, 16, 4, 5)])
def test_reading_anybodys_network_is_running_it(p, d_model, n_heads, d_mlp):
    model = grokking.network(p, d_model=d_model, n_heads=n_heads, d_mlp=d_mlp, seed=1)
    found = fourier.read(model)
    logits, cache = model.run_with_cache(modular_addition.problems(p))
    assert torch.allclose(found.logits.flatten(0, 1), logits[:, -1, :p], atol=1e-5)
    assert torch.allclose(found.neurons.flatten(0, 1), cache["post", 0][:, -1], atol=1e-5)
    assert torch.equal(found.embedding, model.W_E[:p])
    assert not found.logits.requires_grad


def test_a_network_of_another_kind_is_refused():
    config = grokking.network(7, d_model=8, d_mlp=8).config
    for change, words in (({"d_mlp": 0}, "attention-only"), ({"n_layers": 2}, "one layer")):
        with pytest.raises(CourseError, match=words):
            fourier.read(Transformer(type(config)(**{**config.to_dict(), **change}), seed=0))
