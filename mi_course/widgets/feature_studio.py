"""Choose a unit and the remedies, watch its image grow, and stop when you have seen enough."""

from __future__ import annotations

import base64
import copy
import html
import io
import threading
import time

import ipywidgets
from PIL import Image

from mi_course.methods import objectives
from mi_course.methods.feature_visualization import Ascent, Visualization
from mi_course.methods.random_transforms import RandomTransforms
from mi_course.models.alexnet import AlexNet
from mi_course.plots.ascent_panel import ascent_panel
from mi_course.plots.picture import Picture
from mi_course.widgets.explorer import Explorer

CALM = 0.35
"""Cycles per pixel: with the remedy against checkerboards nothing finer is painted."""

SECONDS_BETWEEN_PREVIEWS = 0.25


class FeatureStudio(Explorer):
    """What any unit of the network wants to see, with each remedy on or off, growing before one's eyes.

    *Stop* keeps the image as it is. A change of any control begins anew. The ascent works on a copy of the network, in
    its own thread, so that other cells can run meanwhile.
    """

    def __init__(self, model: AlexNet, *, point: str = "conv4", channel: int = 0, steps: int = 48):
        self.model = copy.deepcopy(model).requires_grad_(False)
        self.first = {"point": point, "channel": channel, "steps": steps}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def controls(self) -> dict[str, ipywidgets.Widget]:
        points = self._points()
        point = ipywidgets.Dropdown(options=list(points), value=self.first["point"], description="Layer")
        channel = ipywidgets.IntSlider(
            self.first["channel"], 0, points[point.value] - 1, description="Channel"
        )
        point.observe(lambda change: channel.set_trait("max", points[change["new"]] - 1), names="value")
        return {
            "point": point,
            "channel": channel,
            "asked": ipywidgets.Dropdown(
                options=["everywhere (channel)", "in the middle (neuron)"], description="Asked for"
            ),
            "waves": ipywidgets.Checkbox(True, description="Waves instead of pixels"),
            "colours": ipywidgets.Checkbox(True, description="Colours of photographs"),
            "moving": ipywidgets.Checkbox(True, description="Random views"),
            "calm": ipywidgets.Checkbox(True, description="No finest waves"),
            "steps": ipywidgets.IntSlider(self.first["steps"], 8, 128, step=8, description="Steps"),
            "seed": ipywidgets.IntSlider(0, 0, 9, description="Start"),
        }

    def draw(self, **values) -> Picture:
        ascent = self._ascent(**values)
        for _ in ascent:
            pass
        return self._panel(ascent.result(), values)

    def arrange(
        self, controls: ipywidgets.Widget, status: ipywidgets.Widget, picture: ipywidgets.Widget
    ) -> list[ipywidgets.Widget]:
        self._stop = ipywidgets.Button(description="Stop", icon="stop", disabled=True)
        self._stop.on_click(lambda _button: self._stopping.set())
        self._stop.add_class("mi-studio-stop")
        return [controls, self._stop, status, picture]

    def wait(self, seconds: float | int = 60) -> None:
        """Return when the image is finished."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _redraw(self, change=None) -> None:
        self._stopping.set()
        self.wait()
        if change is None:  # the first picture: at once, so that it stands in a saved notebook
            super()._redraw()
            return
        self._stopping.clear()
        self._stop.disabled = False
        self._say("working…")
        self._thread = threading.Thread(target=self._grow, args=(self._values(),), daemon=True)
        self._thread.start()

    def _grow(self, values: dict) -> None:
        try:
            ascent, shown = self._ascent(**values), time.monotonic()
            step = 0
            for step in ascent:
                if self._stopping.is_set():
                    break
                if time.monotonic() - shown > SECONDS_BETWEEN_PREVIEWS:
                    shown = time.monotonic()
                    self._picture.value = _preview(
                        ascent.images[0], f"{self._name(values)} after {step} steps"
                    )
                    self._say(f"working… step {step} of {len(ascent)}")
            self._picture.value = self._panel(ascent.result(), values).html()
            self._say(f"Stopped after {step} of {len(ascent)} steps." if step < len(ascent) else "")
        except Exception as error:
            self._complain(error)
        finally:
            self._stop.disabled = True

    def _ascent(
        self,
        *,
        point: str,
        channel: int,
        asked: str,
        waves: bool,
        colours: bool,
        moving: bool,
        calm: bool,
        steps: int,
        seed: int,
    ) -> Ascent:
        ask = objectives.neuron if "neuron" in asked else objectives.channel
        where = f"{point}.pre" if f"{point}.pre" in self.model.hook_points() else point
        return Ascent(
            self.model,
            ask(where, channel),
            steps=steps,
            parameterisation="fourier" if waves else "pixels",
            colour="decorrelated" if colours else "plain",
            transforms=RandomTransforms() if moving else None,
            finest=CALM if calm else 0.5,
            seed=seed,
        )

    def _panel(self, found: Visualization, values: dict) -> Picture:
        reached, done = float(found.reached[0]), len(found.curve)
        return ascent_panel(
            found.images[0],
            found.curve[:, 0],
            reached=reached,
            title=f"{self._name(values)} after {done} steps: {reached:.1f}",
            alt=(
                f"An image made for {self._name(values)}, {values['asked']}, in {done} steps "
                f"from start {values['seed']}; "
                f"{self._remedies(values)}. The activation rises from {float(found.curve[0, 0]):.0f} to {reached:.0f}."
            ),
        )

    def _points(self) -> dict[str, int]:
        """Each layer with weights, and how many channels it has."""
        numbers = enumerate(self.model.convolutions, start=1)
        convolutions = {f"conv{number}": layer.out_channels for number, layer in numbers}
        fc6, fc7 = self.model.config.hidden
        return convolutions | {"fc6": fc6, "fc7": fc7, "logits": self.model.config.n_classes}

    def _name(self, values: dict) -> str:
        name = f"{values['point']} {values['channel']}"
        classes = self.model.classes
        return f"{name} ({classes[values['channel']]})" if values["point"] == "logits" and classes else name

    @staticmethod
    def _remedies(values: dict) -> str:
        on = {
            "waves": "waves" if values["waves"] else "pixels",
            "colours": "colours of photographs" if values["colours"] else "plain colours",
            "moving": "random views" if values["moving"] else "one view",
            "calm": "no finest waves" if values["calm"] else "the finest waves allowed",
        }
        return ", ".join(on.values())


def _preview(image, alt: str) -> str:
    """The unfinished image, as quickly as it can be shown."""
    file = io.BytesIO()
    levels = (image * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(levels).resize((288, 288), Image.Resampling.NEAREST).save(file, "PNG", compress_level=1)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img alt="{html.escape(alt)}" width="288" height="288" src="data:image/png;base64,{data}">'
