import argparse
import json

import pytest

from mi_course.commands import build, notebook_folders
from mi_course.errors import CourseError, UnknownName
from tests.commands.solved_notebook import notebook, save, solved


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone with one solved notebook and no chapter."""
    monkeypatch.setattr(notebook_folders, "clone", lambda: tmp_path)
    (tmp_path / "chapters").mkdir()
    save(solved(), tmp_path / "solutions" / "01_a.ipynb")
    return tmp_path


def run(check=False, execute=None):
    return build.run(argparse.Namespace(check=check, execute=execute))


def test_a_chapter_is_built_and_building_again_changes_no_byte(clone):
    assert run() == 0
    first = (clone / "chapters" / "01_a.ipynb").read_bytes()
    assert run() == 0
    assert (clone / "chapters" / "01_a.ipynb").read_bytes() == first
    assert first.endswith(b"\n")
    made = json.loads(first)
    assert [cell["id"] for cell in made["cells"]] == ["cell-0", "cell-1", "cell-2"]
    assert b"SOLUTION" not in first
    assert made["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def test_check_passes_after_a_build_and_writes_nothing(clone, capsys):
    assert run(check=True) == 1
    assert "01_a.ipynb: is missing" in capsys.readouterr().out
    assert list((clone / "chapters").iterdir()) == []
    run()
    assert run(check=True) == 0


def test_check_names_an_edited_chapter_and_a_chapter_without_source(clone, capsys):
    run()
    edited = clone / "chapters" / "01_a.ipynb"
    edited.write_text(edited.read_text().replace("Title", "Other"))
    (clone / "chapters" / "02_b.ipynb").write_bytes(edited.read_bytes())
    assert run(check=True) == 1
    said = capsys.readouterr().out
    assert "01_a.ipynb: differs" in said
    assert "02_b.ipynb: has no source" in said


def test_building_never_deletes_a_chapter_without_source(clone, capsys):
    (clone / "chapters" / "02_b.ipynb").write_text("{}")
    assert run() == 1
    assert "02_b.ipynb has no source" in capsys.readouterr().out
    assert (clone / "chapters" / "02_b.ipynb").is_file()
    assert (clone / "chapters" / "01_a.ipynb").is_file()


def test_solutions_are_given_their_slide_types_and_chapters_have_none(clone, capsys):
    assert run(check=True) == 1
    assert "solutions/01_a.ipynb: its slide types" in capsys.readouterr().out
    run()
    marked = json.loads((clone / "solutions" / "01_a.ipynb").read_text())
    types = [cell["metadata"]["slideshow"]["slide_type"] for cell in marked["cells"]]
    assert types == ["slide", "-", "subslide"]
    assert b"slide" not in (clone / "chapters" / "01_a.ipynb").read_bytes()
    before = (clone / "solutions" / "01_a.ipynb").read_bytes()
    assert run() == 0
    assert (clone / "solutions" / "01_a.ipynb").read_bytes() == before


def test_line_ends_of_windows_are_no_difference(clone):
    run()
    path = clone / "chapters" / "01_a.ipynb"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert run(check=True) == 0


def test_malformed_markers_name_the_notebook(clone):
    save(notebook("### END SOLUTION"), clone / "solutions" / "02_b.ipynb")
    with pytest.raises(CourseError, match=r"02_b\.ipynb: Cell 'cell-0'"):
        run()


@pytest.mark.parametrize(("cell_id", "problem"), [(None, "has no id"), ("cell-0", "repeats the id 'cell-0'")])
def test_cells_without_an_id_of_their_own_are_named(clone, cell_id, problem):
    path = clone / "solutions" / "01_a.ipynb"
    made = json.loads(path.read_text())
    made["cells"][1]["id"] = cell_id
    path.write_text(json.dumps(made))
    with pytest.raises(CourseError, match=f"01_a.ipynb: cell 2 {problem}"):
        run()


def test_a_file_that_is_no_notebook_is_named(clone):
    (clone / "solutions" / "02_b.ipynb").write_text("[1]")
    with pytest.raises(CourseError, match=r"02_b\.ipynb is not a notebook"):
        run()


def test_execute_stores_a_run_that_a_second_one_repeats_byte_for_byte(clone):
    path = clone / "solutions" / "01_a.ipynb"
    made = notebook("print(object())\nprint('x')", "import sys\nprint('y', file=sys.stderr)", "1 + 1")
    save(made, path)
    assert run(execute=["01"]) == 0
    stored = path.read_bytes()
    assert json.loads(stored)["cells"][2]["outputs"][0]["data"]["text/plain"] == ["2"]
    assert (clone / "chapters" / "01_a.ipynb").is_file()
    run(execute=[])
    assert path.read_bytes() == stored


def test_a_solution_that_fails_is_left_as_it_was(clone):
    path = clone / "solutions" / "01_a.ipynb"
    save(notebook("1 / 0"), path)
    before = path.read_bytes()
    with pytest.raises(CourseError, match=r"(?s)01_a\.ipynb failed and is left as it was.*ZeroDivisionError"):
        run(execute=["01_a"])
    assert path.read_bytes() == before


def test_an_unknown_name_offers_the_known_ones(clone):
    with pytest.raises(UnknownName, match="01_a"):
        run(execute=["01_b"])


def test_check_and_execute_exclude_each_other(clone):
    with pytest.raises(CourseError, match="choose one"):
        run(check=True, execute=[])
