"""How saelens_reference.safetensors was made: run by hand, in an environment of its own.

    python -m venv peers && peers/bin/pip install torch==2.13.0
    peers/bin/pip install sae-lens==6.54.12 transformer-lens==3.9.0 safetensors
    peers/bin/python tests/models/make_saelens_reference.py

It holds small sparse autoencoders with random weights of every kind and layout that the course reads, and what
SAELens, having loaded them from disk, computes for them: tensors ``LAYOUT/weights/…``, ``LAYOUT/x``,
``LAYOUT/features``, ``LAYOUT/reconstruction``; the metadata hold each layout's ``cfg.json``.
"""

import json
import tempfile
from pathlib import Path

import torch
from sae_lens import SAE
from safetensors.torch import save_file

TARGET = Path(__file__).with_name("saelens_reference.safetensors")
D_IN, D_SAE, K = 6, 20, 4

NEW = {
    "d_in": D_IN,
    "d_sae": D_SAE,
    "dtype": "float32",
    "device": "cpu",
    "apply_b_dec_to_input": True,
    "normalize_activations": "none",
    "reshape_activations": "none",
    "metadata": {"sae_lens_version": "6.54.12", "hook_name": "blocks.1.hook_resid_pre", "model_name": "tiny"},
}
OLD = {
    "d_in": D_IN,
    "d_sae": D_SAE,
    "dtype": "torch.float32",
    "device": "cpu",
    "model_name": "gpt2-small",
    "hook_point": "blocks.8.hook_resid_pre",
    "hook_point_layer": 8,
    "context_size": 128,
    "prepend_bos": True,
}
LAYOUTS = {
    "standard": {**NEW, "architecture": "standard"},
    "standard, b_dec not subtracted": {**NEW, "architecture": "standard", "apply_b_dec_to_input": False},
    "standard, layer norm": {**NEW, "architecture": "standard", "normalize_activations": "layer_norm"},
    "standard, constant norm": {
        **NEW,
        "architecture": "standard",
        "normalize_activations": "constant_norm_rescale",
    },
    "topk": {**NEW, "architecture": "topk", "k": K, "rescale_acts_by_decoder_norm": False},
    "topk, by decoder norm": {**NEW, "architecture": "topk", "k": K, "rescale_acts_by_decoder_norm": True},
    "jumprelu": {**NEW, "architecture": "jumprelu"},
    "old standard": OLD,
    "old topk": {
        **OLD,
        "hook_name": "blocks.8.hook_resid_pre",
        "activation_fn_str": "topk",
        "activation_fn_kwargs": {"k": K},
        "normalize_activations": False,
    },
    "old jumprelu": {**OLD, "architecture": "jumprelu", "activation_fn_str": "relu"},
}


def weights(layout: dict) -> dict[str, torch.Tensor]:
    made = {
        "W_enc": torch.randn(D_IN, D_SAE),
        "b_enc": 0.3 * torch.randn(D_SAE),
        "W_dec": torch.randn(D_SAE, D_IN),
        "b_dec": torch.randn(D_IN),
    }
    if layout.get("architecture") == "jumprelu":
        made["threshold"] = torch.rand(D_SAE)
    return made


def main() -> None:
    torch.manual_seed(0)
    tensors = {}
    for name, layout in LAYOUTS.items():
        made, x = weights(layout), 2 * torch.randn(3, 5, D_IN) + 0.5
        with tempfile.TemporaryDirectory() as folder:
            save_file(made, Path(folder) / "sae_weights.safetensors")
            (Path(folder) / "cfg.json").write_text(json.dumps(layout))
            sae = SAE.load_from_disk(folder)
        with torch.no_grad():
            features = sae.encode(x)
            found = {"x": x, "features": features, "reconstruction": sae.decode(features)}
        tensors |= {f"{name}/weights/{key}": tensor for key, tensor in made.items()}
        tensors |= {f"{name}/{key}": tensor.contiguous() for key, tensor in found.items()}
    save_file(tensors, TARGET, metadata={name: json.dumps(layout) for name, layout in LAYOUTS.items()})
    print(TARGET, TARGET.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
