"""Where a learner's own files live."""

from pathlib import Path

from mi_course import folders


def test_one_variable_moves_everything(monkeypatch, tmp_path):
    monkeypatch.setenv("MI_COURSE_HOME", str(tmp_path / "mine"))
    assert folders.home() == tmp_path / "mine"
    assert folders.progress_file() == tmp_path / "mine" / "progress.jsonl"
    assert folders.models_folder() == tmp_path / "mine" / "models"


def test_a_tilde_is_the_home_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("MI_COURSE_HOME", "~/course")
    assert folders.home() == tmp_path / "course"


def test_without_it_the_platforms_folder_is_taken(monkeypatch, tmp_path):
    import platformdirs

    monkeypatch.setattr(platformdirs, "user_data_dir", lambda name, appauthor: str(tmp_path / name))
    for absent in (True, False):
        monkeypatch.delenv("MI_COURSE_HOME") if absent else monkeypatch.setenv("MI_COURSE_HOME", "")
        assert folders.home() == tmp_path / "mi-course"


def test_asking_makes_no_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("MI_COURSE_HOME", str(tmp_path / "mine"))
    for path in (folders.home(), folders.progress_file(), folders.models_folder()):
        assert isinstance(path, Path)
        assert not path.exists()
