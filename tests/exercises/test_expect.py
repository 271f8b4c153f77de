import math

import numpy as np
import pytest
import torch

from mi_course.exercises.expect import (
    Wrong,
    expect_close,
    expect_dtype,
    expect_shape,
    expect_type,
    refuse_slips,
)

WANT = torch.tensor([[0.1, 0.7, 0.2], [0.3, 0.9, 0.4], [0.5, 0.8, 0.6]])


def refused(got, want=WANT, **options):
    with pytest.raises(Wrong) as caught:
        expect_close(got, want, **options)
    return str(caught.value)


def test_several_things_have_a_verb_of_their_own():
    got = WANT.clone()
    got[1, 2] = 9
    assert refused(got, what="Your scores").startswith("Your scores are not right.")
    assert refused(got[:2], what="Your logits, W_E @ W_U,").startswith("Your logits, W_E @ W_U, have shape")
    assert refused(got, what="Your loss").startswith("Your loss is not right.")


def test_the_result_of_a_typical_slip_is_refused_with_what_is_said_about_it():
    slips = {WANT * 2: "you doubled it.", WANT.T: "you transposed it."}
    with pytest.raises(Wrong, match=r"On a filter: you transposed it\."):
        refuse_slips(WANT.T.clone(), slips, on="a filter")
    refuse_slips(WANT, slips, on="a filter")
    refuse_slips(WANT[:1], slips, on="a filter")  # another shape is for `expect_close` to speak of


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (WANT + 1e-7, WANT),
        (WANT.double(), WANT),
        (WANT.clone().requires_grad_(), WANT),
        (3.0, 3),
        (np.float32(0.5), 0.5),
        (torch.tensor(0.5), 0.5),
        ((1, 2.0), [1, 2]),
        ({"a": WANT, "b": 1}, {"a": WANT, "b": 1}),
        ([WANT, "x"][:1], [WANT]),
        (torch.tensor([math.inf, math.nan]), torch.tensor([math.inf, math.nan])),
        (torch.zeros(0), torch.zeros(0)),
        (torch.tensor([True, False]), torch.tensor([True, False])),
    ],
)
def test_equal_values_pass(got, want):
    expect_close(got, want)


def test_the_largest_deviation_is_located():
    got = WANT.clone()
    got[1, 2] = 9
    got[0, 0] = 1
    message = refused(got, on="a filter with one bright pixel")
    assert message == (
        "On a filter with one bright pixel: your result is not right. The largest deviation is 8.6, at [1, 2]: "
        "yours is 9, expected 0.4. 2 of 9 values differ."
    )


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (WANT.T, "transposed"),
        (-WANT, "sign is the wrong way round"),
        (2 * WANT, "too large by a factor of 2"),
        (WANT / 255, "too small by a factor of 255"),
        (-10 * WANT, "factor of minus 10"),
        (1.7 * WANT, "1.7 times what it should be"),
        (WANT + 0.5, "0.5 too large"),
        (2 * WANT - 1, "up to a scale and a shift"),
        (WANT.flip(1), "Axis 1 runs in the opposite direction"),
        (WANT.roll(1, 0), "shifted by one along axis 0"),
        (WANT.square(), "the square of"),
        (WANT.sqrt(), "the square root of"),
        (WANT.log(), "the logarithm of"),
        (WANT.exp(), "the exponential of"),
        (WANT / 0, "infinite"),
        (WANT * math.nan, "NaN"),
        (WANT.numpy(), "torch.from_numpy"),
        (WANT.tolist(), "torch.tensor"),
        (WANT[None], "one axis too many in front|axis of length 1 too many"),
        (WANT[:2], "(2, 3); expected (3, 3). Axis 0 is off by one"),
        (WANT.flatten(), "only arranged otherwise"),
        (WANT > 0.5, "True or False; expected floating-point"),
        ("wrong", "the text 'wrong'"),
        (None, "None"),
        ({"a": 1}, "a dictionary with 1 entry"),
    ],
)
def test_typical_slips_are_named(got, words):
    message = refused(got)
    assert any(part in message for part in words.split("|")), message


