"""Reading and changing activations: what comes back is what the modules compute, and nothing stays behind."""

import pytest
import torch
from torch import nn

from mi_course.errors import CourseError, UnknownName
from mi_course.models.alexnet import ALEXNET_MINI, AlexNet, initialize
from mi_course.models.hooks import HookedModule, HookPoint


class TwoLayers(HookedModule):
    """``output = second(relu(first(x)))``, small enough to compute by hand."""

    def __init__(self):
        super().__init__()
        self.first, self.relu, self.second = nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)
        with torch.no_grad():
            self.first.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
            self.first.bias.zero_()
            self.second.weight.copy_(torch.tensor([[2.0, 3.0]]))
            self.second.bias.fill_(1.0)

    def hook_points(self):
        return {"hidden.pre": self.first, "hidden": self.relu, "output": self.second}

    def forward(self, x):
        return self.second(self.relu(self.first(x)))


@pytest.fixture
def model():
    return TwoLayers()


@pytest.fixture(scope="module")
def mini():
    return initialize(AlexNet(ALEXNET_MINI), seed=0).eval()


X = torch.tensor([[1.0, 2.0]])


def hooks_left(model):
    return sum(len(module._forward_hooks) for module in model.modules())


def test_the_cache_of_a_model_that_can_be_computed_by_hand(model):
    output, cache = model.run_with_cache(X)
    assert {name: tensor.tolist() for name, tensor in cache.items()} == {
        "hidden.pre": [[1.0, -2.0]],
        "hidden": [[1.0, 0.0]],
        "output": [[3.0]],
    }
    assert output.tolist() == [[3.0]]


def test_each_cached_activation_of_alexnet_is_what_its_module_makes_of_the_one_before(mini):
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits, cache = mini.run_with_cache(images)
        x = (images - mini.mean) / mini.std
        for name, module in mini.hook_points().items():
            if name == "fc6.pre":
                x = mini.avgpool(x).flatten(1)
            x = module(x)
            assert torch.equal(cache[name], x), name
    assert torch.equal(logits, x)


def test_caching_changes_nothing_in_the_output(mini):
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(mini.run_with_cache(images)[0], mini(images))


def test_only_the_named_activations_are_cached(model):
    _, cache = model.run_with_cache(X, ["hidden"])
    assert list(cache) == ["hidden"]
    assert len(model.run_with_cache(X, [])[1]) == 0


def test_without_names_everything_is_cached(mini):
    _, cache = mini.run_with_cache(torch.rand(1, 3, 64, 64))
    assert list(cache) == list(mini.hook_points())


def test_what_a_hook_returns_replaces_the_activation(model):
    output = model.run_with_hooks(X, [("hidden", lambda hidden, name: torch.full_like(hidden, 10.0))])
    assert output.tolist() == [[2 * 10 + 3 * 10 + 1]]


def test_a_replaced_activation_of_alexnet_reaches_the_logits(mini):
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(3))

    def silence(activation, name):
        activation = activation.clone()
        activation[:, :64] = 0
        return activation

    with torch.no_grad():
        changed = mini.run_with_hooks(images, [("conv5", silence)])
        conv5 = mini.run_with_cache(images, ["conv5"])[1]["conv5"]
        pool5 = mini.hook_points()["pool5"](silence(conv5, "conv5"))
        by_hand = mini.classifier(mini.avgpool(pool5).flatten(1))
        assert torch.allclose(changed, by_hand, atol=1e-6)
        assert not torch.allclose(changed, mini(images), atol=1e-3)


def test_a_hook_that_returns_none_only_reads(model):
    seen = {}
    output = model.run_with_hooks(X, [("hidden", lambda hidden, name: seen.update({name: hidden.tolist()}))])
    assert seen == {"hidden": [[1.0, 0.0]]}
    assert output.tolist() == [[3.0]]


def test_hooks_at_one_point_act_one_after_the_other(model):
    twice = [("hidden", lambda h, name: h + 1), ("hidden", lambda h, name: h * 2)]
    assert model.run_with_hooks(X, twice).tolist() == [[2 * 4 + 3 * 2 + 1]]


def test_hooks_are_in_force_inside_the_context_and_gone_after_it(model):
    with model.hooks([("hidden", lambda hidden, name: torch.zeros_like(hidden))]):
        assert model(X).tolist() == [[1.0]]
        assert model(X).tolist() == [[1.0]]
    assert model(X).tolist() == [[3.0]]
    assert hooks_left(model) == 0


def test_contexts_can_stand_inside_each_other(model):
    with model.hooks([("hidden", lambda h, name: h + 1)]):
        with model.hooks([("hidden", lambda h, name: h * 10)]):
            assert model(X).tolist() == [[2 * 20 + 3 * 10 + 1]]
        assert model(X).tolist() == [[2 * 2 + 3 * 1 + 1]]


