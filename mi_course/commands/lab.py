"""Lay a working copy of the chapters into a folder and open JupyterLab on it.

Your own work always wins: a notebook that you changed is never written, and a newer version of it is
only announced.
"""

import os
import sys
from pathlib import Path
from urllib.parse import quote

from mi_course.commands import notebook_folders
from mi_course.commands.working_copy import Laid, lay
from mi_course.errors import CourseError

JUPYTER_CONFIG = Path(__file__).resolve().parent / "jupyter_config"
"""Our defaults for JupyterLab: draw every cell; no news, no check for updates or builds. A learner's settings win."""


def add_arguments(parser) -> None:
    parser.add_argument(
        "folder", nargs="?", default="mi-course-notebooks", metavar="DIR", help="default: %(default)s"
    )
    parser.add_argument("--solutions", action="store_true", help="add the solved notebooks, in DIR/solutions")
    parser.add_argument("--copy-only", action="store_true", help="lay the notebooks and stop")
    parser.add_argument("--no-browser", action="store_true", help="start JupyterLab, open no browser")
    parser.add_argument(
        "--port", type=int, help="where JupyterLab listens; default: the first free from 8888"
    )
    parser.epilog = "Arguments behind `--` go to JupyterLab."


def run(options) -> int:
    folder = Path(options.folder).expanduser().absolute()
    _refuse_sources(folder)
    laid = lay(notebooks(options.solutions), folder)
    print(report(laid, folder), flush=True)
    if options.copy_only:
        return 0
    return open_jupyterlab(folder, options)


def notebooks(with_solutions: bool = False) -> dict[str, bytes]:
    """What is laid: the content of every chapter (and solution), by its name in the learner's folder."""
    files = {path.name: path.read_bytes() for path in sorted(notebook_folders.chapters().glob("*.ipynb"))}
    if with_solutions:
        for path in sorted(notebook_folders.solutions().glob("*.ipynb")):
            files[f"solutions/{path.name}"] = path.read_bytes()
    return files


def report(laid: Laid, folder: Path) -> str:
    """What was done to the learner's folder, in words."""
    lines = [f"Your notebooks are in {folder}"]
    if laid.new:
        lines.append(f"  new: {', '.join(laid.new)}")
    if laid.updated:
        lines.append(f"  brought up to date: {', '.join(laid.updated)}")
    if laid.left:
        lines.append(f"  yours, left as they are: {', '.join(laid.left)}")
        lines.append("  The course has another version of these. To get it beside yours, rename your file")
        lines.append("  and run this again, or lay a fresh copy:  mi-course lab OTHER_FOLDER")
    return "\n".join(lines)


def open_jupyterlab(folder: Path, options) -> int:
    """Run JupyterLab on ``folder``, opened at the first chapter, until it is shut down."""
    paths = [str(JUPYTER_CONFIG), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))
    try:
        from jupyterlab.labapp import LabApp
    except ImportError as error:
        raise CourseError(
            f"JupyterLab is not usable in this Python ({sys.executable}): {error}. "
            "Install it:  python -m pip install jupyterlab"
        ) from None
    first = next(iter(sorted(folder.glob("[0-9]*.ipynb"))), None)
    arguments = [f"--ServerApp.root_dir={folder}"]
    if first:  # as the default address it is also in the link that is printed, for --no-browser
        arguments.append(f"--LabApp.default_url=/lab/tree/{quote(first.name)}")
    if options.no_browser:
        arguments.append("--no-browser")
    if options.port is not None:
        arguments.append(f"--port={options.port}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")  # in a container there is often no other user
    LabApp.launch_instance([*arguments, *options.jupyter_arguments])
    return 0


def _refuse_sources(folder: Path) -> None:
    for source in (notebook_folders.chapters(), notebook_folders.solutions()):
        if folder.resolve() == source.resolve():
            raise CourseError(
                f"{folder} holds the course's own notebooks. "
                "Choose another folder for yours:  mi-course lab my-course"
            )
