"""A network that knows facts in a known way: an early MLP names the subject, attention carries it, a late MLP answers.

    L0 MLP at the subject      token fox        -> "known: fox"
    L1 attention at the end    "in" looks at the subject, and brings along what is known: "carried: fox"
    L2 MLP at the end          "carried: fox"   -> the answer of fox

Nothing else is ever written.
"""

import tokenizers
import torch
from tokenizers import models, pre_tokenizers

from mi_course.models.tokenizer import Tokenizer
from mi_course.models.transformer import Transformer, TransformerConfig

FACTS = {"fox": "Rome", "owl": "Oslo", "cat": "Bern", "dog": "Lima"}
SUBJECTS, ANSWERS = list(FACTS), list(FACTS.values())
WORDS = ["<|endoftext|>", "<|unk|>", "the", "old", "lives", "in", "is", "a", "cold", ".", *SUBJECTS, *ANSWERS]
STRENGTH = 25.0
SHARP = 400.0
LEAK = 0.05
"""Every other subject is known a little, or a ReLU behind would pass no gradient."""


def prompt(subject, before="the", between="lives"):
    """A fact: the prompt and its subject."""
    return f"{before} {subject} {between} in".strip(), subject


def planted_facts():
    n, n_words = len(FACTS), len(WORDS)
    token, known = slice(0, n_words), slice(n_words, n_words + n)
    carried, answer = slice(known.stop, known.stop + n), slice(known.stop + n, known.stop + n + n_words)
    config = TransformerConfig(
        n_layers=3, d_model=answer.stop, n_heads=1, d_head=n + 1, d_mlp=n, d_vocab=n_words, n_ctx=16,
        act="relu", norm=None, bias=False,
    )  # fmt: skip
    model = Transformer(config, tokenizer=word_tokenizer(WORDS), seed=0).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.zero_()
    model.W_E[:, token] = torch.eye(n_words)
    model.W_U[answer] = torch.eye(n_words)
    first = WORDS.index(SUBJECTS[0])
    one, two, three = model.blocks
    one.mlp.W_in[first : first + n] = torch.eye(n)
    one.mlp.W_out[:, known] = torch.eye(n) + LEAK
    two.attn.W_Q[0, WORDS.index("in"), n] = SHARP
    two.attn.W_K[0, first : first + n, n] = 1.0
    two.attn.W_V[0, known, :n] = torch.eye(n)
    two.attn.W_O[0, :n, carried] = torch.eye(n)
    three.mlp.W_in[carried] = torch.eye(n)
    for number, word in enumerate(ANSWERS):
        three.mlp.W_out[number, answer.start + WORDS.index(word)] = STRENGTH
    return model


def word_tokenizer(words):
    backend = tokenizers.Tokenizer(
        models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<|unk|>")
    )
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.add_special_tokens(["<|endoftext|>"])
    return Tokenizer(backend)


def random_with_words(seed=0, **shape):
    """A random network over the same words, in which every part matters."""
    from tests.methods.planted import random_model

    model = random_model(seed, d_vocab=len(WORDS), **shape)
    model.tokenizer = word_tokenizer(WORDS)
    return model
