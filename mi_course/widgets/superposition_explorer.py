"""Make features rarer and watch them move together: the geometry of tiny autoencoders under a slider."""

from __future__ import annotations

from fractions import Fraction

import ipywidgets

from mi_course.errors import CourseError
from mi_course.methods.superposition import feature_dimensionality, represented, shapes
from mi_course.models.toy_autoencoder import Sweep
from mi_course.plots.geometry import geometry_panel
from mi_course.plots.picture import Picture
from mi_course.widgets.explorer import Explorer


class SuperpositionExplorer(Explorer):
    """One slider from common to rare features, one through the steps of training, and a choice of the network.

    On the left the direction of every feature, on the right how much each is heard along the others' directions. The
    title says which shapes they form.

    ``sweep``: of networks with two hidden dimensions (`toy_autoencoder.train`). The second slider goes through the
    steps that training has kept (``keep=…``), the third control through the networks of a world, the best first.
    """

    def __init__(self, sweep: Sweep):
        hidden = sweep.history.shape[-1]
        if hidden != 2:
            raise CourseError(
                f"These networks have {hidden} hidden dimensions; only two can be drawn in a plane. Train a sweep "
                "with n_hidden=2."
            )
        self.sweep = sweep
        self._limit = 1.3 * max(1.0, float(sweep.history.norm(dim=-1).max()))

    def controls(self) -> dict[str, ipywidgets.Widget]:
        worlds = [(_in_words(p), number) for number, p in enumerate(self.sweep.density.tolist())]
        steps = [(f"{step:,}", number) for number, step in enumerate(self.sweep.kept_steps)]
        found = {
            "world": ipywidgets.SelectionSlider(
                options=worlds, value=len(worlds) - 1, description="A feature is there in"
            ),
            "step": ipywidgets.SelectionSlider(options=steps, value=len(steps) - 1, description="Step"),
            "network": ipywidgets.Dropdown(
                options=[(_rank(n, self.sweep.restarts), n) for n in range(self.sweep.restarts)],
                description="Network",
            ),
        }
        if len(steps) == 1:
            del found["step"]
        return found

    def draw(self, world: int, step: int = -1, network: int = 0) -> Picture:
        """``network``: its place among those of the world, by their loss after training; 0 is the best."""
        restart = int(self.sweep.loss[world].argsort()[network])
        W = self.sweep.history[step, world, restart]
        groups = shapes(W)
        kept = int(represented(W).sum())
        name = f"There in {_in_words(self.sweep.density[world].item())}"
        when = "" if len(self.sweep.kept_steps) == 1 else f", step {self.sweep.kept_steps[step]:,}"
        words = _listed([group.name for group in groups]) or "no feature has a direction"
        dimensionality = ", ".join(f"{d:.2f}" for d in feature_dimensionality(W).tolist())
        return geometry_panel(
            W,
            title=f"{name}{when}: {kept} of {len(W)} are kept, {words}",
            alt=f"Each feature is t{name[1:]}{when}. {kept} of {len(W)} features are represented: {words}. "
            f"Dimensions for each feature, in order: {dimensionality}.",
            limit=self._limit,
        )


def _in_words(density: float) -> str:
    """0.05 as "1 of 20", 0.3 as "3 of 10"."""
    share = Fraction(density).limit_denominator(1000 if density < 0.05 else 20)
    return f"{share.numerator} of {share.denominator}" if share != 1 else "every example"


def _rank(place: int, networks: int) -> str:
    """What the network at this place is called; counted from 0."""
    return "the best" if place == 0 else "the worst" if place == networks - 1 else f"number {place + 1}"


def _listed(names: list[str]) -> str:
    """What there is, each kind once with its number: "2 × antipodal pair"."""
    return ", ".join(
        f"{names.count(name)} × {name}" if names.count(name) > 1 else name for name in dict.fromkeys(names)
    )