def test_exchanged_colours_are_named():
    image = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0))
    assert "Red and blue are exchanged" in refused(image.flip(0), image)


def test_exchanged_truth_values_are_named():
    mask = torch.tensor([True, False, False])
    assert "exchanged" in refused(~mask, mask)
    assert "2 of 3 differ; the first at [0]: yours False, expected True" in refused(mask.roll(1), mask)


def test_indices_must_be_whole_numbers():
    assert "expected whole numbers" in refused(torch.tensor([0.0, 1.0]), torch.tensor([0, 1]))


def test_a_count_may_be_off_by_one():
    assert "one too many" in refused(35, 34)
    assert "Yours is 1,000,000, expected 61,100,840." in refused(1_000_000, 61_100_840)


def test_a_single_number_is_not_called_off_by_a_strange_factor():
    assert refused(0.42, 0.7) == "Your result is not right. Yours is 0.42, expected 0.7."


def test_degrees_and_radians_are_told_apart():
    assert "degrees" in refused(90.0, math.pi / 2)


def test_the_expected_value_can_be_kept_back():
    assert refused(8, 7, reveal=False) == "Your result is not right. Yours is 8."
    assert "0.7" not in refused(0.42, 0.7, reveal=False)
    assert "expected" not in refused(torch.zeros(3, 3), reveal=False)


def test_a_finite_value_does_not_pass_for_infinity_or_nan():
    refused(torch.tensor([1.0]), torch.tensor([math.inf]))
    refused(torch.tensor([1.0]), torch.tensor([math.nan]))


def test_a_gradient_history_can_be_refused():
    assert "torch.no_grad()" in refused(WANT.clone().requires_grad_(), detached=True)


def test_containers_say_which_entry_is_wrong():
    assert "result['b']" in refused({"a": 1, "b": 2}, {"a": 1, "b": 3})
    assert "missing: 'b'; not asked for: 'c'" in refused({"a": 1, "c": 2}, {"a": 1, "b": 3})
    assert "has length 1; expected 2" in refused([WANT], [WANT, WANT])
    assert "result[1]" in refused([WANT, -WANT], [WANT, WANT])


@pytest.mark.parametrize(
    "odd", [[[1], [2, 3]], [None], ["a"], 10**30, torch.zeros(3, 3, device="meta"), 1 + 2j]
)
def test_no_value_breaks_the_comparison(odd):
    refused(odd)
    refused(odd, 3.0)
    refused(odd, [1.0, 2.0])


def test_shapes_may_leave_an_axis_open():
    expect_shape(WANT, (None, 3))
    with pytest.raises(Wrong, match=r"has shape \(3, 3\); expected \(any, 4\)"):
        expect_shape(WANT, (None, 4))
    with pytest.raises(Wrong, match="the number 3; expected a tensor"):
        expect_shape(3, (3,))


def test_types_are_named_in_words():
    expect_type(WANT, torch.Tensor)
    expect_type(3, (int, float))
    with pytest.raises(Wrong, match="the truth value True; expected a whole number"):
        expect_type(True, int)
    with pytest.raises(Wrong, match="expected a torch tensor or a numpy array"):
        expect_type([1], (torch.Tensor, np.ndarray))


def test_dtypes_can_be_asked_for_by_name_or_family():
    expect_dtype(WANT, "float")
    expect_dtype(WANT, torch.float32)
    expect_dtype(np.zeros(2), np.float64)
    expect_dtype(torch.zeros(2, dtype=torch.uint8), "int")
    with pytest.raises(Wrong, match=r"type float32; expected int64. Convert with `.to\(torch.int64\)`"):
        expect_dtype(WANT, torch.int64)
    with pytest.raises(Wrong, match="expected bool"):
        expect_dtype(WANT, "bool")
