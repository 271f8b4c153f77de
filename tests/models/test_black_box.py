import pytest
import torch

from mi_course.data import digits
from mi_course.models.black_box import BlackBox, train


@pytest.fixture(scope="module")
def trained():
    return train(digits.parts().learn)


def test_it_is_the_formula_that_its_docstring_gives(trained):
    images = digits.parts().choose.images[:5]
    pixels = images.flatten(1).double()
    hidden = (pixels @ trained.hidden.weight.T + trained.hidden.bias).tanh()
    logits = hidden @ trained.output.weight.T + trained.output.bias
    assert torch.allclose(trained(images), logits)
    assert torch.allclose(trained.hidden_activations(images), hidden)


def test_probabilities_add_up_to_one_and_agree_with_the_answer(trained):
    images = digits.parts().choose.images
    probabilities = trained.probabilities(images)
    assert torch.allclose(probabilities.sum(dim=-1), torch.ones(300, dtype=torch.float64))
    assert torch.equal(probabilities.argmax(dim=-1), trained.answer(images))


def test_the_count_of_its_numbers_is_right():
    assert BlackBox(4).number_count == 64 * 4 + 4 + 4 * 10 + 10


def test_training_teaches_it_something_and_shuffled_labels_do_not(trained):
    parts = digits.parts()
    shuffled = train(parts.learn.with_shuffled_labels())
    accuracy = [
        (box.answer(parts.choose.images) == parts.choose.labels).double().mean()
        for box in (trained, shuffled)
    ]
    assert accuracy[0] > 0.75
    assert accuracy[1] < 0.2


def test_the_same_seed_gives_the_same_network(trained):
    again = train(digits.parts().learn)
    assert torch.allclose(again.hidden.weight, trained.hidden.weight, atol=1e-9)


def test_training_leaves_the_seeds_and_threads_of_the_notebook_alone():
    torch.manual_seed(7)
    expected, threads = torch.rand(1), torch.get_num_threads()
    torch.manual_seed(7)
    train(digits.parts().learn, steps=2)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.rand(1), expected)


def test_its_hidden_neurons_can_be_read_and_changed(trained):
    images = digits.parts().choose.images[:3]
    _, cache = trained.run_with_cache(images, ["hidden"])
    assert torch.equal(cache["hidden"].detach(), trained.hidden_activations(images))
    silenced = trained.run_with_hooks(
        images, [("hidden", lambda activation, name: torch.zeros_like(activation))]
    )
    assert torch.allclose(silenced, trained.output.bias.expand(3, 10))


def test_a_layer_without_neurons_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        BlackBox(0)
