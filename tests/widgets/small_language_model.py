"""A language model with random weights and a few words, some of which break careless pages."""

import tokenizers
from tokenizers import models, pre_tokenizers

from mi_course.models.tokenizer import Tokenizer
from mi_course.models.transformer import Transformer, TransformerConfig, initialize

WORDS = [
    *("<|endoftext|>", "<|unk|>", "when", "Mary", "and", "John", "went", "to", "the", "store", ",", "gave"),
    *("a", "drink", ".", "<script>alert(1)</script>", "</style>", "$x$", "a\"b'c&amp;"),
]
PROMPT = "when Mary and John went to the store , John gave a drink to"
ODD_PROMPT = "when <script>alert(1)</script> and </style> gave a\"b'c&amp; to $x$"


def small_language_model(n_layers: int = 3, n_heads: int = 4, *, tokenizer: bool = True) -> Transformer:
    """A model that sees at most 64 words."""
    backend = tokenizers.Tokenizer(
        models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<|unk|>")
    )
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.add_special_tokens(["<|endoftext|>"])
    config = TransformerConfig(
        n_layers=n_layers, d_model=32, n_heads=n_heads, d_head=8, d_mlp=64, d_vocab=len(WORDS), n_ctx=64
    )
    model = Transformer(config, tokenizer=Tokenizer(backend) if tokenizer else None, seed=0)
    return initialize(model, 0, std=0.25, embedding_std=0.6).eval()
