"""A patching result as a map: how far each cell moves the answer."""

from __future__ import annotations

from collections.abc import Sequence

from mi_course.methods.patching_result import PatchingResult
from mi_course.plots.heatmap import heatmap
from mi_course.plots.picture import Picture
from mi_course.plots.token_words import token_labels

NAMED = 4
"""How many cells the alt text names."""


def patching_heatmap(result: PatchingResult, *, title: str, columns: Sequence[str] | None = None) -> Picture:
    """Colour each cell by how far patching it moves the answer: 0 not at all, 1 all the way to the other run.

    For denoising that is how much of the clean answer comes back, for noising how much of it is lost; below 0 the
    answer moves away from the other run. ``columns``: other labels, such as the roles of the positions.
    """
    denoising = result.direction == "denoising"
    moved = (result.values if denoising else 1 - result.values).round(decimals=2) + 0.0
    labels = list(result.columns if columns is None else columns)
    order = moved.abs().flatten().argsort(descending=True, stable=True).tolist()
    strongest = [divmod(cell, len(labels)) for cell in order[:NAMED]]
    heads = result.columns[0].startswith("H")
    named = ", ".join(
        f"{result.rows[row]}{'' if heads else ' at '}{labels[column]} {moved[row, column]:.2f}"
        for row, column in strongest
    )
    rest = max((abs(float(moved.flatten()[cell])) for cell in order[NAMED:]), default=0.0)
    what = "comes back" if denoising else "is lost"
    return heatmap(
        moved,
        rows=result.rows,
        columns=token_labels(labels),
        title=title,
        unit=f"share of the answer that {what}",
        limit=max(1.0, float(moved.abs().max())),
        xlabel="head" if heads else "position",
        ylabel="layer",
        alt=f"{result.site}, {result.direction}: share of the answer that {what}. Strongest: {named}; all others at "
        f"most {rest:.2f} either way.",
    )
