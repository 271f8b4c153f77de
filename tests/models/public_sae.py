"""A folder in the format of the public autoencoder for GPT-2 small: its names, random numbers, few features."""

import dataclasses
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from mi_course.models.public_models import PUBLIC, PublicModel

CFG = {
    "model_name": "gpt2-small",
    "hook_point": "blocks.8.hook_resid_pre",
    "hook_point_layer": 8,
    "hook_point_head_index": None,
    "dataset_path": "Skylion007/openwebtext",
    "context_size": 128,
    "d_in": 768,
    "expansion_factor": 32,
    "l1_coefficient": 8e-05,
    "b_dec_init_method": "geometric_median",
    "dtype": "torch.float32",
    "device": "cpu",
}
"""The layout in which it was published, older than SAELens' present one: flat, and without an architecture."""


def weights(d_in: int = 768, d_sae: int = 64, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn(d_sae, d_in, generator=generator)
    directions = directions / directions.norm(dim=1, keepdim=True)
    return {
        "W_enc": directions.T.contiguous(),
        "b_enc": 0.1 * torch.randn(d_sae, generator=generator),
        "W_dec": directions,
        "b_dec": 0.1 * torch.randn(d_in, generator=generator),
    }


def write(folder: Path, d_in: int = 768, d_sae: int = 64) -> PublicModel:
    """Write the folder; returns the entry of `PUBLIC` to which it belongs."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights(d_in, d_sae), folder / "sae_weights.safetensors")
    (folder / "cfg.json").write_text(json.dumps({**CFG, "d_in": d_in}))
    entry = PUBLIC["gpt2-sae"]
    return dataclasses.replace(entry, shape={**entry.shape, "d_in": d_in, "d_sae": d_sae})
