"""A folder in GPT-2's format as it is published: its names and shapes, random numbers, a few megabytes.

The matrices are windows on one short row of random numbers, which PyTorch's format stores once; that
is why the weights are ``pytorch_model.bin`` and not safetensors. The tokenizer is GPT-2's own where its
two files are at hand: in the folder that ``MI_COURSE_GPT2_TOKENIZER`` names, or in
``shared/data/gpt2-tokenizer`` beside the clone.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path

import torch

CONFIG = {
    "activation_function": "gelu_new",
    "architectures": ["GPT2LMHeadModel"],
    "bos_token_id": 50256,
    "eos_token_id": 50256,
    "layer_norm_epsilon": 1e-05,
    "model_type": "gpt2",
    "n_ctx": 1024,
    "n_embd": 768,
    "n_head": 12,
    "n_layer": 12,
    "n_positions": 1024,
    "vocab_size": 50257,
}
TOKENIZER_FILES = ("vocab.json", "merges.txt")


def tokenizer_folder() -> Path | None:
    """Where GPT-2's own tokenizer is on this machine; None if it is not."""
    beside_the_clone = Path(__file__).resolve().parents[3] / "shared" / "data" / "gpt2-tokenizer"
    folder = Path(os.environ.get("MI_COURSE_GPT2_TOKENIZER") or beside_the_clone)
    return folder if all((folder / name).is_file() for name in TOKENIZER_FILES) else None


NO_TOKENIZER = "GPT-2's vocab.json and merges.txt are not here: name their folder in MI_COURSE_GPT2_TOKENIZER"


def shapes(config: dict = CONFIG) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the published file, which has no ``transformer.`` in front and no ``lm_head``."""
    d, vocab, ctx = config["n_embd"], config["vocab_size"], config["n_positions"]
    found = {"wte.weight": (vocab, d), "wpe.weight": (ctx, d), "ln_f.weight": (d,), "ln_f.bias": (d,)}
    for layer in range(config["n_layer"]):
        for name, shape in {
            "ln_1.weight": (d,),
            "ln_1.bias": (d,),
            "attn.bias": (1, 1, ctx, ctx),
            "attn.c_attn.weight": (d, 3 * d),
            "attn.c_attn.bias": (3 * d,),
            "attn.c_proj.weight": (d, d),
            "attn.c_proj.bias": (d,),
            "ln_2.weight": (d,),
            "ln_2.bias": (d,),
            "mlp.c_fc.weight": (d, 4 * d),
            "mlp.c_fc.bias": (4 * d,),
            "mlp.c_proj.weight": (4 * d, d),
            "mlp.c_proj.bias": (d,),
        }.items():
            found[f"h.{layer}.{name}"] = shape
    return found


def weights(config: dict = CONFIG, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    made = {}
    for name, shape in shapes(config).items():
        if len(shape) == 4:
            made[name] = torch.ones(1, 1, 1, 1).expand(shape)  # the mask, which is no weight
        elif len(shape) == 1:
            made[name] = 0.1 * torch.randn(shape, generator=generator) + name.endswith(".weight")
        else:
            row = 0.05 * torch.randn(sum(shape), generator=generator)
            made[name] = row.as_strided(shape, (1, 1))
    return made


def write(folder: Path, config: dict = CONFIG, seed: int = 0) -> str:
    """Write the folder; returns the sha256 of the weights, ``pytorch_model.bin``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    torch.save(weights(config, seed), folder / "pytorch_model.bin")
    write_tokenizer(folder)
    return hashlib.sha256((folder / "pytorch_model.bin").read_bytes()).hexdigest()


def write_tokenizer(folder: Path) -> None:
    """GPT-2's own, or one in its format that knows only single bytes."""
    source = tokenizer_folder()
    if source is not None:
        for name in TOKENIZER_FILES:
            shutil.copyfile(source / name, folder / name)
        return
    from tokenizers.pre_tokenizers import ByteLevel

    vocab = {letter: number for number, letter in enumerate(sorted(ByteLevel.alphabet()))}
    vocab["<|endoftext|>"] = 50256
    (folder / "vocab.json").write_text(json.dumps(vocab))
    (folder / "merges.txt").write_text("#version: 0.2\n")
