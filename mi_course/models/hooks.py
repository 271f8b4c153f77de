"""Read or change any activation of a model while it runs.

A *hook* is a function that PyTorch calls with a module's output. Seen from here a model is a
dictionary of named points: `hook_points()` maps each name to the module whose output it is. Where
a formula has no module of its own, a `HookPoint` stands in it. Everything else (caching, intervening)
follows from that, for vision and language models alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn

from mi_course.errors import CourseError, UnknownName
from mi_course.models.activation_cache import ActivationCache

Hook = Callable[[torch.Tensor, str], "torch.Tensor | None"]
Names = str | Iterable[str] | Callable[[str], bool] | None
"""Which points: one, several, those of which a function says True, or all."""


class HookPoint(nn.Module):
    """Returns its input: a place in a formula that has a name, so that it can be read and changed."""

    def forward(self, activation: torch.Tensor) -> torch.Tensor:
        return activation


class HookedModule(nn.Module):
    """A module with named points at which its activations can be read and changed."""

    def hook_points(self) -> dict[str, nn.Module]:
        """Each point's name and the module whose output is the activation, in order of computation."""
        raise NotImplementedError

    @contextmanager
    def hooks(self, hooks: Iterable[tuple[str, Hook]]) -> Iterator[None]:
        """While the context is open, call ``fn(activation, name)`` at each named point.

        A function that returns a tensor replaces the activation by it; one that returns None leaves
        it alone. The hooks are gone when the context closes, also after an exception.
        """
        points, handles = self.hook_points(), []
        try:
            for name, fn in hooks:
                if name not in points:
                    raise UnknownName("activation", name, points)
                handles.append(points[name].register_forward_hook(partial(_call, fn, name)))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def run_with_hooks(self, inputs: torch.Tensor, hooks: Iterable[tuple[str, Hook]]) -> torch.Tensor:
        """The model's output on ``inputs`` with the hooks active during this one run."""
        with self.hooks(hooks):
            return self(inputs)

    @contextmanager
    def caching(self, names: Names = None) -> Iterator[dict[str, torch.Tensor]]:
        """While the context is open, every run leaves its activations in the dictionary that it gives.

        ``names``: a name, several, a function that says of each name whether it is wanted, or None for
        all. Raises CourseError at the end if a point that was asked for by name was never reached.
        """
        wanted = self._wanted(names)
        found: dict[str, torch.Tensor] = {}

        def store(activation: torch.Tensor, name: str) -> None:
            found[name] = activation

        with self.hooks([(name, store) for name in wanted]):
            yield found
        missed = [name for name in wanted if name not in found]
        if missed and names is not None and not callable(names):
            raise CourseError(
                f"The run did not reach {', '.join(missed[:5])}: it began behind it or stopped before."
            )

    def run_with_cache(
        self, inputs: torch.Tensor, names: Names = None
    ) -> tuple[torch.Tensor, ActivationCache]:
        """The model's output, and the activations at the named points (all of them if None).

        ``names``: a name, several, or a function that says of each name whether it is wanted.
        Gradients flow through cached activations unless the call stands under ``torch.no_grad()``.
        """
        with self.caching(names) as found:
            output = self(inputs)
        return output, ActivationCache(found)

    def _wanted(self, names: Names) -> list[str]:
        if names is None:
            return list(self.hook_points())
        if isinstance(names, str):
            return [names]
        if callable(names):
            return [name for name in self.hook_points() if names(name)]
        return list(names)


def _call(fn: Hook, name: str, module: nn.Module, inputs: tuple, output: torch.Tensor) -> torch.Tensor | None:
    """What PyTorch calls once ``fn`` and ``name`` are filled in.

    Not a function inside a function, which the tests' shape checks would compile anew for each of the many hooks.
    """
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
