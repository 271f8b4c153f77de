"""`load`: the one door to every model, shipped or public.

A shipped model is a folder of `mi_course/weights`: `config.json`, `model.safetensors`, and `card.json`
with the recipe, the figures it was accepted on and each file's sha256. A public model is a file that
the learner fetched. Both are hashed before they are read, and nothing is downloaded by itself.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from mi_course.errors import CourseError, DamagedWeights, ModelNotHere, UnknownName
from mi_course.folders import models_folder
from mi_course.runtime import choose_device

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
UNTRAINED = "-untrained"


@dataclass(frozen=True)
class PublicModel:
    """A model that others published and that is too large to ship. ``sha256_prefix``: of the file."""

    name: str
    file: str
    url: str
    megabytes: int
    sha256_prefix: str
    licence: str
    about: str


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
}


def load(name: str, device: str | None = None):
    """The model called ``name``, ready to use: weights checked, in evaluation mode, float32.

    ``name``: a shipped model ("alexnet-mini"), a public one that is on this machine ("alexnet"), or
    either with "-untrained" behind it: the same network with the random weights that training
    starts from, the control of most experiments. ``device``: see `runtime.choose_device`.

    Vision models carry their class names in ``.classes``, in the order of the logits; a public
    checkpoint that holds no names has none.

    Raises ModelNotHere for a public model that was not fetched (the text says how), DamagedWeights
    if the file is not the published one, UnknownName otherwise.
    """
    device = choose_device(device)
    base, untrained = name.removesuffix(UNTRAINED), name.endswith(UNTRAINED)
    if base in shipped():
        model = _shipped(base, untrained)
    elif base in PUBLIC:
        model = _public(PUBLIC[base], untrained)
    else:
        known = [*shipped(), *PUBLIC]
        raise UnknownName("model", name, known + [k + UNTRAINED for k in known])
    return model.to(device).eval()


def load_if_here(name: str, device: str | None = None):
    """The model, or None and a printed line on how to get it: for what a notebook can do without."""
    try:
        return load(name, device)
    except ModelNotHere as missing:
        print(missing)
        return None


def shipped() -> tuple[str, ...]:
    """The names of the models that come with the package."""
    return tuple(sorted(path.parent.name for path in WEIGHTS.glob("*/card.json")))


def card(name: str) -> dict:
    """What is known about a shipped model: recipe, seed, data, hashes, the figures it was accepted on."""
    if name not in shipped():
        raise UnknownName("shipped model", name, shipped())
    return json.loads((WEIGHTS / name / "card.json").read_text(encoding="utf-8"))


def history(name: str) -> dict:
    """Tensors recorded while a shipped model trained, stacked on a leading axis of checkpoints."""
    from safetensors.torch import load_file

    path = WEIGHTS / name / "history.safetensors"
    verify(path, card(name)["files"][path.name]["sha256"])
    return load_file(path)


def path_of(name: str) -> Path | None:
    """Where a model's weights are on this machine; None for a public one that was not fetched."""
    if name in shipped():
        return WEIGHTS / name / "model.safetensors"
    if name not in PUBLIC:
        raise UnknownName("model", name, [*shipped(), *PUBLIC])
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    torch_hub = Path(os.environ.get("TORCH_HOME") or Path(cache) / "torch") / "hub" / "checkpoints"
    places = (folder / PUBLIC[name].file for folder in (models_folder(), torch_hub))
    return next((path for path in places if path.is_file()), None)


def verify(path: Path, sha256: str) -> None:
    """Raise DamagedWeights unless the file's sha256 begins with ``sha256`` (all of it, or a prefix)."""
    if not path.is_file():
        raise DamagedWeights(f"{path} is missing. Install the course again: its weights ship with it.")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(sha256):
        raise DamagedWeights(
            f"{path} is not the file that was published: its sha256 begins {found[:12]}…, expected "
            f"{sha256[:12]}…. Delete it and fetch or install it again."
        )


def _shipped(name: str, untrained: bool):
    from safetensors.torch import load_file

    from mi_course.models.alexnet import AlexNet, AlexNetConfig, initialize

    facts = card(name)
    folder = WEIGHTS / name
    verify(folder / "config.json", facts["files"]["config.json"]["sha256"])
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = AlexNet(AlexNetConfig.from_dict(config["alexnet"]), tuple(config["classes"]))
    if untrained:
        return initialize(model, facts["untrained_twin"]["seed"])
    verify(folder / "model.safetensors", facts["files"]["model.safetensors"]["sha256"])
    weights = load_file(folder / "model.safetensors")
    model.load_state_dict({key: tensor.float() for key, tensor in weights.items()})
    return model


def _public(public: PublicModel, untrained: bool):
    import pickle

    import torch

    from mi_course.models.alexnet import TORCHVISION_ALEXNET, AlexNet, initialize

    if untrained:
        return initialize(AlexNet(TORCHVISION_ALEXNET), seed=0)
    path = path_of(public.name)
    if path is None:
        raise ModelNotHere(
            f"{public.name!r} is not on this machine: {public.about}. It is {public.megabytes} MB, from "
            f"{public.url} ({public.licence}). Fetch it with:  mi-course models fetch {public.name}"
        )
    verify(path, public.sha256_prefix)
    model = AlexNet(TORCHVISION_ALEXNET)
    try:
        model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except (RuntimeError, TypeError, pickle.UnpicklingError) as error:
        # What PyTorch says of a file with code inside ends with how to run that code: not to be passed on.
        why = "it holds more than numbers" if isinstance(error, pickle.UnpicklingError) else error
        raise CourseError(f"{path} does not hold the weights of {public.about}: {why}") from None
    return model
