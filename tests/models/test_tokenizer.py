"""Words and numbers: both kinds of vocabulary, there and back, and what is refused in words."""

import copy
import json

import pytest
import tokenizers
import torch

from mi_course.errors import CourseError
from mi_course.models.tokenizer import Tokenizer
from mi_course.models.transformer import TransformerConfig
from tests.models import public_gpt2
from tests.models.small_transformers import WORDS, make, word_tokenizer

TEXT = "when Mary and John went to the store , John gave a drink to"


@pytest.fixture(scope="module")
def words():
    return word_tokenizer()


@pytest.fixture(scope="module")
def model(words):
    config = TransformerConfig(
        n_layers=1, d_model=8, n_heads=2, d_head=4, d_mlp=0, d_vocab=len(WORDS), n_ctx=16
    )
    return make(config, tokenizer=words)


@pytest.fixture
def gpt2():
    folder = public_gpt2.tokenizer_folder()
    if folder is None:
        pytest.skip(public_gpt2.NO_TOKENIZER)
    return Tokenizer.from_folder(folder)


def test_a_text_becomes_numbers_and_comes_back(model):
    tokens = model.to_tokens(TEXT)
    assert tokens.dtype == torch.long
    assert tokens.shape == (1, 15)
    assert tokens[0, 0] == model.tokenizer.bos_id == model.tokenizer.eos_id == 0
    assert [WORDS[token] for token in tokens[0, 1:]] == TEXT.split()
    assert model.to_string(tokens[0, 1:]) == "when Mary and John went to the store, John gave a drink to"


def test_the_token_in_front_can_be_left_out(model):
    assert torch.equal(model.to_tokens("the store", prepend_bos=False), model.to_tokens("the store")[:, 1:])


@pytest.mark.parametrize("wrap", ["text", "tensor", "row", "list"])
def test_the_words_of_a_text_or_of_its_tokens_are_strings(model, wrap):
    expected = ["<|endoftext|>", *TEXT.split()]
    tokens = model.to_tokens(TEXT)
    given = {"text": TEXT, "tensor": tokens, "row": tokens[0], "list": tokens[0].tolist()}
    assert model.to_str_tokens(given[wrap]) == expected


def test_one_number_alone_is_a_text_too(model):
    assert model.to_string(WORDS.index("Mary")) == "Mary"
    assert model.to_string(torch.tensor(WORDS.index("Mary"))) == "Mary"
    assert model.to_str_tokens([]) == []


def test_texts_of_one_length_are_a_batch(model):
    tokens = model.to_tokens(["Mary went to the store", "John gave a drink to"])
    assert tokens.shape == (2, 6)
    assert model.to_str_tokens(tokens[1]) == ["<|endoftext|>", "John", "gave", "a", "drink", "to"]


def test_texts_of_different_lengths_are_only_filled_up_on_demand(model):
    texts = ["Mary went", "John gave a drink to"]
    with pytest.raises(CourseError, match=r"3 to 6 tokens.*pad=True"):
        model.to_tokens(texts)
    tokens = model.to_tokens(texts, pad=True)
    assert tokens[0].tolist() == [*model.to_tokens("Mary went")[0].tolist(), 0, 0, 0]
    with torch.no_grad():
        assert torch.allclose(model(tokens)[0, :3], model(model.to_tokens("Mary went"))[0], atol=1e-5)


def test_the_end_token_can_be_written(model):
    assert model.to_tokens("<|endoftext|> Mary", prepend_bos=False).tolist() == [[0, WORDS.index("Mary")]]


@pytest.mark.parametrize("text", ["Mary", " Mary", "Mary "])
def test_a_single_word_has_one_number(model, text):
    assert model.to_single_token(text) == WORDS.index("Mary")


@pytest.mark.parametrize(("text", "said"), [("Mary went", r"2: \['Mary', 'went'\]"), ("", r"0: \[\]")])
def test_what_is_not_one_token_is_refused(model, text, said):
    with pytest.raises(CourseError, match=f"not one token but {said}"):
        model.to_single_token(text)


def test_an_unknown_word_is_named_with_the_nearest_known_ones(model):
    with pytest.raises(CourseError) as caught:
        model.to_tokens("mary and Jhn went to the stores when stores")
    said = str(caught.value)
    assert "'mary' is not in the model's vocabulary. Near it are: 'Mary'" in said
    assert "'Jhn' is not in the model's vocabulary. Near it are: 'John'" in said
    assert said.count("'stores' is not") == 1
    assert "'store'" in said
    assert "'went'" not in said


def test_many_unknown_words_are_not_all_listed(model):
    with pytest.raises(CourseError, match="Nor are 3 other words"):
        model.to_tokens("q1 q2 q3 q4 q5 q6 q7 q8")


def test_the_token_for_unknown_words_can_be_written(model):
    assert model.to_tokens("<|unk|>", prepend_bos=False).tolist() == [[1]]


def test_a_text_longer_than_the_context_says_both_lengths(model):
    assert model.to_tokens("Mary " * 15).shape == (1, 16)
    with pytest.raises(CourseError, match=r"17 tokens, but the model sees at most n_ctx = 16"):
        model.to_tokens("Mary " * 16)


