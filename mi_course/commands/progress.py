"""Show which exercises are solved and where you stand, or carry that to another machine.

Save it where a server will forget it (Binder, a hub that is taken down), and load it where you go on. The file
holds results, hints and predictions; your notebooks are files of their own.
"""

from pathlib import Path


def add_arguments(parser) -> None:
    carried = parser.add_mutually_exclusive_group()
    carried.add_argument(
        "--save", type=Path, metavar="FILE", help="write your progress to a file that you can carry"
    )
    carried.add_argument(
        "--load", type=Path, metavar="FILE", help="add the progress that was saved in a file"
    )


def run(options) -> int:
    from mi_course.exercises import progress, saved_progress

    if options.save:
        saved_progress.save(options.save)
        print(
            f"✅ {options.save} holds your progress: {progress.progress().summary}. Your notebooks are not in it."
        )
    elif options.load:
        loaded = saved_progress.load(options.load)
        print(
            f"✅ Events new here: {loaded.new}; here already: {loaded.known}. {progress.progress().summary}."
        )
    else:
        print(progress.summary_text())
    return 0
