"""Networks to take apart, hooks to do it with, and `load`, the one door to all of them."""

import importlib

_NAMES = {
    "AlexNet": "alexnet",
    "AlexNetConfig": "alexnet",
    "Convolution": "alexnet",
    "ALEXNET_2012": "alexnet",
    "ALEXNET_MINI": "alexnet",
    "TORCHVISION_ALEXNET": "alexnet",
    "Transformer": "transformer",
    "TransformerConfig": "transformer",
    "GPT2_SMALL": "transformer",
    "SparseAutoencoder": "sparse_autoencoder",
    "SparseAutoencoderConfig": "sparse_autoencoder",
    "Tokenizer": "tokenizer",
    "HookedModule": "hooks",
    "HookPoint": "hooks",
    "ActivationCache": "activation_cache",
    "load": "pretrained",
    "load_if_here": "pretrained",
}
__all__ = list(_NAMES)


def __getattr__(name: str):
    if name in _NAMES:
        return getattr(importlib.import_module(f"mi_course.models.{_NAMES[name]}"), name)
    try:
        return importlib.import_module(f"mi_course.models.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"mi_course.models.{name}":
            raise
        raise AttributeError(f"mi_course.models has no {name!r}") from None


def __dir__() -> list[str]:
    return sorted(__all__)
