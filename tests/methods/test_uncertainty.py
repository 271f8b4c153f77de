"""Intervals hold the truth as often as they say."""

import pytest
import torch

from mi_course.methods.uncertainty import Interval, bootstrap_mean, bootstrap_ratio, wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.27753),
        (5, 10, 0.23659, 0.76341),
        (10, 10, 0.72247, 1.0),
        (1, 29, 0.0061, 0.1718),  # Newcombe 1998, table I
        (15, 148, 0.0624, 0.1605),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilson_intervals_are_the_published_ones(successes, trials, low, high):
    found = wilson_interval(successes, trials)
    assert found.estimate == successes / trials
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)
    assert found.confidence == 0.95


def test_each_end_is_the_share_that_the_observation_just_does_not_refute():
    """Wilson's definition: at both ends the observed share is z standard errors away."""
    found = wilson_interval(7, 40)
    for share in (found.low, found.high):
        z = abs(7 / 40 - share) / (share * (1 - share) / 40) ** 0.5
        assert z == pytest.approx(1.959964, abs=1e-5)


def test_an_interval_stays_inside_0_and_1_and_holds_its_estimate():
    for trials in (1, 2, 17, 1000):
        for successes in {0, 1, trials // 2, trials}:
            found = wilson_interval(successes, trials)
            assert 0 <= found.low <= found.estimate <= found.high <= 1


def test_successes_and_failures_mirror_each_other():
    for_success, for_failure = wilson_interval(3, 20), wilson_interval(17, 20)
    assert for_success.low == pytest.approx(1 - for_failure.high)
    assert for_success.high == pytest.approx(1 - for_failure.low)


def test_more_trials_and_less_confidence_make_it_narrower():
    def width(found):
        return found.high - found.low

    assert width(wilson_interval(50, 100)) < width(wilson_interval(5, 10))
    assert width(wilson_interval(5, 10, confidence=0.5)) < width(wilson_interval(5, 10))


@pytest.mark.parametrize("share", [0.03, 0.2, 0.5])
def test_wilson_intervals_hold_the_truth_as_often_as_they_say(share):
    generator = torch.Generator().manual_seed(0)
    draws = (torch.rand(4000, 50, generator=generator) < share).sum(1).tolist()
    intervals = {k: wilson_interval(k, 50) for k in set(draws)}
    held = sum(intervals[k].low <= share <= intervals[k].high for k in draws) / len(draws)
    assert 0.92 < held < 0.985


@pytest.mark.parametrize(("successes", "trials"), [(-1, 10), (11, 10), (0, 0)])
def test_what_is_not_a_share_is_refused(successes, trials):
    with pytest.raises(ValueError, match=f"{successes} successes in {trials} trials is not a share"):
        wilson_interval(successes, trials)


def test_bootstrap_intervals_hold_the_mean_as_often_as_they_say():
    generator = torch.Generator().manual_seed(0)
    samples = torch.randn(300, 40, generator=generator) * 3 + 7
    found = [bootstrap_mean(sample, resamples=400, seed=i) for i, sample in enumerate(samples)]
    held = sum(interval.low <= 7 <= interval.high for interval in found) / len(found)
    assert 0.89 < held < 0.98


def test_a_bootstrap_interval_is_about_as_wide_as_theory_says():
    values = torch.randn(400, generator=torch.Generator().manual_seed(1))
    found = bootstrap_mean(values)
    assert found.estimate == pytest.approx(values.mean().item())
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std().item() / 20, rel=0.1)


def test_values_that_are_all_the_same_leave_no_doubt():
    found = bootstrap_mean(torch.full((5,), 2.0))
    assert (found.low, found.estimate, found.high) == (2, 2, 2)


def test_a_bootstrap_interval_depends_on_its_seed_alone():
    values = torch.randn(30, generator=torch.Generator().manual_seed(2))
    torch.manual_seed(1)
    first = bootstrap_mean(values)
    torch.manual_seed(2)
    assert bootstrap_mean(values) == first
    assert bootstrap_mean(values, seed=1) != first


def test_one_value_is_not_enough_to_tell_how_sure_one_can_be():
    with pytest.raises(ValueError, match="at least two"):
        bootstrap_mean(torch.ones(1))


def test_an_interval_prints_rounded():
    assert str(Interval(0.5, 0.123, 0.987)) == "0.50 [0.12, 0.99]"
    assert str(Interval(-0.001, -0.04, 0.001)) == "0.00 [-0.04, 0.00]"


def test_the_ratio_of_equal_pairs_is_exactly_1_however_they_vary():
    values = torch.tensor([1.0, 5.0, 2.0, 9.0])
    found = bootstrap_ratio(values, values)
    assert (found.estimate, found.low, found.high) == (1.0, 1.0, 1.0)


def test_a_ratio_is_one_of_means_and_not_a_mean_of_ratios():
    found = bootstrap_ratio(torch.tensor([1.0, 3.0]), torch.tensor([1.0, 1.0]))
    assert found.estimate == 2.0
    assert found.low == 1.0
    assert found.high == 3.0


def test_numbers_that_are_no_pairs_are_refused(without_type_checks):
    with pytest.raises(ValueError, match="3 numerators and 2 denominators"):
        bootstrap_ratio(torch.ones(3), torch.ones(2))
