"""Read a model from a folder: ``config.json`` says what it is, the weights and the tokenizer lie beside it.

The formats are the ecosystem's own. Language models: what ``transformers`` writes for GPT-2. AlexNets:
torchvision's names, and the shape in a section ``alexnet`` of the config. Sparse autoencoders: SAELens'
``cfg.json`` and weights (`saelens_format`). No code in a folder is ever run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from mi_course.errors import CourseError
from mi_course.models import saelens_format

if TYPE_CHECKING:
    from mi_course.models.hooks import HookedModule
    from mi_course.models.sparse_autoencoder import SparseAutoencoder

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")


def read(folder: str | Path) -> HookedModule | SparseAutoencoder:
    """The model in ``folder``, in float32. Raises CourseError in words for a folder that does not hold one."""
    folder = Path(folder)
    if saelens_format.is_sae(folder):
        return _autoencoder(folder)
    config = read_config(folder)
    path = weights_of(folder)
    if path is None:
        parts = sorted(p.name for p in folder.glob("*.safetensors"))
        beside = f" (weights in several files, such as {parts[0]}, are not read)" if parts else ""
        raise CourseError(f"{folder} holds no weights: neither {' nor '.join(WEIGHT_FILES)}{beside}.")
    state = read_weights(path)
    if "alexnet" in config:
        return _alexnet(config, state)
    from mi_course.models.transformer import Transformer

    try:
        return Transformer.from_gpt2(config, state, _tokenizer(folder))
    except (CourseError, ValueError) as error:
        raise CourseError(f"{folder}: {error}") from None


def untrained(folder: str | Path, seed: int, **options) -> HookedModule | SparseAutoencoder:
    """The network in ``folder`` with the random weights that training starts from; weights are not read.

    ``options``: for `transformer.initialize`.
    """
    folder = Path(folder)
    if saelens_format.is_sae(folder):
        from mi_course.models.sparse_autoencoder import SparseAutoencoder, SparseAutoencoderConfig

        config = saelens_format.read_config(folder)
        shape = SparseAutoencoderConfig(config["d_in"], config["d_sae"], **saelens_format.shape_of(config))
        return SparseAutoencoder(shape, seed=seed)
    config = read_config(folder)
    if "alexnet" in config:
        from mi_course.models.alexnet import initialize

        return initialize(_alexnet(config, None), seed)
    from mi_course.models.gpt2_format import shape_of
    from mi_course.models.transformer import Transformer, TransformerConfig, initialize

    model = Transformer(TransformerConfig.from_dict(shape_of(config)), tokenizer=_tokenizer(folder))
    return initialize(model, seed, **options)


def weights_of(folder: str | Path) -> Path | None:
    """The file of weights in ``folder``; None if there is none."""
    files = (Path(folder) / name for name in WEIGHT_FILES)
    return next((path for path in files if path.is_file()), None)


def has_tokenizer(folder: str | Path) -> bool:
    """Whether ``folder`` holds a tokenizer that `Tokenizer.from_folder` reads."""
    folder = Path(folder)
    return (folder / "tokenizer.json").is_file() or all(
        (folder / name).is_file() for name in ("vocab.json", "merges.txt")
    )


def read_config(folder: Path) -> dict:
    path = folder / "config.json"
    if not path.is_file():
        raise CourseError(f"{folder} is not a model's folder: it has no config.json.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CourseError(f"{path} is not JSON: {error}") from None
    if not isinstance(config, dict):
        raise CourseError(f"{path} does not describe a model.")
    return config


def read_weights(path: Path) -> dict:
    """Tensors by name. Files of the older format are read without running anything that they may hold."""
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise CourseError(f"{path} is not a whole safetensors file: {error}") from None
    import pickle

    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        # What PyTorch says here ends with how to run the code inside: not to be passed on.
        raise CourseError(f"{path} is not a file of weights: it holds more than numbers.") from None
    except (RuntimeError, EOFError) as error:
        raise CourseError(f"{path} cannot be read: {error}") from None
    if not isinstance(state, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise CourseError(f"{path} is not a file of weights: it holds more than named tensors.")
    return state


def _autoencoder(folder: Path) -> SparseAutoencoder:
    from mi_course.models.sparse_autoencoder import SparseAutoencoder

    config, path = saelens_format.read_config(folder), folder / saelens_format.WEIGHTS
    if not path.is_file():
        raise CourseError(f"{folder} holds no weights: it has no {path.name}.")
    try:
        return SparseAutoencoder.from_saelens(config, read_weights(path))
    except (CourseError, ValueError) as error:
        raise CourseError(f"{folder}: {error}") from None


def _alexnet(config: dict, state: dict | None) -> HookedModule:
    from mi_course.models.alexnet import AlexNet, AlexNetConfig

    model = AlexNet(AlexNetConfig.from_dict(config["alexnet"]), tuple(config["classes"]))
    if state is not None:
        model.load_state_dict({key: tensor.float() for key, tensor in state.items()})
    return model


def _tokenizer(folder: Path):
    """The folder's tokenizer, if it has one (a network of numbers needs none)."""
    if not has_tokenizer(folder):
        return None
    from mi_course.models.tokenizer import Tokenizer

    return Tokenizer.from_folder(folder)
