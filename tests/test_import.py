import subprocess
import sys

import pytest

import mi_course


def modules_after(code):
    """The top-level packages that a fresh Python has loaded after ``code``."""
    code = f"import sys; before = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in run.stdout.split()}


def test_importing_the_package_loads_nothing_that_is_not_pythons_own():
    assert modules_after("import mi_course") <= {*sys.stdlib_module_names, "mi_course"}


def test_the_command_line_starts_without_torch_or_jupyter():
    assert modules_after("import mi_course.cli") <= {*sys.stdlib_module_names, "mi_course"}


@pytest.mark.parametrize("name", mi_course.__all__)
def test_every_name_that_the_package_offers_is_there(name):
    assert getattr(mi_course, name) is not None


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(AttributeError, match="exercise"):
        mi_course.excercise  # noqa: B018
