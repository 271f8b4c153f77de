"""How transformer_lens_reference.safetensors was made: run by hand, in an environment of its own.

    python -m venv peers && peers/bin/pip install torch==2.13.0
    peers/bin/pip install transformer-lens==3.9.0 safetensors
    peers/bin/python tests/models/make_transformer_lens_reference.py

It holds three small networks with random weights, and every activation that TransformerLens caches for
them with folding off (but for ``unembed.*``, which are the unembedding's input and output). Tensors are
called ``NETWORK/weights/…`` (GPT-2's names), ``NETWORK/tokens``, ``NETWORK/logits``, ``NETWORK/cache/…``; the
file's metadata holds each network's ``config.json``.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformer_lens import HookedTransformer, HookedTransformerConfig

TARGET = Path(__file__).with_name("transformer_lens_reference.safetensors")
SHAPE = {"n_layers": 2, "d_model": 12, "n_heads": 3, "d_head": 4, "d_vocab": 20, "n_ctx": 9}
NETWORKS = {
    "gpt2": {**SHAPE, "d_mlp": 24, "act": "gelu_new", "norm": "layer_norm", "bias": True},
    "attention-only": {**SHAPE, "d_mlp": 0, "norm": None, "bias": False},
    "relu": {**SHAPE, "d_mlp": 24, "act": "relu", "norm": None, "bias": False},
}


def transformer_lens(shape: dict) -> HookedTransformer:
    """A network of this shape with random weights; biases too, if it has any."""
    config = HookedTransformerConfig(
        **{name: shape[name] for name in SHAPE},
        d_mlp=shape["d_mlp"] or None,
        attn_only=not shape["d_mlp"],
        act_fn=shape.get("act", "relu"),
        normalization_type="LN" if shape["norm"] else None,
        eps=1e-5,
        device="cpu",
    )
    model = HookedTransformer(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            leaf = name.rpartition(".")[2]
            if leaf == "b_U" or (leaf.startswith("b") and not shape["bias"]):
                parameter.zero_()
            else:
                parameter.normal_(1.0 if leaf == "w" else 0.0, 0.4)
    return model


def gpt2_weights(model: HookedTransformer, shape: dict) -> dict[str, torch.Tensor]:
    """The same weights under GPT-2's names: heads side by side in one matrix."""
    state = model.state_dict()
    found = {
        "transformer.wte.weight": state["embed.W_E"],
        "transformer.wpe.weight": state["pos_embed.W_pos"],
        "lm_head.weight": state["unembed.W_U"].T,
    }
    if shape["norm"]:
        found["transformer.ln_f.weight"] = state["ln_final.w"]
        found["transformer.ln_f.bias"] = state["ln_final.b"]
    for layer in range(shape["n_layers"]):
        ours, theirs = f"transformer.h.{layer}.", f"blocks.{layer}."
        qkv = [state[f"{theirs}attn.W_{n}"].permute(1, 0, 2).flatten(1) for n in "QKV"]
        found[ours + "attn.c_attn.weight"] = torch.cat(qkv, dim=1)
        found[ours + "attn.c_proj.weight"] = state[theirs + "attn.W_O"].flatten(0, 1)
        if shape["bias"]:
            biases = [state[f"{theirs}attn.b_{n}"].flatten() for n in "QKV"]
            found[ours + "attn.c_attn.bias"] = torch.cat(biases)
            found[ours + "attn.c_proj.bias"] = state[theirs + "attn.b_O"]
        if shape["d_mlp"]:
            found[ours + "mlp.c_fc.weight"] = state[theirs + "mlp.W_in"]
            found[ours + "mlp.c_proj.weight"] = state[theirs + "mlp.W_out"]
            if shape["bias"]:
                found[ours + "mlp.c_fc.bias"] = state[theirs + "mlp.b_in"]
                found[ours + "mlp.c_proj.bias"] = state[theirs + "mlp.b_out"]
        if shape["norm"]:
            for ln in ("1", "2"):
                found[f"{ours}ln_{ln}.weight"] = state[f"{theirs}ln{ln}.w"]
                found[f"{ours}ln_{ln}.bias"] = state[f"{theirs}ln{ln}.b"]
    return found


def main() -> None:
    torch.manual_seed(0)
    tensors, configs = {}, {}
    for name, shape in NETWORKS.items():
        model = transformer_lens(shape)
        tokens = torch.randint(shape["d_vocab"], (2, 5))
        with torch.no_grad():
            logits, cache = model.run_with_cache(tokens)
        parts = {f"weights/{key}": tensor for key, tensor in gpt2_weights(model, shape).items()}
        parts |= {f"cache/{key}": cache[key] for key in cache.keys() if not key.startswith("unembed.")}  # noqa: SIM118
        parts |= {"tokens": tokens, "logits": logits}
        tensors |= {f"{name}/{key}": tensor.contiguous().clone() for key, tensor in parts.items()}
        configs[name] = json.dumps({"transformer": shape})
    save_file(tensors, TARGET, metadata=configs)
    print(TARGET, TARGET.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
