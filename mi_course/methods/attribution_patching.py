"""What would patching give, roughly, everywhere at once? Its first-order estimate, from one backward pass.

Patching puts another activation in place of the one that is there. For a small step the metric changes by its
gradient times the step; attribution patching takes the whole step to be small:

    metric(patched)  ≈  metric(base) + gradient · (source − base)

One run forward and one back give all cells of all layers, where `activation_patching` needs a run for each.

What it does not show: how wrong it is. Where the answer bends between the two runs the estimate misleads, mostly in
two places: attention that is saturated (a softmax that looks at one token has almost no gradient, however much it
would change with other queries and keys) and layer norm (the more a large part of the stream is replaced, the
less its scale is what it was). Cancellations hide effects too. `compare` measures it against real patching.

Sources: Nanda 2023, "Attribution Patching: Activation Patching at Industrial Scale"; Syed et al. 2023,
arXiv 2310.10348; where it fails and what helps, Kramár et al. 2024, "AtP*", arXiv 2403.00745.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.metrics import at_position
from mi_course.methods.patching_result import Direction, Metric, PatchingResult, measured
from mi_course.methods.patching_sites import Site, SiteName
from mi_course.methods.suffix_run import Position
from mi_course.models.activation_cache import point_name
from mi_course.models.transformer import Transformer


def attribute(
    model: Transformer,
    clean: Int[Tensor, "batch pos"],
    corrupted: Int[Tensor, "batch pos"],
    metric: Metric,
    *,
    site: SiteName = "resid_pre",
    direction: Direction = "denoising",
    positions: Sequence[int] | None = None,
    position: Position = -1,
    unit: str = "units of the metric",
) -> PatchingResult:
    """Estimate every cell of a site at once. Arguments, labels and scale are those of `activation_patching.patch`.

    ``metric`` must be differentiable (a logit difference or a log-probability; the gradient of "is it the first
    choice?" is 0 everywhere), and the number of an example may depend on that example alone.

    The estimate is taken at the run that is patched: the corrupted one for denoising, the clean one for noising. It
    keeps every activation of that run until it has gone back through it.
    """
    if direction not in ("denoising", "noising"):
        raise UnknownName("direction", direction, ("denoising", "noising"))
    cells = Site.of(model, site, clean, corrupted, positions)
    base, source = (corrupted, clean) if direction == "denoising" else (clean, corrupted)
    names = [point_name(site, layer) for layer in range(model.config.n_layers)]
    with torch.no_grad():
        _, cache = model.run_with_cache(source, names, stop_at_layer=model.config.n_layers)
        source_metric = measured(metric, _logits(model, source, position), len(source))
    base_metric, activations, gradients = _gradients(model, base, metric, names, position)
    steps = torch.stack(
        [
            _by_cell(cells, gradient * (cache[name] - activation))
            for name, activation, gradient in zip(names, activations, gradients)
        ]
    )
    plain = (source_metric, base_metric) if direction == "denoising" else (base_metric, source_metric)
    return PatchingResult(base_metric + steps, *plain, cells.rows, cells.columns, site, direction, unit)


@dataclass(frozen=True)
class Agreement:
    """How well an estimate of patching fits the real thing, over all cells of one map.

    ``correlation``: Pearson's, over the cells' mean effects; 1: the same up to scale and shift, 0: unrelated.
    ``mean_error``, ``largest_error``: absolute differences of the values, on the scale from corrupted (0) to clean
    (1). ``worst``: the cells with the largest errors, each with its estimated and its real value.
    """

    correlation: float
    mean_error: float
    largest_error: float
    worst: tuple[tuple[str, float, float], ...]


def compare(estimated: PatchingResult, real: PatchingResult, *, n_worst: int = 5) -> Agreement:
    """Measure an estimate against real patching of the same cells.

    A high correlation can come from one large cell that both see; look at the errors too, and at ``worst``.
    """
    same = ("rows", "columns", "site", "direction")
    different = [name for name in same if getattr(estimated, name) != getattr(real, name)]
    if different:
        raise CourseError(
            f"The two results differ in {' and '.join(different)}; compare the same cells, patched the same way."
        )
    guess, truth = estimated.values.flatten(), real.values.flatten()
    errors = (guess - truth).abs()
    order = errors.argsort(descending=True, stable=True)[:n_worst].tolist()
    worst = tuple(
        (real.label(*divmod(cell, len(real.columns))), float(guess[cell]), float(truth[cell]))
        for cell in order
    )
    correlation = float(torch.corrcoef(torch.stack([guess, truth]))[0, 1])
    return Agreement(correlation, float(errors.mean()), float(errors.max()), worst)


def _gradients(
    model: Transformer, tokens: Tensor, metric: Metric, names: list[str], position: Position
) -> tuple[Float[Tensor, " batch"], list[Tensor], list[Tensor]]:
    """The metric of each example, the activations, and the derivative of each example's metric by its own."""
    activations, nudges = {}, {}

    def nudge(activation: Tensor, name: str) -> Tensor:
        # The derivative by a nudge of zero, so that weights that need no gradient need none here.
        activations[name] = activation.detach()
        nudges[name] = torch.zeros_like(activation, requires_grad=True)
        return activation + nudges[name]

    with torch.enable_grad(), model.hooks([(name, nudge) for name in names]):
        found = measured(metric, _logits(model, tokens, position), len(tokens))
        if not found.requires_grad:
            raise CourseError(
                "The metric has no gradient: it is made of whole numbers or comparisons. Take a logit difference or a "
                "log-probability, or patch for real."
            )
        gradients = torch.autograd.grad(found.sum(), [nudges[name] for name in names], allow_unused=True)
    given = [torch.zeros_like(nudges[name]) if g is None else g for name, g in zip(names, gradients)]
    return found.detach(), [activations[name] for name in names], given


def _logits(model: Transformer, tokens: Tensor, position: Position) -> Float[Tensor, "batch read d_vocab"]:
    """The logits where the answer is read."""
    resid = model(tokens, stop_at_layer=model.config.n_layers)
    return model.unembed(resid if position is None else at_position(resid, position)[:, None])


def _by_cell(site: Site, products: Tensor) -> Float[Tensor, "column batch"]:
    """The products of one layer, summed over all that a cell is made of."""
    chosen = torch.tensor(site.positions, device=products.device)
    if site.name == "pattern":
        return products.index_select(2, chosen).sum(dim=(2, 3)).T
    at_chosen = products.index_select(1, chosen)
    return at_chosen.sum(dim=(1, 3)).T if site.of_heads else at_chosen.sum(dim=2).T
