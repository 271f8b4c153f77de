"""The base of every explorer: controls above a picture that follows them, and a static twin."""

from __future__ import annotations

import html
import traceback
from abc import ABC, abstractmethod

import ipywidgets

from mi_course.errors import UnknownName
from mi_course.plots.picture import Picture
from mi_course.plots.pictures import Pictures
from mi_course.visible_focus import show_focus


class Explorer(ABC):
    """Controls above a picture; the picture is drawn anew whenever a control changes.

    A subclass says which controls there are and how to draw::

        class Wave(Explorer):
            def controls(self):
                return {"cycles": ipywidgets.IntSlider(3, 1, 9, description="Cycles")}

            def draw(self, cycles):
                x = torch.linspace(0, 1, 200)
                y = (2 * torch.pi * cycles * x).sin()
                return curves(x, {"wave": y}, title=…, xlabel=…, ylabel=…, alt=…)

    ``Wave()`` as the last line of a cell shows it, and ``Wave().static(cycles=5)`` is the same
    picture without controls. While a picture is being drawn, the explorer says "working…"; when it is there, screen
    readers hear which control has which value now. If drawing fails, it says so in words, keeps the last picture, and
    goes on with the next change.

    A picture that answers to the mouse overrides ``live_html``; what stands beside the picture goes into
    ``arrange``. Everything runs in the notebook's own Python process; nothing is fetched from a network.
    """

    live = False
    """Whether the picture follows a slider while it is being dragged, rather than when it is let go.
    Say True where drawing takes a tenth of a second or less."""

    @abstractmethod
    def controls(self) -> dict[str, ipywidgets.Widget]:
        """New controls by name, each with a ``value`` and a ``description`` that serves as its label."""

    @abstractmethod
    def draw(self, **values) -> Picture | Pictures:
        """The picture for these values of the controls."""

    def live_html(self, **values) -> str:
        """What stands below the controls: the picture, unless a subclass has HTML that can do more.

        Words of a model or of the learner go into it escaped (`token_html`), and no script is ever needed.
        """
        picture = self.draw(**values)
        if not isinstance(picture, Picture | Pictures):
            raise TypeError(f"draw returned {type(picture).__name__}, but it must return a Picture.")
        return picture.html()

    def arrange(
        self, controls: ipywidgets.Widget, status: ipywidgets.Widget, picture: ipywidgets.Widget
    ) -> list[ipywidgets.Widget]:
        """What stands under one another; a subclass may put further widgets between these three."""
        return [controls, status, picture]

    def static(self, **values) -> Picture | Pictures:
        """The picture for ``values``; controls that are not named keep their first value.

        Raises ``UnknownName`` for a name that is none of the controls.
        """
        first = {name: control.value for name, control in self.controls().items()}
        for name in values:
            if name not in first:
                raise UnknownName("control", name, first)
        return self.draw(**{**first, **values})

    @property
    def view(self) -> ipywidgets.Widget:
        """The widget itself, to be laid out with others; always the same one."""
        if not hasattr(self, "_view"):
            self._view = self._build()
        return self._view

    def __repr__(self) -> str:
        return f"{type(self).__name__}: controls and a picture, to be used in JupyterLab"

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = self.view._repr_mimebundle_()
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        # The picture alone, for what shows notebooks but runs no widgets: code hosts, slides, paper.
        data = {**data, "text/html": self._still(), "text/plain": repr(self)}
        return (data, *metadata) if metadata else data

    def _build(self) -> ipywidgets.Widget:
        self._controls = self.controls()
        self._status = ipywidgets.HTML()
        self._picture = ipywidgets.HTML()
        for control in self._controls.values():
            _lay_out(control, live=self.live)
            control.observe(self._redraw, names="value")
        row = ipywidgets.Box(
            list(self._controls.values()),
            layout=ipywidgets.Layout(flex_flow="row wrap", align_items="center", width="100%"),
        )
        view = ipywidgets.VBox(
            self.arrange(row, self._status, self._picture), layout=ipywidgets.Layout(width="100%")
        )
        for part, name in (
            (view, "mi-explorer"),
            (row, "mi-explorer-controls"),
            (self._status, "mi-explorer-status"),
            (self._picture, "mi-explorer-picture"),
        ):
            part.add_class(name)
        show_focus(view)
        self._redraw()
        return view

    def _redraw(self, change=None) -> None:
        self._say("working…")
        try:
            self._picture.value = self.live_html(**self._values())
        except Exception as error:
            self._complain(error)
        else:
            self._say("", heard="" if change is None else f"{told(change['owner'])}. The picture is new.")

    def _values(self) -> dict:
        return {name: control.value for name, control in self._controls.items()}

    def _still(self) -> str:
        if type(self).live_html is Explorer.live_html:
            return self._picture.value
        try:
            return self.draw(**self._values()).html()
        except Exception:
            return self._status.value  # what cannot be drawn has said so there

    def _say(self, words: str, *, heard: str = "") -> None:
        """Show ``words`` above the picture; what is ``heard`` is for screen readers alone."""
        # The line keeps its height when it is empty, so that the picture does not jump.
        unseen = f'<span style="{_UNSEEN}">{html.escape(heard)}</span>' if heard else ""
        self._status.value = (
            f'<span role="status" aria-live="polite">{html.escape(words) or "&nbsp;"}{unseen}</span>'
        )

    def _complain(self, error: Exception) -> None:
        what = html.escape(str(error) or type(error).__name__)
        where = html.escape("".join(traceback.format_exception(error)))
        last = " The picture below is the last one that worked." if self._picture.value else ""
        self._status.value = (
            '<div role="alert" style="border-left:4px solid #D55E00;padding:2px 10px;line-height:1.5">'
            f"This choice cannot be drawn: {what}{last}"
            f'<details><summary>Details</summary><pre style="overflow:auto">{where}</pre></details></div>'
        )


_UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap"


def told(control: ipywidgets.Widget) -> str:
    """A control and its value in words: the handle of a slider has no name of its own that could be heard."""
    value = control.label if control.has_trait("label") else control.value
    if isinstance(value, bool):
        value = "on" if value else "off"
    if isinstance(value, float):
        value = f"{value:g}"
    return f"{control.description}: {value}" if isinstance(value, str | int) else control.description


def _lay_out(control: ipywidgets.Widget, *, live: bool) -> None:
    """Show the whole label, and let the control shrink on a narrow screen."""
    if control.has_trait("style") and control.style.has_trait("description_width"):
        control.style.description_width = "initial"
    if control.layout.width is None:
        slides = control.has_trait("readout") and control.has_trait("orientation")
        # A slider's label takes its room from the track: a long one would leave nothing to pull.
        control.layout.width = f"{260 + 7 * len(control.description)}px" if slides else "auto"
    control.layout.max_width = "100%"
    control.layout.margin = "2px 18px 2px 2px"
    if control.has_trait("continuous_update"):
        control.continuous_update = live
