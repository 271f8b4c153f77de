"""Make slides of solved chapters, each in one file that any browser shows without a network.

The space bar and the arrow keys lead through a deck. F shows it on the full screen, O shows all slides at once, and
S opens the speaker's view.
"""

from pathlib import Path


def add_arguments(parser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help='such as "06"; every chapter if none is named'
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("slides"),
        metavar="FOLDER",
        help="where to put them (default: %(default)s)",
    )


def run(options) -> int:
    from mi_course.commands import build, notebook_folders
    from mi_course.commands.slide_deck import deck
    from mi_course.errors import CourseError
    from mi_course.whole_file import write_whole

    for path in build.named(notebook_folders.solutions(), options.names):
        notebook = build.read(path)
        page = deck(notebook, title=notebook.cells[0].source.splitlines()[0].lstrip("# ")).encode()
        target = options.out / f"{path.stem}.slides.html"
        try:
            options.out.mkdir(parents=True, exist_ok=True)
            write_whole(target, page)
        except OSError as error:
            raise CourseError(
                f"{target} cannot be written ({error.strerror}). Choose another place with --out."
            ) from None
        print(f"✅ {target}, {len(page) / 1e6:.1f} MB", flush=True)
    return 0
