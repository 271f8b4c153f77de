"""`mi-course`: open the course, look after it, build it."""

import argparse
import sys

from mi_course.commands import build, capstone, classroom, doctor, lab, links, models, progress, slides
from mi_course.errors import CourseError

COMMANDS = {
    "lab": lab,
    "progress": progress,
    "classroom": classroom,
    "models": models,
    "capstone": capstone,
    "slides": slides,
    "links": links,
    "doctor": doctor,
    "build": build,
}
"""A command is a module: docstring (its first line is the help), `add_arguments(parser)`, `run(options)`."""


def main(arguments=None) -> int:
    """Run one command; return its exit code. What a learner can put right is told in words."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console without ✅ shows "?" instead of an error
    parser = argparse.ArgumentParser(prog="mi-course", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        summary = module.__doc__.splitlines()[0]
        subparser = subparsers.add_parser(name, help=summary, description=summary)
        module.add_arguments(subparser)
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    ours, jupyters = _split(arguments)
    options = parser.parse_args(ours)
    options.jupyter_arguments = jupyters
    if jupyters and options.command != "lab":
        parser.error("only `mi-course lab` takes arguments behind `--`")
    try:
        return COMMANDS[options.command].run(options)
    except CourseError as error:
        print(f"❌ {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


def _split(arguments):
    """The arguments before ``--``, and those behind it, which are JupyterLab's."""
    if "--" not in arguments:
        return arguments, []
    cut = arguments.index("--")
    return arguments[:cut], arguments[cut + 1 :]


if __name__ == "__main__":
    sys.exit(main())
