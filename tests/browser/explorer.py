"""An explorer on the page: its controls, what it shows, and whether it follows."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.hands import Hand, is_text

SECONDS_TO_DRAW = 30

SHOWN = """Array.from(part.querySelectorAll('.widget-html:not(.mi-explorer-status)'))
                .map(shown => shown.innerHTML).join()"""
"""JavaScript: all that an explorer shows beside its controls and its status."""

IS_DRAWN = "part => !part.querySelector('.mi-explorer-status').textContent.includes('working')"


class Explorer:
    """One explorer on the page."""

    def __init__(self, page, part):
        self.page, self.part = page, part
        self.picture = part.locator(".mi-explorer-picture img")
        self.status = part.locator(".mi-explorer-status")

    def controls(self) -> list:
        """The controls, each as a locator."""
        parts = self.part.locator(".mi-explorer-controls > *")
        return [parts.nth(index) for index in range(parts.count())]

    def wait_until_drawn(self) -> None:
        """Wait until nothing is being drawn; fail with the explorer's own words if it complains."""
        self._wait_for(IS_DRAWN)
        complaint = self.status.locator("[role=alert]")
        if complaint.count():
            raise AssertionError(complaint.text_content())

    def changes_picture(self, move: Callable[[], object]) -> bool:
        """Do ``move()`` and say whether the picture became another one, or the HTML that stands for one."""
        from playwright.sync_api import TimeoutError as TookTooLong

        self.wait_until_drawn()
        self.part.evaluate(f"part => {{ part.seen = {SHOWN}; }}")
        move()
        try:
            self._wait_for(f"part => {SHOWN} !== part.seen")
        except TookTooLong:
            return False
        self.wait_until_drawn()
        return True

    def not_following(self, hand: Hand) -> list[str]:
        """Move each control that this hand can move, once, and name those that changed nothing.

        Fields of text come last: a prompt without its last word may leave the others nothing to change.
        """
        return [
            control.text_content().strip() or "a control without a name"
            for control in sorted(self.controls(), key=is_text)
            if hand.can_move(control) and not self.changes_picture(lambda control=control: hand.move(control))
        ]

    def _wait_for(self, condition: str) -> None:
        self.page.wait_for_function(
            condition, arg=self.part.element_handle(), polling=50, timeout=SECONDS_TO_DRAW * 1000
        )
