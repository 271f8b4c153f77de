"""What a model thought: its activations by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import torch

from mi_course.errors import CourseError, UnknownName

_PART_OF_POINT = {
    **dict.fromkeys(("q", "k", "v", "attn_scores", "pattern", "z"), "attn"),
    **dict.fromkeys(("pre", "post"), "mlp"),
}
_BLOCK = re.compile(r"blocks\.(\d+)\.")

Key = str | tuple[str, int] | tuple[str, int, str]


def point_name(point: str, layer: int | None = None, part: str | None = None) -> str:
    """The full name of a language model's activation: ``("pattern", 3)`` is ``blocks.3.attn.hook_pattern``.

    ``point``: "resid_pre", "attn_out", "resid_mid", "mlp_out", "resid_post" of a block; "q", "k", "v",
    "attn_scores", "pattern", "z" of its attention; "pre", "post" of its MLP; "scale", "normalized" of a
    layer norm, which ``part`` names ("ln1" or "ln2"). Without ``layer``: "embed", "pos_embed", and
    "scale", "normalized" of the final layer norm. The names are TransformerLens' (Nanda and Bloom 2022).
    """
    if layer is None:
        return f"ln_final.hook_{point}" if point in ("scale", "normalized") else f"hook_{point}"
    part = part or _PART_OF_POINT.get(point)
    return f"blocks.{layer}.{part}.hook_{point}" if part else f"blocks.{layer}.hook_{point}"


class ActivationCache(Mapping):
    """Activations of one run, by the name of the point at which they were read.

    ``cache["blocks.3.attn.hook_pattern"]`` or, shorter, ``cache["pattern", 3]``; see `point_name`. A
    negative layer counts from the last one. ``n_layers``: of the model; if it is not given, the highest
    layer with an activation in the cache counts as the last.
    """

    def __init__(self, activations: Mapping[str, torch.Tensor], n_layers: int | None = None):
        self._activations = dict(activations)
        self._n_layers = n_layers

    def __getitem__(self, key: Key) -> torch.Tensor:
        name = self._name(key)
        if name not in self._activations:
            raise UnknownName("cached activation", name, self._activations)
        return self._activations[name]

    def get(self, key: Key, default=None):
        return self._activations.get(self._name(key), default)

    def __contains__(self, key: object) -> bool:
        return self._name(key) in self._activations

    def __iter__(self) -> Iterator[str]:
        return iter(self._activations)

    def __len__(self) -> int:
        return len(self._activations)

    def __repr__(self) -> str:
        rows = (f"  {name}: {tuple(tensor.shape)}" for name, tensor in self._activations.items())
        return "ActivationCache(\n" + "\n".join(rows) + "\n)"

    @property
    def n_layers(self) -> int:
        """How many layers the model has, as far as the cache knows."""
        if self._n_layers is not None:
            return self._n_layers
        found = (_BLOCK.match(name) for name in self._activations)
        return 1 + max((int(match[1]) for match in found if match), default=-1)

    def stack(self, point: str, part: str | None = None) -> torch.Tensor:
        """One point of every layer, stacked on a leading axis "layer": ``cache.stack("pattern")``.

        Raises UnknownName if one of the layers was not cached.
        """
        if not self.n_layers:
            raise CourseError("This cache holds no layers; it has: " + ", ".join(self._activations))
        return torch.stack([self[point_name(point, layer, part)] for layer in range(self.n_layers)])

    def _name(self, key: object) -> str:
        """The full name that ``key`` means; what means nothing is returned as text, for the error."""
        if isinstance(key, str):
            return key if key in self._activations else _short_name(key)
        if isinstance(key, tuple) and 2 <= len(key) <= 3 and isinstance(key[0], str):
            point, layer, *part = key
            if isinstance(layer, int):
                layer = layer + self.n_layers if layer < 0 else layer
                return point_name(point, layer, *part)
        return str(key)


def _short_name(key: str) -> str:
    return point_name(key) if key in ("embed", "pos_embed", "scale", "normalized") else key
