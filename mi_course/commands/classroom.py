"""Show where a room of learners stands, or join one.

An instructor sees, per exercise, how many learners solved it, tried it, are stuck, and what was most often wrong.
A learner joins with --join; until then nothing is shared, and their code never is.
"""

import os
import shutil
import sys
import time

VARIABLE = "MI_COURSE_CLASSROOM"
SECONDS = 2  # between two looks


def add_arguments(parser) -> None:
    parser.add_argument(
        "folder", nargs="?", metavar="FOLDER", help=f"the shared folder (else the environment's {VARIABLE})"
    )
    parser.add_argument("--watch", action="store_true", help="look again every two seconds, until Ctrl-C")
    parser.add_argument("--pseudonyms", action="store_true", help="show made-up names")
    membership = parser.add_mutually_exclusive_group()
    membership.add_argument("--join", action="store_true", help="share your results with this classroom")
    membership.add_argument("--leave", action="store_true", help="share nothing any more")
    parser.add_argument("--name", help="with --join: the name to be shown (a made-up one if not given)")


def run(options) -> int:
    from mi_course.errors import CourseError

    if options.leave:
        return _leave()
    folder = options.folder or os.environ.get(VARIABLE)
    if not folder:
        raise CourseError("Which classroom? Give its shared folder: mi-course classroom FOLDER")
    if options.join:
        return _join(folder, options.name)
    if options.name:
        raise CourseError("--name goes with --join: mi-course classroom FOLDER --join --name NAME")
    return _show(folder, options.pseudonyms, options.watch)


def _join(folder: str, name: str | None) -> int:
    from mi_course.exercises import sharing

    member = sharing.join(folder, name)
    print(f"✅ You have joined {member.folder} as {member.name}.")
    print(
        "   Each result is shared there: the exercise, right or wrong, the first sentence of the diagnosis,"
    )
    print("   how many hints you saw, the time. Not your code. To share nothing any more:")
    print("   mi-course classroom --leave")
    return 0


def _leave() -> int:
    from mi_course.exercises import sharing

    member = sharing.leave()
    if member is None:
        print("You are in no classroom: nothing is shared.")
    else:
        print(f"✅ You have left {member.folder}. What was shared until now is in {member.file};")
        print("   the file is yours: delete it if you like.")
    return 0


def _show(folder: str, pseudonyms: bool, watch: bool) -> int:
    from mi_course.errors import CourseError
    from mi_course.exercises.classroom import Room

    room = Room(folder)
    view = room.read(pseudonyms=pseudonyms)
    clear = "\x1b[H\x1b[2J" if watch and sys.stdout.isatty() else ""
    while True:
        print(clear + view.text(width=shutil.get_terminal_size((110, 40)).columns), flush=True)
        if not watch:
            return 0
        time.sleep(SECONDS)
        try:
            view = room.read(pseudonyms=pseudonyms)
        except CourseError as error:  # a shared disk comes back
            print(f"❌ {error}", file=sys.stderr)
