"""GPT-2's files: what the weights are called in them, and how ``config.json`` says the shape.

A network of GPT-2's shape is written as ``transformers`` writes its GPT2LMHeadModel, so that other tools
read it. Networks that GPT-2's config cannot describe (attention only, no layer norm, no biases) keep the
same names, leave out what they do not have, and say their shape in a section of our own, ``transformer``.

Here are only dictionaries; the network itself is in `transformer`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from mi_course.errors import CourseError
from mi_course.whole_file import write_whole

_OUTSIDE = {
    "W_E": "transformer.wte.weight",
    "W_pos": "transformer.wpe.weight",
    "ln_final.w": "transformer.ln_f.weight",
    "ln_final.b": "transformer.ln_f.bias",
    "lm_head": "lm_head.weight",
}
_IN_BLOCK = {
    "ln1.w": "ln_1.weight",
    "ln1.b": "ln_1.bias",
    "attn.W_QKV": "attn.c_attn.weight",
    "attn.b_QKV": "attn.c_attn.bias",
    "attn.W_O": "attn.c_proj.weight",
    "attn.b_O": "attn.c_proj.bias",
    "ln2.w": "ln_2.weight",
    "ln2.b": "ln_2.bias",
    "mlp.W_in": "mlp.c_fc.weight",
    "mlp.b_in": "mlp.c_fc.bias",
    "mlp.W_out": "mlp.c_proj.weight",
    "mlp.b_out": "mlp.c_proj.bias",
}
_MASKS = re.compile(r"(transformer\.)?h\.\d+\.attn\.(masked_)?bias")
"""Old files also hold the constants of the causal mask; they are not weights."""


def name_on_disk(name: str) -> str:
    """``blocks.3.attn.W_QKV`` is ``transformer.h.3.attn.c_attn.weight``."""
    if name in _OUTSIDE:
        return _OUTSIDE[name]
    _, layer, rest = name.split(".", 2)
    return f"transformer.h.{layer}.{_IN_BLOCK[rest]}"


def to_disk(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a `Transformer` under GPT-2's names; a head's own axis is merged into its neighbour."""
    return {
        name_on_disk(name): tensor.flatten(end_dim=1) if tensor.ndim == 3 else tensor
        for name, tensor in state.items()
    }


def from_disk(state: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Weights under GPT-2's names as a `Transformer` wants them, float32; ``shapes``: its names and shapes.

    Names may lack ``transformer.`` in front, as in the file that OpenAI's weights are published in.
    The tensors are copies. Raises CourseError if anything is missing, left over, or of another shape.
    """
    state = {
        name if name.startswith(("transformer.", "lm_head.")) else f"transformer.{name}": tensor
        for name, tensor in state.items()
        if not _MASKS.fullmatch(name)
    }
    if "lm_head" not in shapes:
        state.pop("lm_head.weight", None)  # tied: the embedding, once more
    wanted = {name_on_disk(name): name for name in shapes}
    _refuse("lack", wanted.keys() - state.keys())
    _refuse("hold, beyond what this shape needs,", state.keys() - wanted.keys())
    found = {}
    for on_disk, name in wanted.items():
        here, shape = tuple(state[on_disk].shape), tuple(shapes[name])
        merged = (shape[0] * shape[1], shape[2]) if len(shape) == 3 else shape
        if here != merged:
            raise CourseError(
                f"The weights do not fit the config: {on_disk} has shape {here}, the config means {merged}."
            )
        found[name] = state[on_disk].detach().to(torch.float32, copy=True).reshape(shape)
    return found


def _refuse(what: str, names: set[str]) -> None:
    if names:
        first = ", ".join(sorted(names)[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        raise CourseError(f"The weights do not fit the config: they {what} {first}.")


def shape_of(config: Mapping) -> dict:
    """The fields of a `TransformerConfig` that a ``config.json`` means.

    Raises CourseError for another architecture, and for options of GPT-2's config under which the
    network computes something else than `Transformer` does.
    """
    if "transformer" in config:
        return dict(config["transformer"])
    kind = config.get("model_type")
    if kind != "gpt2":
        raise CourseError(
            f"This is a model of the kind {kind!r}; the course reads GPT-2 and networks of its shape."
        )
    for option, only in _ONLY.items():
        if config.get(option, only) != only:
            raise CourseError(f"This GPT-2 has {option}={config[option]!r}; the course reads only {only!r}.")
    act = config.get("activation_function", "gelu_new")
    if act not in _ACTS:
        raise CourseError(f"This GPT-2 has the activation {act!r}; the course reads {', '.join(_ACTS)}.")
    d_model, n_heads = config.get("n_embd", 768), config.get("n_head", 12)
    if d_model % n_heads:
        raise CourseError(f"n_embd={d_model} cannot be divided among n_head={n_heads} heads.")
    return {
        "n_layers": config.get("n_layer", 12),
        "d_model": d_model,
        "n_heads": n_heads,
        "d_head": d_model // n_heads,
        "d_mlp": config.get("n_inner") or 4 * d_model,
        "d_vocab": config.get("vocab_size", 50257),
        "n_ctx": config.get("n_positions", 1024),
        "act": _ACTS[act],
        "norm_eps": config.get("layer_norm_epsilon", 1e-5),
        "tied": config.get("tie_word_embeddings", True),
    }


_ONLY = {"scale_attn_weights": True, "scale_attn_by_inverse_layer_idx": False, "add_cross_attention": False}
_ACTS = {"gelu_new": "gelu_new", "gelu_pytorch_tanh": "gelu_new", "relu": "relu"}
"""GPT-2's names of activations; the first two are two programs for one formula."""


def config_json(shape: Mapping, end_id: int | None = None) -> dict:
    """What ``config.json`` says of a network of this shape; ``end_id``: the token of begin and end."""
    if not _is_gpt2(shape):
        return {"architectures": ["Transformer"], "transformer": dict(shape)}
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "n_layer": shape["n_layers"],
        "n_embd": shape["d_model"],
        "n_head": shape["n_heads"],
        "n_inner": shape["d_mlp"],
        "vocab_size": shape["d_vocab"],
        "n_positions": shape["n_ctx"],
        "activation_function": shape["act"],
        "layer_norm_epsilon": shape["norm_eps"],
        "tie_word_embeddings": shape["tied"],
        "bos_token_id": end_id,
        "eos_token_id": end_id,
        "dtype": "float32",
    }


def _is_gpt2(shape: Mapping) -> bool:
    whole = shape["norm"] == "layer_norm" and shape["bias"] and shape["d_mlp"] > 0
    return whole and shape["d_model"] == shape["n_heads"] * shape["d_head"]


def save(folder: str | Path, config: Mapping, weights: Mapping[str, Tensor], dtype: torch.dtype) -> None:
    """Write ``config.json`` and ``model.safetensors``, each whole or not at all."""
    from safetensors.torch import save as to_bytes

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rounded = {name: tensor.detach().cpu().to(dtype).contiguous() for name, tensor in weights.items()}
    write_whole(folder / "model.safetensors", to_bytes(rounded, metadata={"format": "pt"}))
    write_whole(folder / "config.json", (json.dumps(config, indent=1) + "\n").encode("utf-8"))
