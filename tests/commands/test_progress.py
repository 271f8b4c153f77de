import argparse

from mi_course.commands import progress


def test_the_command_prints_the_summary(course_home, capsys):
    from mi_course.exercises.progress import summary_text

    assert progress.run(argparse.Namespace(save=None, load=None)) == 0
    assert capsys.readouterr().out == summary_text() + "\n"
