"""Scrub through a grokking run: curves with a cursor, where the numbers lie, and which waves the embedding holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.errors import UnknownName
from mi_course.methods import fourier
from mi_course.plots.number_circles import MOST_IN_A_ROW, number_circles
from mi_course.plots.pictures import Pictures
from mi_course.plots.spectrum import spectrum
from mi_course.widgets.explorer import Explorer
from mi_course.widgets.training_scrubber import TrainingScrubber

VIEWS = {
    "losses": {
        "train": "train_loss",
        "test": "test_loss",
        "only key waves": "restricted_loss",
        "without them": "excluded_loss",
    },
    "accuracy": {"train": "train_accuracy", "test": "test_accuracy"},
    "weight norm": {"weight norm": "weight_norm"},
}
_UNITS = {"losses": "loss (nats)", "accuracy": "share of right answers", "weight norm": "norm of all weights"}
_LOWEST = 1e-7  # a loss below this says nothing any more, and would stretch the axis


class WaveScrubber(Explorer):
    """A slider over the checkpoints of a network that learned to add on a clock.

    ``steps`` and ``embeddings`` "checkpoint p d_model": when each was stored, and what it held. ``curve``: rows of
    marks by name, as on the model's card, which may be finer. ``frequencies``: the waves in whose planes the numbers
    are drawn, the first four of them.
    """

    def __init__(
        self,
        steps: Int[Tensor, " checkpoint"],
        embeddings: Float[Tensor, "checkpoint p d_model"],
        curve: Sequence[Mapping],
        frequencies: Sequence[int],
    ):
        self._embeddings, self._frequencies = embeddings, tuple(frequencies)[:MOST_IN_A_ROW]
        self._steps = steps.tolist()
        last = fourier.spectrum(embeddings[-1].float()).share.max().item()
        self._limit = 1.2 * last
        self._views = {
            view: TrainingScrubber(
                steps,
                self._waves,
                curves={label: [max(row[mark], _LOWEST) for row in curve] for label, mark in marks.items()},
                x=[row["step"] for row in curve],
                title="What the network can do",
                ylabel=_UNITS[view],
                yscale="log" if view == "losses" else "linear",
            )
            for view, marks in VIEWS.items()
        }

    def controls(self) -> dict[str, ipywidgets.Widget]:
        return {
            **self._views["losses"].controls(),
            "show": ipywidgets.Dropdown(options=list(self._views), value="losses", description="Curves"),
        }

    def draw(self, checkpoint: int, show: str) -> Pictures:
        if show not in self._views:
            raise UnknownName("curve", show, self._views)
        return self._views[show].draw(checkpoint)

    def _waves(self, checkpoint: int) -> Pictures:
        table, step = self._embeddings[checkpoint].float(), self._steps[checkpoint]
        found = fourier.spectrum(table)
        held = found.held_by(self._frequencies)
        planes = {k: fourier.on_the_circle(table, k) for k in self._frequencies}
        distances = {k: places.norm(dim=1) for k, places in planes.items()}
        varies = ", ".join(f"frequency {k} {d.std() / d.mean():.2f}" for k, d in distances.items())
        return Pictures(
            [
                number_circles(
                    {f"frequency {k}": places for k, places in planes.items()},
                    title=f"Step {step:,}: where the numbers lie in the planes of {len(self._frequencies)} frequencies",
                    alt=f"How much the distance from the middle varies, as a share of its mean (0: a ring): {varies}.",
                ),
                spectrum(
                    {"share": found.share},
                    title=f"Step {step:,}: which waves the embedding holds",
                    ylabel="share of energy",
                    limit=self._limit,
                    alt=f"At step {step:,} these frequencies hold {held:.0%} of the embedding's energy.",
                ),
            ]
        )
