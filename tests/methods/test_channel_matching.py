"""Channels of two networks are matched on one set of pictures and judged on another."""

import pytest
import torch

from mi_course.methods import channel_matching


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_shared_channels_are_found_whatever_their_number():
    ours = (noise(80, 5), noise(90, 5, seed=1))
    order = torch.tensor([4, 2, 0, 1, 3])
    theirs = tuple(3 * part[:, order] + 1 for part in ours)
    assert channel_matching.agreement(ours, theirs).tolist() == pytest.approx([1] * 5, abs=1e-5)


def test_noise_agrees_with_nothing_although_it_may_choose():
    ours = (noise(50, 20), noise(500, 20, seed=1))
    theirs = (noise(50, 60, seed=2), noise(500, 60, seed=3))
    choosing = channel_matching.correlations(ours[0], theirs[0]).amax(dim=1)
    assert choosing.mean() > 0.25, "the choice alone looks like a match"
    assert channel_matching.agreement(ours, theirs).mean() == pytest.approx(0, abs=0.05)


def test_signs_count_unless_they_are_ignored():
    ours = (noise(60, 3), noise(60, 3, seed=1))
    theirs = tuple(-part for part in ours)
    assert channel_matching.agreement(ours, theirs).max() < 0.5
    assert channel_matching.agreement(ours, theirs, ignore_sign=True).min() > 0.999


def test_a_channel_that_never_changes_has_no_agreement():
    ours = (noise(60, 2), noise(60, 2, seed=1))
    for part in ours:
        part[:, 1] = 0
    found = channel_matching.agreement(ours, (noise(60, 3), noise(60, 3, seed=1)))
    assert not found[0].isnan()
    assert found[1].isnan()


def test_random_directions_know_the_same_and_share_no_channel():
    parts = (noise(400, 8), noise(300, 8, seed=1))
    mixed = channel_matching.random_directions(parts, seed=0)
    assert [part.shape for part in mixed] == [(400, 8), (300, 8)]
    rebuilt = torch.linalg.lstsq(mixed[0], parts[0]).solution
    assert torch.allclose(mixed[1] @ rebuilt, parts[1], atol=1e-3), "everything can be got back"
    assert channel_matching.agreement(parts, mixed, ignore_sign=True).mean() < 0.8
    assert torch.equal(mixed[0], channel_matching.random_directions(parts, seed=0)[0])


def test_answers_are_those_of_the_middle_cells():
    from tests.methods.striped_network import striped

    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    found = channel_matching.answers(striped(), ["conv2", "conv1"], images, images[:1])
    assert list(found) == ["conv2", "conv1"]
    assert [part.shape for part in found["conv1"]] == [(3, 8), (1, 8)]
    first, second = found["conv2"]
    assert torch.allclose(first[:1], second, atol=1e-6)
    _, cache = striped().run_with_cache(images, ["conv2"])
    middle = cache["conv2"].shape[-1] // 2
    assert torch.allclose(first, cache["conv2"][:, :, middle, middle], atol=1e-6)
