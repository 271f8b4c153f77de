"""Make the chapters from the solved notebooks in solutions/.

A chapter is its solution with stubs in place of solutions and without outputs; ids of cells stay.
Chapters are never edited by hand. The solutions themselves are given their slide types.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from mi_course.commands import notebook_folders
from mi_course.errors import CourseError, UnknownName
from mi_course.whole_file import write_whole


def add_arguments(parser) -> None:
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 if a chapter differs"
    )
    parser.add_argument(
        "--execute",
        nargs="*",
        metavar="NAME",
        help="first run these solutions (all, if none is named) and store their outputs",
    )


def run(options) -> int:
    clone = notebook_folders.clone()
    solutions, chapters = clone / "solutions", clone / "chapters"
    if options.check and options.execute is not None:
        raise CourseError("--check writes nothing and --execute writes solutions: choose one of them.")
    if options.execute is not None:
        for path in named(solutions, options.execute):
            print(f"Running {path.name} …", flush=True)
            execute(path)
    differences = list(drift(solutions, chapters))
    unmarked = list(without_slide_types(solutions))
    if options.check:
        for name, problem in differences:
            print(f"❌ chapters/{name}: {problem}")
        for name in unmarked:
            print(f"❌ solutions/{name}: its slide types are not those of the rule")
        if differences or unmarked:
            print("Build the chapters:  mi-course build")
        return 1 if differences or unmarked else 0
    for name in unmarked:
        write_whole(solutions / name, with_slide_types(solutions / name))
        print(f"marked the slides of solutions/{name}")
    orphans = [name for name, problem in differences if not (solutions / name).is_file()]
    for name, _ in differences:
        if name not in orphans:
            write_whole(chapters / name, chapter(solutions / name))
            print(f"built chapters/{name}")
    for name in orphans:
        print(f"❌ chapters/{name} has no source in solutions/. Delete it, or bring its source back.")
    return 1 if orphans else 0


def chapter(source: Path) -> bytes:
    """The chapter that belongs to a solved notebook, as the bytes of its file."""
    from mi_course.commands.solution_blocks import MalformedSolution, without_solutions
    from mi_course.commands.stored_run import strip_volatile

    try:
        notebook = without_solutions(read(source))
    except MalformedSolution as error:
        raise MalformedSolution(f"{source.name}: {error}") from None
    strip_volatile(notebook)
    return _serialised(notebook)


def drift(solutions: Path, chapters: Path) -> Iterator[tuple[str, str]]:
    """Each chapter that is not what its solution makes, with what is wrong with it."""
    sources = {path.name for path in solutions.glob("*.ipynb")}
    built = {path.name for path in chapters.glob("*.ipynb")}
    for name in sorted(sources | built):
        if name not in sources:
            yield name, "has no source in solutions/"
            continue
        wanted = chapter(solutions / name)
        if name not in built:
            yield name, "is missing"
        elif (chapters / name).read_bytes().replace(b"\r\n", b"\n") != wanted:
            yield name, "differs from what its solution makes"


def with_slide_types(source: Path) -> bytes:
    """A solved notebook whose cells have the slide types of the rule, as the bytes of its file."""
    from mi_course.commands import slide_types

    notebook = read(source)
    slide_types.mark(notebook)
    return _serialised(notebook)


def without_slide_types(solutions: Path) -> Iterator[str]:
    """The solved notebooks in which some cell has another slide type than the rule gives it, or none."""
    from mi_course.commands import slide_types

    for path in sorted(solutions.glob("*.ipynb")):
        cells = read(path).cells
        stored = [cell.metadata.get("slideshow") for cell in cells]
        if stored != [{"slide_type": kind} for kind in slide_types.slide_types(cells)]:
            yield path.name


def execute(path: Path) -> None:
    """Run a solved notebook top to bottom and store its outputs in it. After an error it is as it was."""
    from mi_course.commands import slide_types, stored_run

    notebook = read(path)
    try:
        stored_run.run(notebook, path.parent)
    except CourseError as error:
        raise CourseError(f"{path.name} failed and is left as it was.\n{error}") from None
    stored_run.strip_volatile(notebook)
    slide_types.mark(notebook)
    write_whole(path, _serialised(notebook))


def read(path: Path):
    """The notebook in a file. Raises CourseError unless every cell has an id of its own."""
    import nbformat

    text = path.read_text(encoding="utf-8")
    try:
        cells = json.loads(text)["cells"]
        ids = [cell.get("id") for cell in cells]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CourseError(f"{path} is not a notebook. Open it in JupyterLab and save it again.") from None
    for number, cell_id in enumerate(ids, start=1):
        if not cell_id or cell_id in ids[: number - 1]:
            problem = f"repeats the id {cell_id!r}" if cell_id else "has no id"
            raise CourseError(
                f"{path.name}: cell {number} {problem}. Ids keep a learner's work in place when a chapter "
                "changes: give the cell one of its own (format 4.5, field `id`)."
            )
    return nbformat.reads(text, as_version=4)


def _serialised(notebook) -> bytes:
    import nbformat

    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return (nbformat.writes(notebook).rstrip("\n") + "\n").encode("utf-8")


def named(solutions: Path, names: list[str]) -> list[Path]:
    """The solved notebooks called ``names`` ("01", "01_alexnet" or the file's name); all if none is named."""
    paths = sorted(solutions.glob("*.ipynb"))
    if not names:
        return paths
    chosen = []
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        matches = [path for path in paths if path.stem == stem or path.stem.split("_")[0] == stem]
        if not matches:
            raise UnknownName("solved notebook", name, [path.stem for path in paths])
        chosen += matches
    return chosen
