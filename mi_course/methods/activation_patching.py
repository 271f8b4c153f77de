"""Where is the information that decides? Put an activation of one run into another, and see what the answer does.

Two prompts differ in one thing, and so do the two answers. The *clean* run gives the answer of interest, the
*corrupted* run another one. Patching takes the activation at one place (a *site* at a layer and position, or of a
head) from one of the runs and puts it into the other, which then goes on with it:

    denoising    clean into corrupted. The answer comes back: what stands here was *enough*, given all the rest.
    noising      corrupted into clean. The answer is lost: what stands here was *needed*, given all the rest.

The two differ where the answer has two ways. If either is enough (OR), denoising finds both and noising neither; if
both are needed (AND), it is the other way round (Heimersheim and Nanda 2024, arXiv 2404.15255).

What it does not show: anything that is the same in both prompts, since it carries no difference; which way the
information takes from here (`path_patching`); and whether the patched state, half one run and half the other, is one
that the model ever meets. The prompts decide what is found: choose pairs that differ in just what you ask about.

Sources: Vig et al. 2020, arXiv 2004.12265 (causal mediation); Meng et al. 2022, arXiv 2202.05262 (causal tracing); on
prompts and metrics Zhang and Nanda 2024, arXiv 2309.16042. Only what can have changed is computed (`suffix_run`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.errors import UnknownName
from mi_course.methods.patching_result import Direction, Metric, PatchingResult, measured
from mi_course.methods.patching_sites import Site, SiteName
from mi_course.methods.suffix_run import PlainRun, Position
from mi_course.models.transformer import Transformer


@torch.no_grad()
def patch(
    model: Transformer,
    clean: Int[Tensor, "batch pos"],
    corrupted: Int[Tensor, "batch pos"],
    metric: Metric,
    *,
    site: SiteName = "resid_pre",
    direction: Direction = "denoising",
    positions: Sequence[int] | None = None,
    position: Position = -1,
    chunk_size: int = 256,
    unit: str = "units of the metric",
) -> PatchingResult:
    """Patch every cell of a site, each by itself, and measure each time.

    ``clean``, ``corrupted``: pairs of prompts, aligned position by position; `data.prompt_pairs.pair` makes and checks
    them. ``metric(logits)``: the logits "batch 1 d_vocab" where the answer is read to one number an example:
    ``lambda logits: metrics.logit_diff(logits, correct, wrong)``.

    ``site``: "resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out" give layer × position; "z", "q", "k", "v",
    "pattern" give layer × head (`patching_sites`). ``positions``: the columns of a layer × position map; of a head
    the positions at which it is patched (for "q", "z" and "pattern" those that look, for "k" and "v" those that are
    looked at). All by default.

    ``position``: where the answer is read, the last one by default; one for all rows or one a row. None: the metric
    gets the logits of all positions. ``chunk_size``: the most rows (cells × prompts) that run at once; it bounds the
    memory beyond that of two plain runs.

    Example: in ``patch(model, pairs.clean, pairs.corrupted, metric).values``, layer × position, 1 says that the clean
    residual stream at this place alone brings the clean answer back.
    """
    cells = _Cells.of(model, clean, corrupted, site, direction, positions, position, chunk_size)
    plain = [measured(metric, run.logits(), len(clean)) for run in (cells.clean, cells.corrupted)]
    by_example = plain[0].new_empty(len(cells.site.rows), len(cells.site.columns), len(clean))
    for row, column, logits in cells.patched(direction, chunk_size):
        by_example[row, column] = measured(metric, logits, len(clean))
    return PatchingResult(by_example, *plain, cells.site.rows, cells.site.columns, site, direction, unit)


@torch.no_grad()
def patched_logits(
    model: Transformer,
    clean: Int[Tensor, "batch pos"],
    corrupted: Int[Tensor, "batch pos"],
    *,
    site: SiteName = "resid_pre",
    direction: Direction = "denoising",
    positions: Sequence[int] | None = None,
    position: Position = -1,
    chunk_size: int = 256,
) -> Float[Tensor, "row column batch read d_vocab"]:
    """The logits themselves, with each cell patched: for looking at single prompts. Arguments as in `patch`.

    They take rows × columns × batch × d_vocab numbers; for many prompts use `patch`, which keeps the metric only.
    """
    cells = _Cells.of(model, clean, corrupted, site, direction, positions, position, chunk_size)
    shape = len(cells.site.rows), len(cells.site.columns)
    found = {(row, column): logits for row, column, logits in cells.patched(direction, chunk_size)}
    return torch.stack([found[divmod(cell, shape[1])] for cell in range(len(found))]).unflatten(0, shape)


@dataclass(frozen=True)
class _Cells:
    """The cells of a site, and the two plain runs."""

    site: Site
    clean: PlainRun
    corrupted: PlainRun

    @classmethod
    def of(cls, model, clean, corrupted, site, direction, positions, position, chunk_size) -> _Cells:
        if direction not in ("denoising", "noising"):
            raise UnknownName("direction", direction, ("denoising", "noising"))
        found = Site.of(model, site, clean, corrupted, positions)
        points, options = found.points(model), {"position": position, "chunk_size": chunk_size}
        return cls(found, *(PlainRun.of(model, tokens, points, **options) for tokens in (clean, corrupted)))

    def patched(self, direction: Direction, chunk_size: int) -> Iterator[tuple[int, int, Tensor]]:
        """Row, column and logits of each cell, in the order in which they are done."""
        runs = (self.corrupted, self.clean) if direction == "denoising" else (self.clean, self.corrupted)
        base, source = runs
        changes = self.site.changes(base, source)
        for number, logits in base.changed_logits(changes, chunk_size=chunk_size):
            yield *divmod(number, len(self.site.columns)), logits
