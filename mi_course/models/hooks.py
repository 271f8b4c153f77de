"""Read or change any activation of a model while it runs.

A *hook* is a function that PyTorch calls with a module's output. Seen from here a model is a
dictionary of named points: `hook_points()` maps each name to the module whose output it is.
Everything else (caching, intervening) follows from that, for vision and language models alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from mi_course.errors import UnknownName
from mi_course.models.activation_cache import ActivationCache

Hook = Callable[[torch.Tensor, str], "torch.Tensor | None"]


class HookedModule(nn.Module):
    """A module with named points at which its activations can be read and changed."""

    def hook_points(self) -> dict[str, nn.Module]:
        """Each point's name and the module whose output is the activation, in order of computation."""
        raise NotImplementedError

    def _point(self, name: str) -> nn.Module:
        points = self.hook_points()
        if name not in points:
            raise UnknownName("activation", name, points)
        return points[name]

    @contextmanager
    def hooks(self, hooks: Iterable[tuple[str, Hook]]) -> Iterator[None]:
        """While the context is open, call ``fn(activation, name)`` at each named point.

        A function that returns a tensor replaces the activation by it; one that returns None leaves
        it alone. The hooks are gone when the context closes, also after an exception.
        """
        handles = []
        try:
            for name, fn in hooks:
                handles.append(self._point(name).register_forward_hook(_as_forward_hook(fn, name)))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def run_with_hooks(self, inputs: torch.Tensor, hooks: Iterable[tuple[str, Hook]]) -> torch.Tensor:
        """The model's output on ``inputs`` with the hooks active during this one run."""
        with self.hooks(hooks):
            return self(inputs)

    def run_with_cache(
        self, inputs: torch.Tensor, names: Iterable[str] | None = None
    ) -> tuple[torch.Tensor, ActivationCache]:
        """The model's output, and the activations at the named points (all of them if None).

        Gradients flow through cached activations unless the call stands under ``torch.no_grad()``.
        """
        if isinstance(names, str):
            names = [names]
        names = list(self.hook_points()) if names is None else list(names)
        found: dict[str, torch.Tensor] = {}

        def store(activation: torch.Tensor, name: str) -> None:
            found[name] = activation

        output = self.run_with_hooks(inputs, [(name, store) for name in names])
        return output, ActivationCache(found)


def _as_forward_hook(fn: Hook, name: str):
    def forward_hook(module: nn.Module, inputs: tuple, output: torch.Tensor) -> torch.Tensor | None:
        replacement = fn(output, name)
        if replacement is not None and not isinstance(replacement, torch.Tensor):
            raise TypeError(
                f"The hook at {name!r} returned {type(replacement).__name__}; return a tensor to replace the "
                "activation, or None to leave it alone."
            )
        if replacement is not None and replacement.shape != output.shape:
            raise ValueError(
                f"The hook at {name!r} returned shape {tuple(replacement.shape)}; "
                f"the activation there has shape {tuple(output.shape)}."
            )
        return replacement

    return forward_hook
