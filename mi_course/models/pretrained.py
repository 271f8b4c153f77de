"""`load`: the one door to every model, shipped or public.

A shipped model is a folder of `mi_course/weights`: `config.json`, `model.safetensors`, a tokenizer if it
reads text, and `card.json` with the recipe, the figures it was accepted on and each file's sha256. A sparse
autoencoder has `cfg.json` and `sae_weights.safetensors` instead (`saelens_format`). A public model is what
the learner fetched. Both are hashed before they are read (a public one if its hash is known), and nothing is
downloaded by itself. A folder of one's own is read as it is.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from mi_course.errors import CourseError, DamagedWeights, ModelNotHere, UnknownName
from mi_course.models import model_folder, public_models, saelens_format
from mi_course.models.public_models import PUBLIC, PublicFile, PublicModel
from mi_course.runtime import choose_device

__all__ = [
    "PUBLIC",
    "WEIGHTS",
    "PublicFile",
    "PublicModel",
    "card",
    "history",
    "load",
    "load_if_here",
    "path_of",
    "shipped",
    "verify",
]

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
UNTRAINED = "-untrained"


def load(name: str | Path, device: str | None = None):
    """The model called ``name``, ready to use: weights checked, in evaluation mode, float32.

    ``name``: a shipped model ("tiny-world"), a public one that is on this machine ("gpt2"), or
    either with "-untrained" behind it: the same network with the random weights that training
    starts from, the control of most experiments. Or the path of a folder that holds a GPT-2 in the
    format of ``transformers`` ("./my-gpt2") or an autoencoder in SAELens', which is read unchecked.
    ``device``: see `runtime.choose_device`.

    Language models carry their tokenizer in ``.tokenizer`` (None if there is none), vision models their
    class names in ``.classes``, in the order of the logits (a public checkpoint that holds no names
    has none).

    Raises ModelNotHere for a public model that was not fetched (the text says how), DamagedWeights
    if a file is not the published one, CourseError for a folder with something else in it,
    UnknownName otherwise.
    """
    device = choose_device(device)
    name = str(name)
    base, untrained = name.removesuffix(UNTRAINED), name.endswith(UNTRAINED)
    if base in shipped():
        model = _shipped(base, untrained)
    elif base in PUBLIC:
        model = _public(PUBLIC[base], untrained)
    elif Path(name).expanduser().is_dir():
        model = model_folder.read(Path(name).expanduser())
    else:
        known = [*shipped(), *PUBLIC]
        raise UnknownName("model", name, known + [k + UNTRAINED for k in known])
    return model.to(device).eval()


def load_if_here(name: str | Path, device: str | None = None):
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
        folder = WEIGHTS / name
        return folder / (saelens_format.WEIGHTS if saelens_format.is_sae(folder) else "model.safetensors")
    if name not in PUBLIC:
        raise UnknownName("model", name, [*shipped(), *PUBLIC])
    return public_models.find(PUBLIC[name])


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
    facts, folder = card(name), WEIGHTS / name
    needed = facts["files"].keys() - {"history.safetensors"} - ({path_of(name).name} if untrained else set())
    for file in sorted(needed):
        verify(folder / file, facts["files"][file]["sha256"])
    if untrained:
        twin = {key: value for key, value in facts["untrained_twin"].items() if key != "name"}
        return model_folder.untrained(folder, **twin)
    return model_folder.read(folder)


def _public(public: PublicModel, untrained: bool):
    path = path_of(public.name)
    if untrained:
        return _untrained(public, path)
    if path is None:
        raise ModelNotHere(
            f"{public.name!r} is not on this machine: {public.about}. It is {public.megabytes} MB, from "
            f"{public.url} ({public.licence}). Fetch it with:  mi-course models fetch {public.name}"
        )
    verify(path, public.sha256_prefix)
    if public.shape:
        return _autoencoder(public, path)
    return model_folder.read(path.parent) if public.beside else _torchvision(public, path)


def _untrained(public: PublicModel, path: Path | None):
    """The public network's shape with random weights; for a language model with its tokenizer, if that is here."""
    if not public.beside:
        from mi_course.models.alexnet import TORCHVISION_ALEXNET, AlexNet, initialize

        return initialize(AlexNet(TORCHVISION_ALEXNET), seed=0)
    if public.shape:
        from mi_course.models.sparse_autoencoder import SparseAutoencoder, SparseAutoencoderConfig

        return SparseAutoencoder(SparseAutoencoderConfig(**public.shape), seed=0)
    if path is not None:
        return model_folder.untrained(path.parent, seed=0)
    from mi_course.models.transformer import GPT2_SMALL, Transformer

    return Transformer(GPT2_SMALL, seed=0)


def _autoencoder(public: PublicModel, path: Path):
    """With what its own ``cfg.json`` does not say: that the activations it was trained on were centred."""
    from mi_course.models.sparse_autoencoder import SparseAutoencoderConfig

    sae, shape = model_folder.read(path.parent), SparseAutoencoderConfig(**public.shape)
    for name in ("d_in", "d_sae", "kind", "hook_name"):
        found, expected = getattr(sae.config, name), getattr(shape, name)
        if found != expected:
            raise CourseError(
                f"{path.parent} does not hold {public.about}: its {name} is {found!r}, expected {expected!r}."
            )
    sae.config = shape
    return sae


def _torchvision(public: PublicModel, path: Path):
    from mi_course.models.alexnet import TORCHVISION_ALEXNET, AlexNet

    model = AlexNet(TORCHVISION_ALEXNET)
    try:
        model.load_state_dict(model_folder.read_weights(path))
    except (CourseError, RuntimeError) as error:
        raise CourseError(f"{path} does not hold the weights of {public.about}: {error}") from None
    return model
