import numpy as np
import pytest
import torch

from mi_course.exercises.attempt import Attempt, is_stub
from mi_course.exercises.expect import Wrong


def refused(function, *args, **kwargs):
    with pytest.raises(Wrong) as caught:
        Attempt(function, "mine")(*args, **kwargs)
    return str(caught.value)


def set_first(x):
    x[0] = 100
    return x


@pytest.mark.parametrize("given", [torch.arange(3), np.arange(3), [1, 2, 3], {0: 1}])
def test_a_changed_input_is_refused_and_the_original_is_untouched(given):
    kept = given.copy() if hasattr(given, "copy") else given.clone()
    assert "changed its input" in refused(set_first, given)
    assert all(a == b for a, b in zip(given, kept))
    assert given[0] == kept[0]


def test_a_change_deep_inside_is_found():
    def deep(x):
        x["images"][1][0] = 7
        return 1

    assert "`x`['images'][1]" in refused(deep, {"images": [torch.zeros(2), torch.zeros(2)]})


def test_a_longer_list_is_a_changed_input():
    def grow(x):
        x.append(1)
        return x

    assert "had 2 entries and now has 3" in refused(grow, [1, 2])


def test_a_changed_keyword_argument_is_named():
    def scale(x, *, by):
        by += 1
        return x

    assert "`by`" in refused(scale, 1, by=torch.ones(1))


def test_a_model_may_be_used_but_not_changed():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout())

    def uses(model):
        return model(torch.ones(1, 2))

    def trains(model):
        with torch.no_grad():
            model[0].weight.add_(1)
        return 1

    def hooks(model):
        model[0].register_forward_hook(lambda *args: None)
        return 1

    def switches(model):
        model.eval()
        return 1

    Attempt(uses)(model)
    assert "`model`'s weights" in refused(trains, model)
    assert "hook was left behind" in refused(hooks, model)
    assert "evaluation mode" in refused(switches, model)


def test_nan_in_the_input_is_not_a_change():
    given = torch.tensor([float("nan"), 1.0])
    assert Attempt(lambda x: x)(given).shape == (2,)


def test_the_result_of_a_computation_can_be_an_input():
    weight = torch.ones(2, requires_grad=True) * 3
    assert Attempt(lambda x: x * 2)(weight).requires_grad


def test_what_cannot_be_copied_is_passed_as_it_is():
    assert Attempt(lambda numbers: sum(numbers))(n for n in (1, 2)) == 3


def test_the_same_object_given_twice_stays_the_same_object():
    x = torch.ones(2)
    assert Attempt(lambda a, b: a is b)(x, x)


def test_the_call_is_described_as_it_would_stand_in_code():
    attempt = Attempt(lambda *args, **kwargs: 1, "f")
    attempt(torch.zeros(2, 3), [1, 2], "cat", np.zeros(4), torch.tensor(2.5), size=3)
    assert attempt.last_call == "f(tensor[2×3], [1, 2], 'cat', array[4], tensor(2.5), size=3)"
    attempt(list(range(100)), torch.nn.Linear(1, 1))
    assert attempt.last_call == "f([0, 1, 2, 3, 4, 5, …], Linear)"


def test_an_attempt_can_be_passed_on_as_a_function():
    with pytest.raises(Wrong, match="ZeroDivisionError"):
        list(map(Attempt(lambda x: 1 / 0), [1]))


def test_builtins_without_a_signature_can_be_answers():
    assert Attempt(max)(1, 2) == 2
    assert "TypeError" in refused(max)


def zero(x):
    return 0


def false(x):
    return False


def identity(x):
    return x


def returns_none(x):
    """It says what it should do."""
    return None


@pytest.mark.parametrize(
    ("answer", "stub"),
    [
        (zero, False),
        (false, False),
        (identity, False),
        (returns_none, True),
        (max, False),
        (..., True),
        (None, False),
    ],
)
def test_only_a_function_that_does_nothing_is_a_stub(answer, stub):
    assert is_stub(answer) is stub
