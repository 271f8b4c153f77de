"""Sparse autoencoders as SAELens keeps them: ``cfg.json`` and ``sae_weights.safetensors`` in one folder.

Read: what SAELens 6 writes (what an autoencoder reads stands under ``metadata``), and the flat configurations that
it wrote before, in which most public ones lie, those for GPT-2 small among them. Written: SAELens 6.

For the same weights encode and decode are SAELens' own (`tests/models/test_saelens_reference.py`).
Source of the format: SAELens, https://github.com/decoderesearch/SAELens (Bloom, Tigges, Duong and Chanin).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from mi_course.errors import CourseError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

CONFIG = "cfg.json"
WEIGHTS = "sae_weights.safetensors"
VERSION = "6.0.0"  # of the format that is written

_KINDS = {"standard": "l1", "topk": "topk", "jumprelu": "jumprelu"}
_NORMALIZE = {"none": "none", "layer_norm": "layer_norm", "constant_norm_rescale": "constant_norm"}


def is_sae(folder: str | Path) -> bool:
    """Whether ``folder`` holds a sparse autoencoder in this format."""
    return (Path(folder) / CONFIG).is_file()


def read_config(folder: str | Path) -> dict:
    """``cfg.json``, with what older layouts say in other places brought to where the newest says it."""
    path = Path(folder) / CONFIG
    if not path.is_file():
        raise CourseError(f"{folder} is not an autoencoder's folder: it has no {CONFIG}.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CourseError(f"{path} is not JSON: {error}") from None
    if not isinstance(config, dict):
        raise CourseError(f"{path} does not describe an autoencoder.")
    if "metadata" not in config:
        config["metadata"] = {**config, "hook_name": config.get("hook_name") or config.get("hook_point")}
    activation = config.get("activation_fn_str") or config.get("activation_fn") or "relu"
    if activation == "topk":
        config["architecture"] = "topk"
        config.setdefault("k", (config.get("activation_fn_kwargs") or {}).get("k"))
    elif activation != "relu":
        raise CourseError(f"{path}: the activation {activation!r} is not known here; only relu and topk are.")
    return config


def shape_of(config: dict) -> dict:
    """What a `SparseAutoencoderConfig` takes, except the sizes, which the weights tell."""
    architecture = config.get("architecture", "standard")
    if architecture not in _KINDS:
        raise CourseError(f"The architecture {architecture!r} is not known here: {', '.join(_KINDS)}.")
    if config.get("reshape_activations", "none") != "none":
        raise CourseError("It reads the heads' z side by side (reshape_activations); that is not read here.")
    metadata = config["metadata"]
    return {
        "kind": _KINDS[architecture],
        "k": config.get("k") if architecture == "topk" else None,
        "hook_name": metadata.get("hook_name"),
        "model_name": metadata.get("model_name"),
        "subtract_b_dec": bool(config.get("apply_b_dec_to_input", True)),
        "scale_by_norm": bool(config.get("rescale_acts_by_decoder_norm", False)),
        "normalize": _normalization(config),
    }


def _normalization(config: dict) -> str:
    asked = config.get("normalize_activations") or "none"
    # A factor for the expected length is folded into the weights before they are published, or is not in the file.
    asked = "none" if asked is True or asked == "expected_average_only_in" else asked
    if asked not in _NORMALIZE:
        raise CourseError(f"The normalization {asked!r} is not known here: {', '.join(_NORMALIZE)}.")
    model = config["metadata"].get("model_from_pretrained_kwargs") or {}
    centred = asked == "none" and model.get("center_writing_weights")
    return "centre" if centred else _NORMALIZE[asked]


def config_json(shape: dict) -> dict:
    """What stands in ``cfg.json`` for a shape, as `SparseAutoencoderConfig.to_dict` gives it."""
    theirs = {ours: name for name, ours in _KINDS.items()}
    normalize = {ours: name for name, ours in _NORMALIZE.items()}
    metadata = {
        "sae_lens_version": VERSION,
        "model_name": shape["model_name"],
        "hook_name": shape["hook_name"],
        "prepend_bos": True,
    }
    if (
        shape["normalize"] == "centre"
    ):  # their models come centred; their autoencoders do not centre what they read
        metadata["model_from_pretrained_kwargs"] = {"center_writing_weights": True}
    config = {
        "architecture": theirs[shape["kind"]],
        "d_in": shape["d_in"],
        "d_sae": shape["d_sae"],
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": shape["subtract_b_dec"],
        "normalize_activations": normalize.get(shape["normalize"], "none"),
        "reshape_activations": "none",
        "metadata": metadata,
    }
    if shape["kind"] == "topk":
        config |= {"k": shape["k"], "rescale_acts_by_decoder_norm": shape["scale_by_norm"]}
    return config


def from_disk(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights in float32, under the names of the newest layout."""
    state = {name: tensor.float() for name, tensor in state.items()}
    if "log_threshold" in state:
        state["threshold"] = state.pop("log_threshold").exp()
    # An early layout could scale each feature behind the encoder; the decoder can do that as well.
    scaling = state.pop("scaling_factor", None)
    needed = {"W_enc", "b_enc", "W_dec", "b_dec"}
    if not needed <= state.keys() or state["W_enc"].ndim != 2:
        raise CourseError(f"The weights are {sorted(state)}; expected {sorted(needed)}.")
    if scaling is not None:
        state["W_dec"] = state["W_dec"] * scaling[:, None]
    return state


def save(folder: str | Path, config: dict, state: dict[str, Tensor], dtype: torch.dtype) -> None:
    """Write both files into ``folder``, numbers rounded to ``dtype``."""
    from safetensors.torch import save_file

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: tensor.detach().to(dtype).contiguous() for name, tensor in state.items()}, folder / WEIGHTS
    )
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
