"""Small networks with random weights, of every kind that `Transformer` can be."""

import tokenizers
import torch

from mi_course.models.tokenizer import Tokenizer
from mi_course.models.transformer import Transformer, TransformerConfig, initialize

SHAPE = {"n_layers": 3, "d_model": 24, "n_heads": 4, "d_head": 6, "d_vocab": 30, "n_ctx": 12}
CONFIGS = {
    "gpt2": TransformerConfig(**SHAPE, d_mlp=48),
    "tied": TransformerConfig(**SHAPE, d_mlp=96, tied=True),
    "relu": TransformerConfig(**SHAPE, d_mlp=48, act="relu"),
    "no norm": TransformerConfig(**SHAPE, d_mlp=48, norm=None),
    "no bias": TransformerConfig(**SHAPE, d_mlp=48, bias=False),
    "attention-only": TransformerConfig(**SHAPE, d_mlp=0, norm=None, bias=False),
    "narrow heads": TransformerConfig(**{**SHAPE, "d_head": 5}, d_mlp=48),
}
"""One of each kind; the last has heads that together are narrower than the residual stream."""

_TEXT = "<|endoftext|> <|unk|> the a store bank to , . Mary John went gave drink when and he she it in"
WORDS = _TEXT.split()


def make(config: TransformerConfig, seed: int = 0, tokenizer: Tokenizer | None = None) -> Transformer:
    """A network whose every weight matters: biases and layer norms are random too."""
    model = initialize(Transformer(config, tokenizer=tokenizer), seed, std=0.3, embedding_std=0.5)
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def random_tokens(
    batch: int = 2, pos: int = 9, seed: int = 0, d_vocab: int = SHAPE["d_vocab"]
) -> torch.Tensor:
    return torch.randint(d_vocab, (batch, pos), generator=torch.Generator().manual_seed(seed))


def word_tokenizer() -> Tokenizer:
    backend = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<|unk|>")
    )
    backend.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    backend.add_special_tokens(["<|endoftext|>", "<|unk|>"])
    backend.decoder = tokenizers.decoders.WordPiece(prefix="##", cleanup=True)
    return Tokenizer(backend)


def hooks_left(model: torch.nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())
