"""The notebooks of the clone, and what tests ask about their cells."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

CLONE = Path(__file__).resolve().parent.parent.parent
SOLUTIONS = sorted((CLONE / "solutions").glob("*.ipynb"))
CHAPTERS = sorted((CLONE / "chapters").glob("*.ipynb"))

every_solution = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
every_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
every_notebook = pytest.mark.parametrize(
    "path", [*SOLUTIONS, *CHAPTERS], ids=lambda path: f"{path.parent.name}-{path.stem}"
)


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def texts(output: NotebookNode) -> dict[str, str]:
    """What an output says in words, by kind; pictures inside its HTML are cut out."""
    if output.output_type == "stream":
        return {output.name: output.text}
    if output.output_type == "error":
        return {"error": "\n".join(output.traceback)}
    spoken = {kind: text for kind, text in output.get("data", {}).items() if isinstance(text, str)}
    return {kind: re.sub(r"base64,[\w+/=\s]+", "base64,", text) for kind, text in spoken.items()}


def images_without_alt(html: str) -> list[str]:
    """Every `<img>` of a page that has no alt text, or an empty one."""
    alt = re.compile(r"""\balt=("[^"]*[^"\s][^"]*"|'[^']*[^'\s][^']*')""")
    return [image[:80] for image in re.findall(r"<img\b[^>]*>", html) if not alt.search(image)]


def markdown_images_without_alt(text: str) -> list[str]:
    """Every picture of a Markdown text that has no alt text."""
    return re.findall(r"!\[\s*\]\([^)]*\)", text) + images_without_alt(text)
