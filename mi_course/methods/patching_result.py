"""What patching gives: a metric for every cell and prompt, on one scale from the corrupted run to the clean one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from mi_course.errors import CourseError
from mi_course.methods.head_scores import HeadScores
from mi_course.methods.uncertainty import Interval, bootstrap_ratio

Direction = Literal["denoising", "noising"]
Metric = Callable[[Tensor], Tensor]
"""The logits "batch read d_vocab" where the answer is read, to one number an example."""


@dataclass(frozen=True)
class PatchingResult:
    """``values[row, column]``: the metric with one cell patched, on a scale from corrupted (0) to clean (1).

    ``by_example``: the metric itself, for each cell and prompt. ``clean``, ``corrupted``: the metric of the two plain
    runs. ``rows``: layers. ``columns``: heads, or positions (with the token there, if it is the same in all clean
    prompts). ``unit``: of the metric. A cell that cannot reach the answer has the metric of the run that was patched.
    """

    by_example: Float[Tensor, "row column batch"]
    clean: Float[Tensor, " batch"]
    corrupted: Float[Tensor, " batch"]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    site: str
    direction: Direction
    unit: str

    @property
    def values(self) -> Float[Tensor, "row column"]:
        """Mean metric of each cell: 0 as in the corrupted run, 1 as in the clean one, in both directions.

        Denoising begins at 0, and 1 says that this cell alone brings the clean answer back. Noising begins at 1, and
        0 says that this cell alone destroys it. Below 0 and above 1: further away than the plain runs themselves.
        """
        return (self.by_example.mean(dim=-1) - self.corrupted.mean()) / self._gap

    @property
    def base(self) -> Float[Tensor, " batch"]:
        """The metric of the run that was patched: corrupted for denoising, clean for noising."""
        return self.corrupted if self.direction == "denoising" else self.clean

    @property
    def effect(self) -> Float[Tensor, "row column"]:
        """How far patching moves the mean metric from the run that was patched, in units of the metric.

        For controls in which clean and corrupted should *not* differ: there ``values`` has no scale.
        """
        return (self.by_example - self.base).mean(dim=-1)

    def interval(self, row: int, column: int, *, confidence: float = 0.95, seed: int = 0) -> Interval:
        """``values[row, column]`` with a bootstrap interval: prompts are drawn anew, for cell and scale together."""
        moved, gap = self.by_example[row, column] - self.corrupted, self.clean - self.corrupted
        return bootstrap_ratio(moved.cpu(), gap.cpu(), confidence=confidence, seed=seed)

    def heads(self) -> HeadScores:
        """The values as a layer × head table, if a head site was patched."""
        if not self.columns[0].startswith("H"):
            raise CourseError(
                f"{self.site} was patched by position; a table of heads needs a head site, such as z."
            )
        by_example = ((self.by_example - self.corrupted.mean()) / self._gap).permute(2, 0, 1)
        measure = f"{self.direction} of {self.site}"
        return HeadScores(self.values, measure, "0 corrupted, 1 clean", None, by_example)

    def largest(self, n: int = 5) -> list[tuple[str, float]]:
        """The ``n`` cells that move the metric furthest from the run that was patched, with their values."""
        order = self.effect.abs().flatten().argsort(descending=True, stable=True)[:n]
        cells = [divmod(int(flat), len(self.columns)) for flat in order]
        return [(self.label(*cell), float(self.values[cell])) for cell in cells]

    def label(self, row: int, column: int) -> str:
        """What a cell is called: "L2H3", or "L2 at 10 John"."""
        between = "" if self.columns[column].startswith("H") else " at "
        return f"{self.rows[row]}{between}{self.columns[column]}"

    @property
    def _gap(self) -> Tensor:
        gap = self.clean.mean() - self.corrupted.mean()
        if not gap.isfinite() or gap.abs() < 1e-6 * (1 + self.clean.abs().mean()):
            raise CourseError(
                f"The metric does not tell the runs apart: {self.clean.mean():.4g} on the clean prompts, "
                f"{self.corrupted.mean():.4g} on the corrupted ones. A scale from 0 to 1 needs two ends: look at "
                "`effect`, or choose prompts or a metric with which the answer changes."
            )
        return gap


def measured(metric: Metric, logits: Tensor, n: int) -> Float[Tensor, " batch"]:
    """The metric of ``n`` examples, checked."""
    found = metric(logits)
    if not isinstance(found, Tensor) or found.shape != (n,):
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise CourseError(
            f"metric returned {shape}; it must return one number an example, shape ({n},), from the logits of shape "
            f"{tuple(logits.shape)} that it is given."
        )
    return found