def test_hooks_are_gone_after_an_exception_inside_the_context(model):
    def fail_inside():
        with model.hooks([("hidden", lambda hidden, name: None)]):
            assert hooks_left(model) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert hooks_left(model) == 0


def test_hooks_are_gone_after_an_exception_inside_a_hook(model):
    def fail(activation, name):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        model.run_with_hooks(X, [("hidden.pre", lambda a, name: None), ("hidden", fail)])
    assert hooks_left(model) == 0
    assert model(X).tolist() == [[3.0]]


def test_hooks_are_gone_when_one_of_the_names_is_unknown(model):
    with pytest.raises(UnknownName):
        model.run_with_hooks(X, [("hidden", lambda a, name: a * 0), ("hiden", lambda a, name: None)])
    assert hooks_left(model) == 0
    assert model(X).tolist() == [[3.0]]


def test_caching_leaves_no_hooks(mini):
    mini.run_with_cache(torch.rand(1, 3, 64, 64))
    assert hooks_left(mini) == 0


def test_a_replacement_of_another_shape_is_refused_with_both_shapes(model):
    with pytest.raises(ValueError, match=r"hook at 'hidden' returned shape \(2,\).*has shape \(1, 2\)"):
        model.run_with_hooks(X, [("hidden", lambda hidden, name: hidden[0])])
    assert hooks_left(model) == 0


def test_a_replacement_that_is_no_tensor_is_refused_in_words(model):
    with pytest.raises(TypeError, match="hook at 'hidden' returned float"):
        model.run_with_hooks(X, [("hidden", lambda hidden, name: 0.5)])


@pytest.mark.parametrize(
    ("name", "near"), [("hiden", "'hidden'"), ("hidden.post", "'hidden.pre'"), ("Output", "'output'")]
)
def test_an_unknown_name_offers_the_nearest(model, name, near):
    with pytest.raises(UnknownName, match=f"no activation named '{name}'.*{near}"):
        model.run_with_cache(X, [name])


def test_a_single_name_is_not_taken_apart_into_letters(model):
    _, cache = model.run_with_cache(X, "hidden")
    assert list(cache) == ["hidden"]


def test_gradients_flow_through_cached_activations(model):
    x = X.clone().requires_grad_()
    _, cache = model.run_with_cache(x, ["hidden"])
    (gradient,) = torch.autograd.grad(cache["hidden"].sum(), x)
    assert gradient.tolist() == [[1.0, 0.0]]


def test_the_gradient_of_the_output_by_an_activation_is_that_of_the_layers_behind_it(model):
    output, cache = model.run_with_cache(X, ["hidden"])
    (gradient,) = torch.autograd.grad(output.sum(), cache["hidden"])
    assert gradient.tolist() == [[2.0, 3.0]]


def test_gradients_flow_through_a_replacement(model):
    given = torch.tensor([[5.0, 7.0]], requires_grad=True)
    output = model.run_with_hooks(X, [("hidden", lambda hidden, name: given)])
    (gradient,) = torch.autograd.grad(output.sum(), given)
    assert gradient.tolist() == [[2.0, 3.0]]


def test_under_no_grad_nothing_keeps_a_graph(model):
    with torch.no_grad():
        _, cache = model.run_with_cache(X)
    assert not any(tensor.requires_grad for tensor in cache.values())


def test_a_later_run_does_not_change_an_earlier_cache(model):
    _, cache = model.run_with_cache(X)
    before = {name: tensor.clone() for name, tensor in cache.items()}
    model.run_with_cache(-X)
    assert all(torch.equal(cache[name], before[name]) for name in before)


def test_a_function_chooses_the_points(model):
    _, cache = model.run_with_cache(X, lambda name: name.startswith("hidden"))
    assert list(cache) == ["hidden.pre", "hidden"]


def test_caching_gathers_over_a_context(model):
    with model.caching(["hidden"]) as found:
        model(X)
        first = found["hidden"]
        model(-X)
    assert first.tolist() == [[1.0, 0.0]]
    assert found["hidden"].tolist() == [[0.0, 2.0]]
    assert hooks_left(model) == 0


def test_a_point_that_was_asked_for_and_not_reached_is_told(model):
    with pytest.raises(CourseError, match="did not reach output"), model.caching(["hidden", "output"]):
        model.relu(model.first(X))
    with model.caching() as found:
        model.relu(model.first(X))
    assert list(found) == ["hidden.pre", "hidden"]


def test_an_exception_while_caching_is_not_replaced_by_another(model):
    with pytest.raises(ZeroDivisionError), model.caching(["output"]):
        raise ZeroDivisionError
    assert hooks_left(model) == 0


def test_a_hook_point_changes_nothing(model):
    assert HookPoint()(X) is X
