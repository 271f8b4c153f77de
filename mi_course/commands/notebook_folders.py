"""Where the notebooks are: in a clone beside the package, in an installed package inside it."""

from pathlib import Path

from mi_course.errors import CourseError

PACKAGE = Path(__file__).resolve().parent.parent


def chapters() -> Path:
    """The folder of the notebooks that learners work on."""
    return _folder("chapters")


def solutions() -> Path:
    """The folder of the solved notebooks, from which the chapters are made."""
    return _folder("solutions")


def clone() -> Path:
    """The clone of the repository; CourseError in an installed package, which has none."""
    if not (PACKAGE.parent / "pyproject.toml").is_file():
        raise CourseError(
            "This command works on a clone of the repository, and the course was installed as a package. "
            "Clone the repository and run it there."
        )
    return PACKAGE.parent


def _folder(name: str) -> Path:
    for folder in (PACKAGE / "notebooks" / name, PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise CourseError(f"The course's {name} are missing beside {PACKAGE}. Install the course again.")
