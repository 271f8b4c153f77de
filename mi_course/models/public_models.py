"""Models that others published: where they come from, how to know them, and where they may lie on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mi_course.folders import models_folder
from mi_course.models.model_folder import has_tokenizer


@dataclass(frozen=True)
class PublicFile:
    """A small file beside the weights."""

    name: str
    url: str
    sha256: str


@dataclass(frozen=True)
class PublicModel:
    """A model that others published and that is too large to ship.

    ``file``: its weights, as a path inside the learner's folder of models. ``sha256_prefix``: of that
    file. ``beside``: what lies in the same folder and is needed too. ``hub``: names under which Hugging
    Face's cache may hold it; a model without them may lie in torch's cache. ``hub_folder``: where it lies in
    there. ``shape``: of a sparse autoencoder, which has no tokenizer.
    """

    name: str
    file: str
    url: str
    megabytes: int
    sha256_prefix: str
    licence: str
    about: str
    beside: tuple[PublicFile, ...] = ()
    hub: tuple[str, ...] = ()
    hub_folder: str = ""
    shape: dict | None = None


_GPT2 = "https://huggingface.co/openai-community/gpt2/resolve/607a30d783dfa663caf39e06633721c8d4cfcd7e/"
_GPT2_SAES = "https://huggingface.co/jbloom/GPT2-Small-SAEs-Reformatted/resolve/57d08a4fd333fbf18caf3fbea63ceeb88e2f50d9/"
_GPT2_SAE_POINT = "blocks.8.hook_resid_pre"

PUBLIC = {
    "alexnet": PublicModel(
        name="alexnet",
        file="alexnet-owt-7be5be79.pth",
        url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
        megabytes=233,
        sha256_prefix="7be5be79",
        licence="weights by torchvision (BSD-3-Clause); trained on ImageNet, whose terms are for research",
        about="torchvision's AlexNet, trained on 1.3 million ImageNet photographs of 1000 classes",
    ),
    "gpt2": PublicModel(
        name="gpt2",
        file="gpt2/model.safetensors",
        url=_GPT2 + "model.safetensors",
        megabytes=548,
        sha256_prefix="248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707",
        licence="weights by OpenAI (modified MIT licence)",
        about="GPT-2 small, 124 million parameters, trained on 40 GB of web pages",
        beside=(
            PublicFile(
                "config.json",
                _GPT2 + "config.json",
                "0daed7749b4f02b8f76240d5444551d7b08712dab4d0adb8239c56ba823bb7b4",
            ),
            PublicFile(
                "vocab.json",
                _GPT2 + "vocab.json",
                "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
            ),
            PublicFile(
                "merges.txt",
                _GPT2 + "merges.txt",
                "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
            ),
        ),
        hub=("openai-community/gpt2", "gpt2"),
    ),
    # Of these files no sha256 was at hand: the address names one commit, and names and shapes are checked.
    "gpt2-sae": PublicModel(
        name="gpt2-sae",
        file="gpt2-sae/sae_weights.safetensors",
        url=_GPT2_SAES + _GPT2_SAE_POINT + "/sae_weights.safetensors",
        megabytes=151,
        sha256_prefix="",
        licence="weights by Joseph Bloom (MIT licence)",
        about="a sparse autoencoder with 24,576 features for GPT-2 small's residual stream before layer 8",
        beside=(PublicFile("cfg.json", _GPT2_SAES + _GPT2_SAE_POINT + "/cfg.json", ""),),
        hub=("jbloom/GPT2-Small-SAEs-Reformatted",),
        hub_folder=_GPT2_SAE_POINT,
        shape={
            "d_in": 768,
            "d_sae": 24_576,
            "kind": "l1",
            "hook_name": _GPT2_SAE_POINT,
            "model_name": "gpt2",
            "normalize": "centre",
        },
    ),
}


def find(model: PublicModel) -> Path | None:
    """The model's weights on this machine, with all that belongs to them in the same folder; else None."""
    return next((path for path in _places(model) if path.is_file() and _is_whole(path.parent, model)), None)


def _is_whole(folder: Path, model: PublicModel) -> bool:
    if model.shape:
        return all((folder / file.name).is_file() for file in model.beside)
    return not model.beside or ((folder / "config.json").is_file() and has_tokenizer(folder))


def _places(model: PublicModel) -> Iterator[Path]:
    yield models_folder() / model.file
    if not model.hub:
        torch_home = os.environ.get("TORCH_HOME") or _cache() / "torch"
        yield Path(torch_home) / "hub" / "checkpoints" / model.file
    for name in model.hub:
        for snapshot in _snapshots(name):
            yield snapshot / model.hub_folder / Path(model.file).name


def _snapshots(name: str) -> list[Path]:
    """The versions of a model in Hugging Face's cache, the one that it calls "main" first."""
    home = Path(os.environ.get("HF_HOME") or _cache() / "huggingface")
    hub = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or home / "hub"
    folder = Path(hub).expanduser() / ("models--" + name.replace("/", "--"))
    main = folder / "refs" / "main"
    current = main.read_text(encoding="utf-8").strip() if main.is_file() else ""
    return sorted(folder.glob("snapshots/*"), key=lambda path: (path.name != current, path.name))


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
