"""The classroom in a notebook: the table of `mi-course classroom`, which keeps itself up to date."""

from __future__ import annotations

import asyncio
from pathlib import Path

import ipywidgets

from mi_course.errors import CourseError
from mi_course.exercises import card
from mi_course.exercises.classroom import Room
from mi_course.visible_focus import show_focus

SECONDS = 2
"""Between two looks."""


def watch(folder: str | Path, *, pseudonyms: bool = False) -> ipywidgets.VBox:
    """Show where the room stands, anew every two seconds; as the last line of a cell.

    Two boxes to tick are above the table: whether it follows the room, and whether names are made up. While
    another cell runs, the table waits. The view that was opened last is the one that follows the room. Raises
    ``CourseError`` if the folder cannot be read; if that happens later, the last table stays and says so.
    """
    room = Room(folder)
    live = ipywidgets.Checkbox(value=True, description="Follow the room", indent=False)
    made_up = ipywidgets.Checkbox(value=pseudonyms, description="Made-up names", indent=False)
    status, table = ipywidgets.HTML(), ipywidgets.HTML()

    def look(_=None) -> None:
        try:
            table.value = room.read(pseudonyms=made_up.value)._repr_html_()
        except CourseError as error:
            status.value = (
                f'<span role="alert">⚠️ {card.as_html(str(error))} The table is the last one.</span>'
            )
        else:
            status.value = ""

    async def follow() -> None:
        while True:
            await asyncio.sleep(SECONDS)
            if live.value:
                look()

    table.value = room.read(pseudonyms=made_up.value)._repr_html_()
    made_up.observe(look, names="value")
    _follow_only(follow)
    view = ipywidgets.VBox([ipywidgets.HBox([live, made_up]), status, table])
    view.add_class("mi-classroom")
    show_focus(view)
    return view


_following: asyncio.Task | None = None


def _follow_only(follow) -> None:
    """Start following in the background of the kernel, and end what was followed before."""
    global _following
    if _following is not None:
        _following.cancel()
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # not in a notebook: nothing runs between two lines
        _following = None
    else:
        _following = loop.create_task(follow())