@pytest.mark.parametrize("token", [20, -1])
def test_a_number_outside_the_vocabulary_has_no_text(model, token):
    with pytest.raises(CourseError, match=f"no token {token}: the vocabulary has the tokens 0 to 19"):
        model.to_string([token])


def test_a_batch_is_not_one_text(model, without_type_checks):
    with pytest.raises(CourseError, match=r"shape \(2, 2\).*tokens\[0\]"):
        model.to_string(torch.zeros(2, 2, dtype=torch.long))
    with pytest.raises(CourseError, match=r"dtype torch\.float32"):
        model.to_string(torch.zeros(2))


@pytest.mark.parametrize("given", [3, [], None, [3]], ids=str)
def test_what_is_no_text_is_refused(model, without_type_checks, given):
    with pytest.raises(CourseError, match="text"):
        model.to_tokens(given)


def test_an_empty_text_is_the_end_token_alone(model):
    assert model.to_tokens("").tolist() == [[0]]
    with pytest.raises(CourseError, match="empty text"):
        model.to_tokens("", prepend_bos=False)


def test_the_vocabulary_is_listed_in_the_order_of_its_numbers(words):
    assert list(words.vocab) == WORDS
    assert list(words.vocab.values()) == list(range(len(WORDS)))
    assert len(words) == len(WORDS)
    assert repr(words) == "Tokenizer(WordLevel, 20 tokens)"


def test_copies_of_a_model_share_the_tokenizer(model):
    assert copy.deepcopy(model).tokenizer is model.tokenizer


def test_a_saved_tokenizer_is_read_again_here_and_by_transformers(words, tmp_path):
    from transformers import AutoTokenizer

    words.save(tmp_path / "new")
    again = Tokenizer.from_folder(tmp_path / "new")
    assert again.vocab == words.vocab
    assert again.encode(TEXT) == words.encode(TEXT)
    theirs = AutoTokenizer.from_pretrained(tmp_path / "new")
    assert theirs(TEXT).input_ids == words.encode(TEXT)
    assert theirs.bos_token_id == theirs.eos_token_id == 0
    assert theirs.unk_token_id == 1
    assert theirs.decode(words.encode(TEXT)) == words.decode(words.encode(TEXT))
    assert Tokenizer.from_hf(theirs).encode(TEXT) == words.encode(TEXT)


def test_gpt2s_tokenizer_cuts_words_into_pieces_as_transformers_does(gpt2, tmp_path):
    from transformers import GPT2TokenizerFast

    theirs = GPT2TokenizerFast.from_pretrained(public_gpt2.tokenizer_folder())
    text = " Mary gave the incomprehensibility of Zürich to 東京 <|endoftext|>\n\n  x2=3 don't"
    assert gpt2.encode(text) == theirs(text).input_ids
    assert gpt2.decode(gpt2.encode(text)) == text
    assert gpt2.bos_id == 50256
    assert len(gpt2) == 50257
    assert gpt2.encode(" Mary") == [5335]
    assert "".join(map(gpt2.token_text, gpt2.encode(" Mary gave don't"))) == " Mary gave don't"
    gpt2.save(tmp_path)
    assert Tokenizer.from_folder(tmp_path).encode(text) == gpt2.encode(text)
    assert Tokenizer.from_hf(theirs).encode(text) == gpt2.encode(text)


def test_half_a_character_is_shown_as_a_question_mark(gpt2):
    pieces = [gpt2.token_text(token) for token in gpt2.encode("東")]
    assert len(pieces) > 1
    assert all("\N{REPLACEMENT CHARACTER}" in piece for piece in pieces)


def test_byte_pairs_know_every_text(tmp_path):
    """Without GPT-2's own files: a vocabulary of single bytes in its format."""
    from tokenizers.pre_tokenizers import ByteLevel

    vocab = {letter: number for number, letter in enumerate(sorted(ByteLevel.alphabet()))}
    (tmp_path / "vocab.json").write_text(json.dumps({**vocab, "<|endoftext|>": 256}))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    bytes_only = Tokenizer.from_folder(tmp_path)
    assert len(bytes_only.encode("Zürich")) == 7
    assert bytes_only.decode(bytes_only.encode("Zürich <|endoftext|>")) == "Zürich <|endoftext|>"
    assert bytes_only.encode("<|endoftext|>") == [256]


def test_a_folder_without_a_tokenizer_says_what_is_missing(tmp_path):
    (tmp_path / "vocab.json").write_text("{}")
    with pytest.raises(CourseError, match=r"no tokenizer\.json, and no vocab\.json with merges\.txt"):
        Tokenizer.from_folder(tmp_path)


def test_a_broken_tokenizer_is_refused_in_words(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{not json")
    with pytest.raises(CourseError, match="cannot be read"):
        Tokenizer.from_folder(tmp_path)


def test_a_tokenizer_without_an_end_token_is_refused():
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0}, unk_token="a"))
    with pytest.raises(CourseError, match=r"no token '<\|endoftext\|>'"):
        Tokenizer(backend)


def test_a_slow_tokenizer_of_transformers_is_refused():
    with pytest.raises(CourseError, match="object is not one of transformers' fast tokenizers"):
        Tokenizer.from_hf(object())
