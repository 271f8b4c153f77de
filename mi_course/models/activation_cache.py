"""What a model thought: its activations by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

from mi_course.errors import UnknownName


class ActivationCache(Mapping):
    """Activations of one run, by the name of the point at which they were read."""

    def __init__(self, activations: Mapping[str, torch.Tensor]):
        self._activations = dict(activations)

    def __getitem__(self, name: str) -> torch.Tensor:
        if name not in self._activations:
            raise UnknownName("cached activation", name, self._activations)
        return self._activations[name]

    def get(self, name: str, default=None):
        return self._activations.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._activations

    def __iter__(self) -> Iterator[str]:
        return iter(self._activations)

    def __len__(self) -> int:
        return len(self._activations)

    def __repr__(self) -> str:
        rows = (f"  {name}: {tuple(tensor.shape)}" for name, tensor in self._activations.items())
        return "ActivationCache(\n" + "\n".join(rows) + "\n)"
