"""Does the answer depend on it? Take a part of the model away and see what becomes of the answer.

"Away" is not one thing, and the three usual answers can disagree:

    zero       it writes nothing. A state that the rest of the model has never met.
    mean       it writes what it writes on average over reference prompts: its constant part stays.
    resample   it writes what it wrote on *another* prompt: a natural output, only with the wrong content.

What no ablation shows: what the part does. An answer that breaks may only need the part's constant output, and
one that survives may have a second way (a backup that steps in). Compare with the ablation of parts that should
not matter.

Sources: heads set to zero as in Olsson et al. 2022, arXiv 2209.11895; means over a reference distribution as in Wang
et al. 2022, arXiv 2211.00593; other prompts' activations as in Chan et al. 2022, "Causal scrubbing".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.errors import UnknownName
from mi_course.methods.head_scores import HeadScores, find_head, head_label
from mi_course.models.hooks import Hook
from mi_course.models.transformer import Transformer

Kind = Literal["zero", "mean", "resample"]
MeanOver = Literal["prompts", "prompts and positions"]
Metric = Callable[[Tensor], Tensor]
Everything = Literal["heads", "MLPs", "attention", "layers"]


@dataclass(frozen=True)
class Ablation:
    """``values[component, example]``: the metric with that component ablated. ``clean``: with nothing ablated.

    ``labels``: the components; a group that was ablated together is joined by " + ". ``unit``: of the metric.
    """

    values: Float[Tensor, "component batch"]
    clean: Float[Tensor, " batch"]
    labels: tuple[str, ...]
    kind: Kind
    unit: str

    @property
    def effect(self) -> Float[Tensor, "component batch"]:
        """``ablated − clean``. Negative: the metric falls without the component. 0: it makes no difference."""
        return self.values - self.clean

    @property
    def mean_effect(self) -> Float[Tensor, " component"]:
        """The effect, averaged over examples, in the order of ``labels``."""
        return self.effect.mean(dim=1)

    def of(self, label: str) -> Float[Tensor, " batch"]:
        """The effect of one component on every example, as `uncertainty.bootstrap_mean` takes it."""
        if label not in self.labels:
            raise UnknownName("ablated component", label, self.labels)
        return self.effect[self.labels.index(label)]

    def heads(self) -> HeadScores:
        """The effects as a layer × head table, if all heads were ablated one by one (``components="heads"``)."""
        found = re.fullmatch(r"L(\d+)H(\d+)", self.labels[-1])
        shape = (int(found[1]) + 1, int(found[2]) + 1) if found else (0, 0)
        if self.labels != tuple(
            head_label(layer, head) for layer in range(shape[0]) for head in range(shape[1])
        ):
            raise ValueError(
                'A table of heads needs every head, one by one: ablate(…, components="heads", …).'
            )
        by_example = self.effect.T.unflatten(1, shape)
        return HeadScores(
            by_example.mean(dim=0), f"effect of {self.kind} ablation", self.unit, None, by_example
        )


@torch.no_grad()
def ablate(
    model: Transformer,
    tokens: Int[Tensor, "batch pos"],
    components: Everything | str | Sequence[str | tuple[str, ...]],
    *,
    metric: Metric,
    kind: Kind = "zero",
    reference: Int[Tensor, "reference reference_pos"] | None = None,
    mean_over: MeanOver = "prompts",
    positions: Sequence[int] | None = None,
    unit: str = "units of the metric",
    seed: int = 0,
) -> Ablation:
    """Ablate components one after the other, and measure each time.

    ``components``: "heads", "MLPs", "attention" or "layers" for all of them, each by itself; or a list of names; a
    tuple inside the list is ablated together. A name is a head ("L5H1"), "L5 MLP", "L5 attn" (all its heads and
    their bias), "L5" (the whole layer: attention and MLP), or any activation ("blocks.5.hook_resid_post").

    ``metric(logits)``: logits "batch pos d_vocab" to one number an example, as in `metrics`:
    ``lambda logits: metrics.logit_diff(logits, correct, wrong)``.

    ``reference``: prompts of the same length. For the mean, those over which it is taken (default: ``tokens``
    themselves). For resampling, row i of ``tokens`` gets what row i of ``reference`` gives; by default each row
    gets another row of ``tokens``, drawn by ``seed``. Resampling from ``tokens`` itself changes nothing.

    ``mean_over="prompts"``: a mean for each position; ``"prompts and positions"``: one for all, and prompts may
    then differ in length from ``tokens``. ``positions``: ablate only there (all by default).
    """
    groups = _groups(model, components)
    if reference is None and kind != "zero":
        reference = tokens if kind == "mean" else _others(tokens, seed)
    replacements = _replacements(model, groups, kind, reference, mean_over)

    starts = [min(_layer_of(name) for part in group for name, _ in _sites(model, part)) for group in groups]
    names = {f"blocks.{layer}.hook_resid_pre" for layer in starts if layer >= 0}
    logits, cache = model.run_with_cache(tokens, sorted(names))
    clean = _measured(metric, logits, tokens)
    values = []
    for group, layer in zip(groups, starts):
        # Nothing changes before the ablated layer: the run is taken up there.
        with model.hooks(_hooks(model, group, replacements, positions)):
            logits = model(tokens) if layer < 0 else model.run_from(cache["resid_pre", layer], layer)
        values.append(_measured(metric, logits, tokens))
    labels = tuple(" + ".join(group) for group in groups)
    return Ablation(torch.stack(values), clean, labels, kind, unit)


@contextmanager
def ablated(
    model: Transformer,
    components: str | Sequence[str],
    *,
    kind: Kind = "zero",
    reference: Int[Tensor, "reference reference_pos"] | None = None,
    mean_over: MeanOver = "prompts",
    positions: Sequence[int] | None = None,
) -> Iterator[None]:
    """While the context is open, the model runs without these components (all of them together).

    ``with ablated(model, ["L1H4", "L2 MLP"]): model.generate(…)``. Arguments as in `ablate`; mean and resample need a
    ``reference``, and resample one with as many rows as are run. The model is whole again when the
    context closes, also after an exception.
    """
    with model.hooks(
        ablation_hooks(
            model, components, kind=kind, reference=reference, mean_over=mean_over, positions=positions
        )
    ):
        yield


@torch.no_grad()
def ablation_hooks(
    model: Transformer,
    components: str | Sequence[str],
    *,
    kind: Kind = "zero",
    reference: Int[Tensor, "reference reference_pos"] | None = None,
    mean_over: MeanOver = "prompts",
    positions: Sequence[int] | None = None,
) -> list[tuple[str, Hook]]:
    """The same as hooks, for ``model.run_with_hooks(tokens, hooks)`` and to combine with others."""
    group = (components,) if isinstance(components, str) else tuple(components)
    if reference is None and kind != "zero":
        raise ValueError(
            f'kind="{kind}" needs reference prompts, tokens "batch pos", to take the activation from.'
        )
    return _hooks(model, group, _replacements(model, [group], kind, reference, mean_over), positions)


def _groups(model: Transformer, components) -> list[tuple[str, ...]]:
    n_layers = range(model.config.n_layers)
    everything = {
        "heads": [head_label(layer, head) for layer in n_layers for head in range(model.config.n_heads)],
        "MLPs": [f"L{layer} MLP" for layer in n_layers],
        "attention": [f"L{layer} attn" for layer in n_layers],
        "layers": [f"L{layer}" for layer in n_layers],
    }
    if isinstance(components, str):
        components = everything.get(components, [components])
    groups = [(part,) if isinstance(part, str) else tuple(part) for part in components]
    if not groups or not all(groups):
        raise ValueError("There is nothing to ablate: components is empty, or a group in it is.")
    return groups


def _sites(model: Transformer, component: str) -> list[tuple[str, int | None]]:
    """The activations that a name means, each with the number of the head in it, or None for all of it."""
    points = model.hook_points()
    if component in points:
        return [(component, None)]
    if re.fullmatch(r"L\d+H\d+", component):
        layer, head = find_head(component, model.config.n_layers, model.config.n_heads)
        return [(f"blocks.{layer}.attn.hook_z", head)]
    found = re.fullmatch(r"L(\d+)( attn| MLP|)", component)
    outputs = {" attn": ["attn"], " MLP": ["mlp"], "": ["attn", "mlp"]}[found[2]] if found else []
    sites = [(f"blocks.{int(found[1])}.hook_{output}_out", None) for output in outputs]
    sites = [site for site in sites if site[0] in points]
    if not sites:
        layers = range(model.config.n_layers)
        known = [
            f"L{layer}{part}" for layer in layers for part in ("", " attn", " MLP" * bool(model.config.d_mlp))
        ]
        raise UnknownName("component", component, {*known, *points})
    return sites


def _replacements(
    model: Transformer,
    groups: list[tuple[str, ...]],
    kind: Kind,
    reference: Tensor | None,
    mean_over: MeanOver,
) -> dict[str, Tensor]:
    """For each activation that is ablated what stands there instead, to be broadcast over its leading axes."""
    names = {name for group in groups for part in group for name, _ in _sites(model, part)}
    if kind == "zero":
        return {name: torch.zeros((), device=model.W_E.device) for name in names}
    _, cache = model.run_with_cache(reference, sorted(names))
    if kind == "resample":
        return {name: cache[name] for name in names}
    square = [name for name in names if name.endswith(("hook_pattern", "hook_attn_scores"))]
    if mean_over == "prompts and positions" and square:
        raise ValueError(f'{square[0]} has two axes of positions; take mean_over="prompts".')
    axes = (0,) if mean_over == "prompts" else (0, 1)
    return {name: cache[name].mean(dim=axes, keepdim=True) for name in names}


def _hooks(
    model: Transformer,
    group: tuple[str, ...],
    replacements: dict[str, Tensor],
    positions: Sequence[int] | None,
) -> list[tuple[str, Hook]]:
    sites = [site for part in group for site in _sites(model, part)]
    return [(name, _replace(replacements[name], head, positions)) for name, head in sites]


def _replace(replacement: Tensor, head: int | None, positions: Sequence[int] | None) -> Hook:
    def hook(activation: Tensor, name: str) -> Tensor:
        if positions is not None and name.endswith(("hook_pattern", "hook_attn_scores")):
            raise ValueError(
                f"{name} has two axes of positions; ablate it at all of them, or hook it yourself."
            )
        try:
            new = replacement.expand_as(activation)
        except RuntimeError:
            raise ValueError(
                f"The reference gives {tuple(replacement.shape)} at {name}, this run has {tuple(activation.shape)}. "
                'Use reference prompts of the same length (and, for kind="resample", as many), or '
                'mean_over="prompts and positions".'
            ) from None
        ablated = activation.clone()
        where = (slice(None), slice(None) if positions is None else list(positions))
        where = where if head is None else (*where, head)
        ablated[where] = new[where]
        return ablated

    return hook


def _layer_of(name: str) -> int:
    """The layer at which a run can be taken up for a change at this activation, or −1 for the beginning."""
    found = re.match(r"blocks\.(\d+)\.", name)
    return int(found[1]) if found else -1


def _others(tokens: Tensor, seed: int) -> Tensor:
    """Every row replaced by another one: a random order in which each takes its neighbour's place."""
    if len(tokens) < 2:
        raise ValueError(
            'kind="resample" takes activations from other rows, but tokens has one. Give a reference.'
        )
    order = torch.randperm(len(tokens), generator=torch.Generator().manual_seed(seed))
    other = torch.empty_like(order)
    other[order] = order.roll(1)
    return tokens[other.to(tokens.device)]


def _measured(metric: Metric, logits: Tensor, tokens: Tensor) -> Float[Tensor, " batch"]:
    measured = metric(logits)
    if not isinstance(measured, Tensor) or measured.shape != (len(tokens),):
        shape = tuple(measured.shape) if isinstance(measured, Tensor) else type(measured).__name__
        raise ValueError(
            f"metric returned {shape}; it must return one number an example, shape ({len(tokens)},)."
        )
    return measured
