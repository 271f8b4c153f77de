"""Show which exercises are solved and where you stand."""


def add_arguments(parser) -> None:
    pass


def run(options) -> int:
    from mi_course.exercises.progress import summary_text

    print(summary_text())
    return 0
