"""The stored run of a solved notebook: execute it, and keep of the outputs what the next run repeats."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from nbformat import NotebookNode

from mi_course.errors import CourseError

SECONDS_A_CELL = 600
HOME_PREFIX = "mi-course-home-"
"""How the name of a temporary MI_COURSE_HOME begins, by which it is recognised in outputs."""

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
_PATH = r"(?<![^\s\"'<>=])[^\s\"'<>=]*"  # begins at a boundary: a picture's base64 is one long word
_VOLATILE = (
    (re.compile(_PATH + r"ipykernel_\d+[/\\][^\s\"'<>:]*"), "<cell>"),
    (re.compile(_PATH + rf"{HOME_PREFIX}\w+"), "<MI_COURSE_HOME>"),
    (re.compile(_PATH + r"[/\\]site-packages[/\\]"), "site-packages/"),
    (re.compile(r"\bat 0x[0-9a-fA-F]+"), "at 0x0"),
)


def run(notebook: NotebookNode, folder: Path) -> None:
    """Execute ``notebook`` in place, top to bottom, in ``folder`` and with an empty MI_COURSE_HOME.

    Raises CourseError at the first cell that fails, with its source and its error.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name=KERNELSPEC["name"],
        resources={"metadata": {"path": str(folder)}},
        coalesce_streams=True,
    )
    with tempfile.TemporaryDirectory(prefix=HOME_PREFIX) as home:
        try:
            client.execute(env={**os.environ, "MI_COURSE_HOME": home})
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise CourseError(re.sub(r"\x1b\[[\d;]*m", "", str(error))) from None


def strip_volatile(notebook: NotebookNode) -> None:
    """Remove from a notebook, in place, all that differs from one run or machine to the next.

    Widgets lose their live view, which no page can show without their kernel, and keep their text.
    """
    notebook.metadata = NotebookNode(kernelspec=KERNELSPEC, language_info={"name": "python"})
    for cell in notebook.cells:
        cell.metadata = NotebookNode({key: cell.metadata[key] for key in ("tags",) if key in cell.metadata})
        for output in cell.get("outputs", ()):
            if "metadata" in output:
                output.metadata = NotebookNode()
            if output.output_type == "stream":
                output.text = steady(output.text)
            data = output.get("data", {})
            data.pop("application/vnd.jupyter.widget-view+json", None)
            for kind, content in data.items():
                if kind.startswith("text/") and isinstance(content, str):
                    data[kind] = steady(content)


def steady(text: str) -> str:
    """``text`` without this machine's folders, this process's number, and addresses in memory."""
    for pattern, replacement in _VOLATILE:
        text = pattern.sub(replacement, text)
    return text
