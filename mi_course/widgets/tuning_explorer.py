"""Pick a unit of the second layer, see who drives it and which stripes it likes; then cut, and see what changes."""

from __future__ import annotations

import ipywidgets
import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.data import gratings
from mi_course.methods import excitation, filters, tuning_curves, tuning_from_weights
from mi_course.models.alexnet import AlexNet
from mi_course.plots.picture import Picture
from mi_course.plots.tuning_panel import tuning_panel
from mi_course.widgets.explorer import Explorer

CUTS = ("nothing", "the strongest exciter", "the strongest inhibitor")


class TuningExplorer(Explorer):
    """A unit's tuning curve, measured and predicted from its weights, before and after weight surgery.

    *Cut* takes one input away; the two sliders make all exciters, or all inhibitors, weaker (below 1) or stronger.
    An input excites or inhibits by the sum of its weights over all places. The network itself is never changed.
    """

    def __init__(self, model: AlexNet):
        self.model = model
        self.net = excitation.net(model)
        self.kernel = excitation.full_kernel(model.convolutions[1])
        self.bias = model.convolutions[1].bias.detach()
        self.pictures = filters.normalize_for_display(model.convolutions[0].weight.detach())
        self._cached: dict[str, tuple[Tensor, Tensor]] = {}

    def controls(self) -> dict[str, ipywidgets.Widget]:
        cycles = [(f"{1 / f:g} pixels", i) for i, f in enumerate(tuning_curves.FREQUENCIES)]
        times = {"min": 0.0, "max": 2.0, "step": 0.25}
        return {
            "unit": ipywidgets.IntSlider(0, 0, len(self.net) - 1, description="Unit"),
            "colour": ipywidgets.Dropdown(options=tuple(gratings.COLOURS), description="Stripes"),
            "cycle": ipywidgets.SelectionSlider(options=cycles, value=2, description="Cycle"),
            "cut": ipywidgets.Dropdown(options=CUTS, description="Cut"),
            "excite": ipywidgets.FloatSlider(1.0, **times, description="Excitation ×"),
            "inhibit": ipywidgets.FloatSlider(1.0, **times, description="Inhibition ×"),
        }

    def draw(
        self, unit: int, colour: str, cycle: int, cut: str, excite: float | int, inhibit: float | int
    ) -> Picture:
        factors = self._factors(unit, cut, excite, inhibit)
        operated = bool((factors != 1).any())
        whole = torch.ones_like(factors)
        curves = {
            "measured": self._measured(unit, colour, whole)[cycle],
            "predicted from weights": self._predicted(unit, colour, whole)[cycle],
        }
        if operated:
            curves["after surgery"] = self._measured(unit, colour, factors)[cycle]
            curves["after surgery, predicted"] = self._predicted(unit, colour, factors)[cycle]
        agreement = float(
            tuning_curves.correlation(
                self._measured(unit, colour, factors)[None], self._predicted(unit, colour, factors)[None]
            )[0]
        )
        said = f"r = {agreement:.2f}" if agreement == agreement else "none, one of the two is silent"
        what = self._in_words(cut, excite, inhibit) if operated else "as trained"
        return tuning_panel(
            self._strongest(unit, self.net[unit] * factors, positive=True),
            self._strongest(unit, self.net[unit] * factors, positive=False),
            tuning_curves.ORIENTATIONS,
            curves,
            title=f"Unit {unit}, {what}: agreement over all stripes {said}",
            alt=self._alt(unit, colour, cycle, what, curves, said),
        )

    def _factors(
        self, unit: int, cut: str, excite: float | int, inhibit: float | int
    ) -> Float[Tensor, " channel"]:
        """By how much each input's weights are multiplied."""
        drive = self.net[unit]
        factors = torch.where(drive > 0, float(excite), torch.where(drive < 0, float(inhibit), 1.0))
        if cut == CUTS[1] and drive.max() > 0:
            factors[drive.argmax()] = 0
        if cut == CUTS[2] and drive.min() < 0:
            factors[drive.argmin()] = 0
        return factors

    def _measured(
        self, unit: int, colour: str, factors: Float[Tensor, " channel"]
    ) -> Float[Tensor, "frequency orientation"]:
        patches, _ = self._inputs(colour)
        kernel = self.kernel[unit] * factors[:, None, None]
        return (torch.einsum("fopchw,chw->fop", patches, kernel) + self.bias[unit]).relu().mean(dim=2)

    def _predicted(
        self, unit: int, colour: str, factors: Float[Tensor, " channel"]
    ) -> Float[Tensor, "frequency orientation"]:
        _, inputs = self._inputs(colour)
        return (torch.einsum("cfo,c->fo", inputs, self.net[unit] * factors) + self.bias[unit]).relu()

    @torch.no_grad()
    def _inputs(
        self, colour: str
    ) -> tuple[
        Float[Tensor, "frequency orientation phase channel height width"],
        Float[Tensor, "channel frequency orientation"],
    ]:
        """What the middle unit sees of every grating, and what the weights say that it should see."""
        if colour not in self._cached:
            images = gratings.gratings(
                tuning_curves.ORIENTATIONS, tuning_curves.FREQUENCIES, n_phases=8, colour=colour
            )
            side, seen = self.kernel.shape[-1], []
            for part in images.flatten(0, 2).split(128):
                pooled = self.model.features[:3]((part - self.model.mean) / self.model.std)
                first = pooled.shape[-1] // 2 - side // 2
                seen.append(pooled[:, :, first : first + side, first : first + side])
            patches = torch.cat(seen)
            predicted = tuning_from_weights.first_layer(self.model, colour=colour).responses
            self._cached[colour] = (patches.view(*images.shape[:3], *patches.shape[1:]), predicted)
        return self._cached[colour]

    def _strongest(self, unit: int, drive: Float[Tensor, " channel"], *, positive: bool) -> list:
        order = drive.argsort(descending=positive)[:4].tolist()
        return [
            (self.pictures[i], float(drive[i])) for i in order if (drive[i] > 0) == positive and drive[i] != 0
        ]

    @staticmethod
    def _in_words(cut: str, excite: float | int, inhibit: float | int) -> str:
        parts = [] if cut == CUTS[0] else [f"without {cut}"]
        parts += [f"excitation × {excite:g}"] if excite != 1 else []
        parts += [f"inhibition × {inhibit:g}"] if inhibit != 1 else []
        return ", ".join(parts)

    @staticmethod
    def _alt(unit: int, colour: str, cycle: int, what: str, curves: dict, said: str) -> str:
        pixels = 1 / tuning_curves.FREQUENCIES[cycle]
        peaks = []
        for label, curve in curves.items():
            top = float(curve.max())
            where = f"peak {top:.2f} at {tuning_curves.ORIENTATIONS[int(curve.argmax())]}°"
            peaks.append(f"{label}: {where if top > 0 else 'silent'}")
        return (
            f"Unit {unit}, {what}; {colour} stripes of {pixels:g} pixels a cycle. {'; '.join(peaks)}. "
            f"Agreement of prediction and measurement over all stripes: {said}."
        )
