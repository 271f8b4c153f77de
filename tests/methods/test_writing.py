"""Writing on with stored keys and values: the same texts as computing everything anew, hooks or not."""

import pytest
import torch

from mi_course.errors import CourseError
from mi_course.methods.steering import add
from mi_course.methods.writing import write_on
from tests.methods.planted import random_model
from tests.methods.planted_facts import random_with_words


@pytest.mark.parametrize(
    "shape", [{}, {"d_mlp": 0}, {"norm": None, "bias": False}], ids=["full", "attention", "bare"]
)
def test_it_writes_what_generate_writes(shape):
    model = random_with_words(seed=1, **shape)
    prompt = model.to_tokens("the old fox").repeat(6, 1)
    direction = torch.randn(model.config.d_model, generator=torch.Generator().manual_seed(2))
    for hooks in ([], add(direction, 3.0, at="blocks.0.hook_resid_post")):
        with model.hooks(hooks):
            want = model.generate(prompt, 8, seed=5)
        assert torch.equal(write_on(model, prompt, 8, hooks=hooks, seed=5)[:, : want.shape[1]], want)


def test_hooks_at_every_point_see_each_position_once():
    model = random_with_words(seed=1)
    seen = dict.fromkeys(model.hook_points(), 0)

    def count(activation, name):
        query_axis = 2 if name.endswith(("pattern", "scores")) else 1
        seen[name] += activation.shape[query_axis]

    write_on(model, model.to_tokens("the old fox"), 5, hooks=[(name, count) for name in seen], temperature=0)
    ends = {name for name in seen if name.startswith("ln_final")}
    assert {seen[name] for name in seen.keys() - ends} == {4 + 4}, "the last word is chosen, but never read"
    assert {seen[name] for name in ends} == {5}, "only where a word is chosen"


def test_temperature_0_takes_the_most_probable_and_the_seed_decides_otherwise():
    model = random_with_words(seed=3)
    prompt = model.to_tokens("the old fox").repeat(2, 1)
    greedy = write_on(model, prompt, 6, temperature=0)
    assert torch.equal(greedy[0], greedy[1])
    assert greedy[0, 4] == model(prompt)[0, -1].argmax()
    first, again, other = (write_on(model, prompt, 6, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_row_that_has_ended_stays_ended():
    model = random_with_words(seed=1)
    end = model.tokenizer.eos_id
    favour_the_end = add(
        40 * model.W_U[:, end].detach(), at=f"blocks.{model.config.n_layers - 1}.hook_resid_post"
    )
    written = write_on(model, model.to_tokens("the old fox"), 4, hooks=favour_the_end, temperature=0)
    assert written[0, 4:].tolist() == [end] * 4


def test_without_a_tokenizer_nothing_ends():
    model = random_model()
    assert write_on(model, torch.zeros(1, 2, dtype=torch.long), 3).shape == (1, 5)


def test_what_cannot_be_written_is_refused():
    model = random_with_words()
    prompt = model.to_tokens("the old fox")
    with pytest.raises(CourseError, match="n_ctx"):
        write_on(model, prompt, model.config.n_ctx)
    with pytest.raises(ValueError, match="temperature"):
        write_on(model, prompt, 2, temperature=-1)
