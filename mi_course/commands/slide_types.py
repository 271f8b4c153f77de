"""Slide types: which cells of a solved notebook begin a slide, and which are left out of its deck.

The rule, in nbconvert's words:

    slide      a text with a title or a section heading (# or ##): the deck goes on to the right
    subslide   any other text, and code that follows code: the deck goes down
    fragment   a short text without heading that nothing follows on its slide: it says what the figure above
               has shown, and so comes up on that slide, at the next key
    -          code below a text, with what it shows
    skip       code that is for the learner alone: the set-up, an exercise's solution, the progress table

An author overrides it for one cell by a tag, `slide:skip` or `slide:` and any other type. The types are
written to the solutions (`metadata.slideshow.slide_type`) by `mi-course build`; learners' chapters have none.
"""

from __future__ import annotations

import re

from nbformat import NotebookNode

from mi_course.errors import UnknownName

TYPES = ("slide", "subslide", "fragment", "-", "skip", "notes")
TAG = "slide:"
SHORT = 80
"""How many words a text may have that comes up below a figure."""

_HEADING = re.compile(r"^#{1,6} ", re.MULTILINE)
_SECTION = re.compile(r"^##? ", re.MULTILINE)
_FOR_THE_LEARNER_ALONE = re.compile(r"\bmc\.(begin|exercise|progress)\(")


def mark(notebook: NotebookNode) -> None:
    """Give every cell of ``notebook``, in place, its slide type."""
    for cell, kind in zip(notebook.cells, slide_types(notebook.cells)):
        cell.metadata["slideshow"] = NotebookNode(slide_type=kind)


def slide_types(cells: list[NotebookNode]) -> list[str]:
    """The type of each cell of a notebook: what a tag of it says, else what the rule says."""
    types = [_override(cell) or ("skip" if _is_for_the_learner_alone(cell) else None) for cell in cells]
    shown = [number for number, kind in enumerate(types) if kind not in ("skip", "notes")]
    for place, number in enumerate(shown):
        above = cells[shown[place - 1]] if place else None
        below = cells[shown[place + 1]] if place + 1 < len(shown) else None
        types[number] = types[number] or _by_rule(cells[number], above, below)
    return types


def _by_rule(cell: NotebookNode, above: NotebookNode | None, below: NotebookNode | None) -> str:
    """The type of a cell that is shown, between the cells that are shown above and below it."""
    if cell.cell_type == "code":
        return "-" if above is not None and above.cell_type == "markdown" else "subslide"
    text = _without_code(cell.source)
    if _SECTION.search(text):
        return "slide"
    comments = below is None or below.cell_type == "markdown"
    if comments and above is not None and len(text.split()) <= SHORT and not _HEADING.search(text):
        return "fragment"
    return "subslide"


def _override(cell: NotebookNode) -> str | None:
    """The slide type that a tag of the cell asks for."""
    for tag in cell.metadata.get("tags", ()):
        if tag.startswith(TAG):
            chosen = tag.removeprefix(TAG)
            if chosen not in TYPES:
                raise UnknownName("slide type", chosen, TYPES)
            return chosen
    return None


def _is_for_the_learner_alone(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and bool(_FOR_THE_LEARNER_ALONE.search(cell.source))


def _without_code(text: str) -> str:
    """``text`` without fenced blocks, where # begins a comment and no heading."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
