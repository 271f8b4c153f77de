"""Every layer read as if it were the last: the last is the model's answer, a planted one shows where it is written."""

import pytest
import torch

from mi_course.data import repeated_tokens
from mi_course.methods import logit_lens
from tests.methods.planted import BOS, N_TOKENS, STRENGTH, induction_model, random_model, random_tokens


@pytest.fixture
def model():
    return random_model()


@pytest.mark.parametrize("shape", [{}, {"norm": None}, {"d_mlp": 0}, {"tied": True, "bias": False}])
def test_read_at_the_last_layer_it_is_the_models_own_answer(shape):
    model = random_model(**shape)
    tokens = random_tokens(model)
    lens = logit_lens.read(model, tokens)
    assert torch.allclose(lens.logits[-1], model(tokens), atol=1e-5)
    assert torch.equal(lens.answers, model(tokens).argmax(-1))
    assert lens.layers == ("embed", "L0", "L1", "L2")
    assert lens.logits.shape == (4, 4, 9, 50)


def test_each_layer_is_what_the_model_says_when_the_rest_is_skipped(model):
    tokens = random_tokens(model)
    lens = logit_lens.read(model, tokens)
    for layer in range(3):
        assert torch.allclose(
            lens.logits[layer], model.unembed(model(tokens, stop_at_layer=layer)), atol=1e-5
        )
    embedded = model.W_E[tokens] + model.W_pos[:9]
    assert torch.allclose(lens.logits[0], model.unembed(embedded), atol=1e-5)


def test_a_planted_answer_appears_in_the_layer_that_writes_it():
    tokens = repeated_tokens.batch(N_TOKENS, 3, 8, bos=BOS)
    lens = logit_lens.read(induction_model(), tokens[:, :-1])
    assert lens.logit(tokens[:, -1])[:, 0, -1].tolist() == [0, 0, STRENGTH]
    assert lens.rank(tokens[:, 1:])[2, :, 9:].tolist() == [[0] * 7] * 3
    uncertain = -torch.log(torch.tensor(float(N_TOKENS)))
    assert torch.allclose(lens.log_prob(tokens[:, 1:])[:2], uncertain.expand(2, 3, 16))
    assert (lens.log_prob(tokens[:, 1:])[2, :, 9:] > -1e-3).all()


def test_log_probabilities_and_ranks_are_those_of_the_whole_table(model):
    tokens = random_tokens(model)
    lens = logit_lens.read(model, tokens)
    assert torch.allclose(lens.log_probs.exp().sum(-1), torch.ones(4, 4, 9))
    assert torch.allclose(lens.log_prob(7), lens.log_probs[..., 7], atol=1e-5)
    order = lens.logits.argsort(dim=-1, descending=True)
    assert torch.equal(lens.rank(7), (order == 7).float().argmax(dim=-1))


def test_a_target_can_be_one_for_all_one_a_row_or_one_a_cell(model):
    lens = logit_lens.read(model, random_tokens(model, 2, 3))
    targets = torch.tensor([[1, 2, 3], [4, 5, 6]])
    assert torch.equal(lens.logit(targets)[:, 1, 2], lens.logits[:, 1, 2, 6])
    assert torch.equal(lens.logit(torch.tensor([8, 9]))[:, 1], lens.logits[:, 1, :, 9])
    assert torch.equal(lens.logit(8), lens.logits[..., 8])


def test_the_top_tokens_come_best_first_with_their_names(model):
    lens = logit_lens.read(model, random_tokens(model))
    top = lens.top(3)
    expected = lens.log_probs.topk(3)
    assert torch.equal(top.tokens, expected.indices)
    assert torch.equal(top.log_probs, expected.values)
    assert top.words[2][1][4] == [str(token) for token in top.tokens[2, 1, 4].tolist()]
    assert lens.top(1000).tokens.shape[-1] == 50


def test_with_a_tokenizer_the_tokens_have_their_text():
    import tokenizers

    from mi_course.models.tokenizer import Tokenizer

    words = {word: number for number, word in enumerate(("<|endoftext|>", "<script>", "Mary", "gave"))}
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<|endoftext|>"))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    model = random_model(d_vocab=4)
    model.tokenizer = Tokenizer(backend)
    lens = logit_lens.read(model, model.to_tokens("Mary gave <script>"))
    assert lens.str_tokens == (("<|endoftext|>", "Mary", "gave", "<script>"),)
    assert sorted(lens.top(4).words[0][0][0]) == sorted(words)


def test_one_position_alone_is_the_same_as_that_position_of_all(model):
    tokens = random_tokens(model)
    whole, last = logit_lens.read(model, tokens), logit_lens.read(model, tokens, position=-1)
    assert torch.allclose(last.logits, whole.logits[:, :, -1:], atol=1e-5)
    assert torch.equal(last.tokens, tokens[:, -1:])
    assert last.str_tokens == tuple((str(token),) for token in tokens[:, -1].tolist())
    with pytest.raises(ValueError, match=r"position=9.*0 to 8"):
        logit_lens.read(model, tokens, position=9)


def test_the_distance_to_the_final_answer_is_zero_at_the_end_and_never_below():
    lens = logit_lens.read(random_model(), random_tokens(random_model()))
    kl = lens.kl_to_final()
    assert kl[-1].abs().max() == 0
    assert kl.min() > -1e-6
    final, first = lens.log_probs[-1, 0, 0], lens.log_probs[0, 0, 0]
    by_torch = torch.nn.functional.kl_div(first, final, log_target=True, reduction="sum")
    assert kl[0, 0, 0].item() == pytest.approx(by_torch.item(), rel=1e-4)


def test_what_no_layer_adds_to_reads_alike_everywhere(model):
    """The control: heads and MLPs that write nothing leave the lens what it was at the embedding."""
    for block in model.blocks:
        for weight in (block.attn.W_O, block.attn.b_O, block.mlp.W_out, block.mlp.b_out):
            weight.zero_()
    lens = logit_lens.read(model, random_tokens(model))
    assert torch.allclose(lens.logits, lens.logits[:1].expand_as(lens.logits))


def test_no_graph_is_kept_and_no_hook_stays(model):
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    assert not logit_lens.read(model, random_tokens(model)).logits.requires_grad
    assert not any(module._forward_hooks for module in model.modules())


def test_targets_that_fit_no_cell_are_refused(model):
    lens = logit_lens.read(model, random_tokens(model))
    with pytest.raises(ValueError, match=r"target has shape \(3, 1\).*each of the 4 examples"):
        lens.logit(torch.tensor([1, 2, 3]))
    with pytest.raises(ValueError, match="outside of the vocabulary, 0 to 49"):
        lens.rank(50)
