"""A slide deck in one file: a solved notebook as reveal.js slides that ask no other machine for anything.

nbconvert makes the slides, by the slide types in the notebook. Its own page fetches reveal.js, MathJax and
more from the web; here reveal.js comes from an installed package, formulas become MathML, which browsers draw
themselves, and all of it stands in the page.
"""

from __future__ import annotations

import copy
import importlib.util
import re
import sys
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from mi_course.commands import slide_types
from mi_course.errors import CourseError

TEMPLATE = Path(__file__).resolve().parent / "slides_template"
NEEDED = {"sphinx_revealjs": "sphinx-revealjs", "latex2mathml": "latex2mathml"}
"""The packages that a deck is made with, beside those of the course: module, and name to install."""

NOT_PREDICTED = "You made no prediction. "
HOW_TO_PREDICT = "Commit to one before you go on:"
"""What `mc.reveal` and `mc.predict` say to a learner who has not chosen."""

_CODE = r"(?P<code>^```.*?^```|`[^`\n]+`)"
_FORMULA = re.compile(
    _CODE + r"|\$\$(?P<block>.+?)\$\$|(?<![\\$])\$(?P<inline>[^$\s](?:[^$\n]*[^$\s])?)\$(?!\d)",
    re.MULTILINE | re.DOTALL,
)
_HEADING = re.compile(_CODE + r"|^(?P<heading>#{1,3} )", re.MULTILINE | re.DOTALL)
_ONLY_A_HEADING = re.compile(r"#{1,3} [^\n]*")
_NOTEBOOK_LINK = re.compile(r"(\]\()(\d\d_\w+)\.ipynb(?=[)#])")


def deck(notebook: NotebookNode, title: str) -> str:
    """The page of a solved notebook's slides. Raises CourseError where a package for it is missing."""
    missing = [name for module, name in NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise CourseError(
            f"Slides need {' and '.join(missing)}. Install what is missing:  "
            f"{Path(sys.executable).name} -m pip install {' '.join(missing)}"
        )
    from nbconvert import SlidesExporter

    exporter = SlidesExporter(template_name=TEMPLATE.name, extra_template_basedirs=[str(TEMPLATE.parent)])
    resources = {"deck": {"title": title, **_assets()}}
    page, _ = exporter.from_notebook_node(for_the_screen(notebook), resources=resources)
    return page


def for_the_screen(notebook: NotebookNode) -> NotebookNode:
    """A copy of a solved notebook with only what its slides show.

    A text with several headings becomes several cells, each on a slide of its own. Code stands on a slide where
    it prints or defines something; where it draws a picture or asks a question, what it made stands alone.
    """
    shown = copy.deepcopy(notebook)
    shown.cells = [part for cell in shown.cells for part in parts(cell)]
    slide_types.mark(shown)
    shown.cells = [cell for cell in shown.cells if cell.metadata.slideshow.slide_type != "skip"]
    for cell in shown.cells:
        if cell.cell_type == "markdown":
            cell.source = with_mathml(_NOTEBOOK_LINK.sub(r"\1\2.slides.html", cell.source))
            continue
        if _speaks_for_itself(cell):
            cell.metadata["transient"] = {"remove_source": True}
        for output in cell.outputs:
            for kind, content in output.get("data", {}).items():
                if isinstance(content, str):
                    output.data[kind] = _for_a_room(content)
    return shown


def with_mathml(text: str) -> str:
    """Markdown with its formulas as MathML; dollars in code stay."""
    from latex2mathml.converter import convert

    def drawn(found: re.Match) -> str:
        if found["code"]:
            return found[0]
        return convert(found["block"], display="block") if found["block"] else convert(found["inline"])

    return _FORMULA.sub(drawn, text)


def parts(cell: NotebookNode) -> list[NotebookNode]:
    """A text cut in front of each of its headings, unless only a heading stands before it; else the cell as it is."""
    if cell.cell_type != "markdown":
        return [cell]
    headings = [found.start() for found in _HEADING.finditer(cell.source) if found["heading"]]
    pieces, start = [], 0
    for end in [*headings, len(cell.source)]:
        piece = cell.source[start:end].strip()
        if piece and (end == len(cell.source) or not _ONLY_A_HEADING.fullmatch(piece)):
            pieces.append(piece)
            start = end
    tags = {"tags": cell.metadata.tags} if "tags" in cell.metadata else {}
    return [
        new_markdown_cell(piece, id=f"{cell.id[:60]}-{number}", metadata=copy.deepcopy(tags))
        for number, piece in enumerate(pieces)
    ]


def _speaks_for_itself(cell: NotebookNode) -> bool:
    """Whether what a code cell shows is a picture, a table, a card or a question, and not the code."""
    return "mc.predict(" in cell.source or any(
        "text/html" in output.get("data", {}) for output in cell.outputs
    )


def _for_a_room(content: str) -> str:
    """What an output says, without what it says to a single learner about predictions."""
    return re.sub(rf"{NOT_PREDICTED}|\n{HOW_TO_PREDICT}.*", "", content)


def _assets() -> dict[str, str]:
    """What stands in the page beside the notebook: reveal.js, our style, and what fits slides to the screen."""
    reveal = Path(importlib.util.find_spec("sphinx_revealjs").origin).parent / "_static" / "revealjs"
    files = {
        "reveal_css": reveal / "dist" / "reveal.css",
        "reveal_js": reveal / "dist" / "reveal.js",
        "notes_js": reveal / "plugin" / "notes" / "notes.js",
        "css": TEMPLATE / "deck.css",
        "fit_js": TEMPLATE / "fit.js",
    }
    return {name: path.read_text("utf-8").replace("</script", r"<\/script") for name, path in files.items()}
