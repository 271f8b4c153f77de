"""A learner's two hands: the keyboard, on which Tab leads to every control, and the mouse.

    hand = Keyboard(picture)
    hand.move(control)      # the control has another value now

A control is a locator of one of an explorer's controls. Every kind can be moved by keyboard, and all but fields of
text with the mouse alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

KINDS = {
    "widget-slider": "slider",
    "widget-dropdown": "list",
    "widget-checkbox": "checkbox",
    "widget-text": "text",
    "widget-upload": "upload",
    "widget-button": "button",
    "widget-toggle-button": "button",
    "widget-toggle-buttons": "buttons",
    "mi-written-buttons": "buttons",
    "mi-edit-buttons": "buttons",
    "mi-pixel-grid": "pixels",
}
"""The kind of a control by a class of its element."""

PARTS = {
    "slider": ".noUi-handle",
    "list": "select",
    "checkbox": "input[type=checkbox]",
    "text": "input, textarea",
    "upload": "button",
    "button": "button",
    "buttons": "button:not(.mod-active):not([disabled])",
    "pixels": "button",
}
"""CSS: what one takes hold of, by kind; within the control, or the control itself."""

MOST_TABS = 200


def kind_of(control) -> str:
    """What kind of control this is."""
    classes = control.get_attribute("class").split()
    try:
        return next(KINDS[name] for name in classes if name in KINDS)
    except StopIteration:
        raise NotImplementedError(f"No hand knows how to move a control of the classes {classes}.") from None


def is_text(control) -> bool:
    """Whether it is a field to write in."""
    return kind_of(control) == "text"


class Hand(ABC):
    """One way to move controls."""

    def __init__(self, picture: Path | None = None):
        self.picture = picture
        """What goes into every upload button."""

    def can_move(self, control) -> bool:
        """Whether this hand alone is enough."""
        return hasattr(self, kind_of(control))

    def move(self, control) -> None:
        """Give the control another value."""
        control.scroll_into_view_if_needed()
        getattr(self, kind_of(control))(control)

    def upload(self, control) -> None:
        with control.page.expect_file_chooser() as chooser:
            self.button(control)
        chooser.value.set_files(str(self.picture))

    @abstractmethod
    def button(self, control) -> None:
        """Press it."""


class Keyboard(Hand):
    """Tab to the control, from the beginning of its explorer, then the keys that it is made for."""

    def slider(self, control) -> None:
        """One step up, or down from the top."""
        handle = control.locator(PARTS["slider"])
        at_top = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
        self._press(control, "ArrowLeft" if at_top else "ArrowRight")

    def list(self, control) -> None:
        """The next option, or the last but one. While a list is folded, JupyterLab takes the arrow keys for itself."""
        at_end = control.locator("select").evaluate("list => list.selectedIndex === list.options.length - 1")
        self._press(control, "Space", "ArrowUp" if at_end else "ArrowDown", "Enter")

    def checkbox(self, control) -> None:
        self._press(control, "Space")

    def text(self, control) -> None:
        """Without its last word a prompt is still one; a letter more would be a word that no model knows."""
        self._press(control, "End", "Control+Backspace", "Tab")

    def button(self, control) -> None:
        self._press(control, "Enter")

    buttons = pixels = button

    def _press(self, control, *keys: str) -> None:
        page = control.page
        control.evaluate(BEGIN_BEFORE_ITS_EXPLORER)
        for _ in range(MOST_TABS):
            page.keyboard.press("Tab")
            if control.evaluate(HAS_FOCUS, PARTS[kind_of(control)]):
                break
        else:
            raise AssertionError(f"Tab does not lead to {control.text_content().strip()!r}.")
        for key in keys:
            page.keyboard.press(key)


BEGIN_BEFORE_ITS_EXPLORER = """control => {
  const explorer = control.closest('.mi-explorer');
  explorer.tabIndex = -1;
  explorer.focus({preventScroll: true});
  explorer.removeAttribute('tabindex');
}"""
HAS_FOCUS = (
    """(control, part) => control.contains(document.activeElement) && document.activeElement.matches(part)"""
)


class Mouse(Hand):
    """Drag, click, choose."""

    def slider(self, control) -> None:
        """To another place: half-way to the left, or from near the left end half-way to the right."""
        at = place(control)
        drag(control, at * 0.46 if at > 0.2 else 0.4 * at + 0.6)

    def list(self, control) -> None:
        """Choose the option half-way round. What pops up is the browser's; that a click reaches it is ours."""
        select = control.locator("select")
        select.click(trial=True)
        index = select.evaluate(
            "({selectedIndex, options: {length}}) => (selectedIndex + Math.ceil(length / 2)) % length"
        )
        select.select_option(index=index)

    def checkbox(self, control) -> None:
        control.locator("input[type=checkbox]").click()

    def button(self, control) -> None:
        control.click()

    def buttons(self, control) -> None:
        control.locator(PARTS["buttons"]).first.click()

    def pixels(self, control) -> None:
        control.locator("button").first.click()


def place(slider) -> float:
    """Where the handle stands: 0 at the left end, 1 at the right."""
    track, handle = _boxes(slider)
    return (handle["x"] + handle["width"] / 2 - track["x"]) / track["width"]


def drag(slider, to: float) -> None:
    """Drag the handle with the mouse to this fraction of the slider's length."""
    slider.scroll_into_view_if_needed()
    track, handle = _boxes(slider)
    mouse, y = slider.page.mouse, handle["y"] + handle["height"] / 2
    mouse.move(handle["x"] + handle["width"] / 2, y)
    mouse.down()
    mouse.move(track["x"] + to * track["width"], y, steps=4)
    mouse.up()


def _boxes(slider) -> tuple[dict, dict]:
    return slider.locator(".noUi-base").bounding_box(), slider.locator(".noUi-handle").bounding_box()
