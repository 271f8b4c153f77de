"""Writing text: what is chosen, when it ends, and that a seed repeats it."""

import pytest
import torch

from mi_course.errors import CourseError
from mi_course.models.transformer import TransformerConfig
from tests.models.small_transformers import CONFIGS, WORDS, make, random_tokens, word_tokenizer


@pytest.fixture(scope="module")
def model():
    return make(CONFIGS["gpt2"])


@pytest.fixture(scope="module")
def writer():
    """A model with words."""
    config = TransformerConfig(
        n_layers=2, d_model=24, n_heads=4, d_head=6, d_mlp=48, d_vocab=len(WORDS), n_ctx=12
    )
    return make(config, tokenizer=word_tokenizer())


def favouring(model, token):
    """Hooks under which ``token`` is by far the most probable one, everywhere."""
    direction = model.W_U[:, token].detach()
    direction = 100 * direction / direction.norm()
    return model.hooks([("ln_final.hook_normalized", lambda x, name: direction.expand_as(x))])


def test_at_temperature_0_each_token_is_the_most_probable_one(model):
    tokens = model.generate(random_tokens(pos=3), 6, temperature=0)
    assert tokens.shape == (2, 9)
    assert torch.equal(tokens[:, :3], random_tokens(pos=3))
    with torch.no_grad():
        assert torch.equal(tokens[:, 3:], model(tokens).argmax(-1)[:, 2:-1])


def test_a_seed_repeats_a_text_and_leaves_torchs_numbers_alone(model):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = model.generate(random_tokens(), 20, seed=1)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(model.generate(random_tokens(), 20, seed=1), first)
    assert not torch.equal(model.generate(random_tokens(), 20, seed=2), first)


def test_without_a_seed_torchs_own_numbers_decide(model):
    torch.manual_seed(0)
    first = model.generate(random_tokens(), 20)
    assert not torch.equal(model.generate(random_tokens(), 20), first)
    torch.manual_seed(0)
    assert torch.equal(model.generate(random_tokens(), 20), first)


def test_tokens_are_drawn_as_often_as_they_are_probable(model):
    prompt = random_tokens(batch=1)
    drawn = model.generate(prompt.repeat(4000, 1), 1, temperature=2.0, seed=0)[:, -1]
    with torch.no_grad():
        expected = (model(prompt)[0, -1] / 2.0).softmax(-1)
    share = drawn.bincount(minlength=30) / 4000
    assert (share - expected).abs().max() < 4 * (0.25 / 4000) ** 0.5
    assert expected.max() < 0.9


@pytest.mark.parametrize("k", [1, 3])
def test_top_k_chooses_among_the_k_most_probable_only(model, k):
    prompt = random_tokens(batch=1)
    drawn = model.generate(prompt.repeat(500, 1), 1, temperature=3.0, top_k=k, seed=0)[:, -1]
    with torch.no_grad():
        allowed = set(model(prompt)[0, -1].topk(k).indices.tolist())
    assert set(drawn.tolist()) == allowed


def test_a_top_k_beyond_the_vocabulary_is_the_whole_vocabulary(model):
    assert model.generate(random_tokens(), 5, top_k=1000, seed=0).shape == (2, 14)


def test_a_text_longer_than_the_context_goes_on_from_its_last_tokens(model):
    tokens = model.generate(random_tokens(pos=12), 5, temperature=0)
    assert tokens.shape == (2, 17)
    with torch.no_grad():
        assert torch.equal(model(tokens[:, 3:15]).argmax(-1)[:, -1], tokens[:, 15])


def test_a_text_comes_back_as_text_with_its_prompt_and_without_the_end_token(writer):
    text = writer.generate("Mary went to the store", 4, temperature=0, stop_at_eos=False)
    assert text.startswith("Mary went to the store")
    tokens = writer.generate(writer.to_tokens("Mary went to the store"), 4, temperature=0, stop_at_eos=False)
    assert text == writer.to_string(tokens[0, 1:])


def test_a_text_ends_at_the_end_token(writer):
    with favouring(writer, 0):
        assert writer.generate("Mary went", 10, temperature=0) == "Mary went"
        tokens = writer.to_tokens("Mary went")
        assert writer.generate(tokens, 10, temperature=0).tolist() == [[*tokens[0].tolist(), 0]]
        longer = writer.generate(tokens, 5, temperature=0, stop_at_eos=False)
    assert longer.tolist() == [[*tokens[0].tolist(), 0, 0, 0, 0, 0]]


def test_in_a_batch_a_row_that_has_ended_is_filled_up_while_the_others_go_on(writer):
    tokens = writer.to_tokens(["Mary went", "John went"])

    def end_of_the_first(x, name):
        ending = 100 * writer.W_U[:, 0].detach() / writer.W_U[:, 0].norm()
        other = 100 * writer.W_U[:, 8].detach() / writer.W_U[:, 8].norm()
        return torch.stack([ending.expand_as(x[0]), other.expand_as(x[1])])

    with writer.hooks([("ln_final.hook_normalized", end_of_the_first)]):
        assert writer.generate(tokens, 3, temperature=0)[:, 3:].tolist() == [[0, 0, 0], [8, 8, 8]]


def test_no_new_token_gives_the_prompt(model):
    assert torch.equal(model.generate(random_tokens(), 0), random_tokens())


def test_no_graph_is_kept(model):
    assert not model.generate(random_tokens(), 2, seed=0).requires_grad
    assert torch.is_grad_enabled()


def test_what_makes_no_sense_is_refused(model, without_type_checks):
    with pytest.raises(ValueError, match="temperature=-1"):
        model.generate(random_tokens(), 2, temperature=-1.0)
    with pytest.raises(ValueError, match="top_k=0"):
        model.generate(random_tokens(), 2, top_k=0)
    with pytest.raises(CourseError, match="expected \\(batch, pos\\)"):
        model.generate(random_tokens()[0], 2)
    with pytest.raises(CourseError, match="no tokenizer"):
        model.generate("Mary", 2)
