"""A training that shows how it stands: a bar, and curves that grow while it runs."""

from __future__ import annotations

import html
import time

from mi_course.methods.sparse_autoencoder import TrainingRow
from mi_course.plots.curves import curves
from mi_course.plots.picture import Picture
from mi_course.widgets.progress_bar import jupyter_is_here

SECONDS_BETWEEN_PICTURES = 0.7


class LiveTraining:
    """Give one as ``report`` to `methods.sparse_autoencoder.train`: it draws what is reported while training runs.

    ``steps``: of the whole training. ``picture()`` is what it showed last, to keep. In a saved notebook only the
    description remains, so two runs compare equal; outside of Jupyter nothing is shown.
    """

    def __init__(self, steps: int, description: str):
        self.steps, self.description = steps, description
        self.rows: list[TrainingRow] = []
        self._drawn = float("-inf")
        self._shown = jupyter_is_here() and self._show()

    def __call__(self, row: TrainingRow) -> None:
        self.rows.append(row)
        if self._shown:
            self._update(row)

    def picture(self) -> Picture:
        """The share of the variance that is explained, step by step."""
        if not self.rows:
            raise ValueError("Nothing was reported yet.")
        first, last = self.rows[0], self.rows[-1]
        return curves(
            [row.step for row in self.rows],
            {"variance explained": [row.explained for row in self.rows]},
            title=f"{self.description}: {last.explained:.2f} of the variance explained, {last.l0:.1f} features at once",
            xlabel="step",
            ylabel="share of the variance",
            alt=f"The explained share of the variance rises from {first.explained:.2f} at step {first.step} to "
            f"{last.explained:.2f} at step {last.step}.",
        )

    def _show(self) -> bool:
        import ipywidgets
        from IPython.display import display

        wide = ipywidgets.Layout(flex="1 1 160px", max_width="420px")
        self._bar = ipywidgets.IntProgress(max=self.steps, layout=wide)
        self._words, self._picture = ipywidgets.HTML(), ipywidgets.HTML()
        line = ipywidgets.Box(
            [ipywidgets.HTML(html.escape(self.description)), self._bar, self._words],
            layout=ipywidgets.Layout(
                flex_flow="row wrap", align_items="center", width="100%", grid_gap="10px"
            ),
        )
        line.add_class("mi-progress")
        view = ipywidgets.VBox([line, self._picture])
        bundle = view._repr_mimebundle_()
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        display({**data, "text/plain": f"{self.description} (live training)"}, raw=True)
        return True

    def _update(self, row: TrainingRow) -> None:
        self._bar.value = row.step
        self._words.value = (
            f"step {row.step:,} of {self.steps:,} · explained {row.explained:.2f} · {row.l0:.1f} active · "
            f"{row.dead} dead"
        )
        finished = row.step >= self.steps
        if finished:
            self._bar.bar_style, self._picture.value = "success", ""
        elif len(self.rows) > 1 and time.monotonic() - self._drawn > SECONDS_BETWEEN_PICTURES:
            self._picture.value = self.picture().html()
            self._drawn = time.monotonic()
