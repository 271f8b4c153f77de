"""Where the learner's own files live. One environment variable, MI_COURSE_HOME, moves all of them."""

import os
from pathlib import Path


def home() -> Path:
    """The learner's folder: ``MI_COURSE_HOME``, else the platform's user-data folder."""
    chosen = os.environ.get("MI_COURSE_HOME")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("mi-course", appauthor=False))


def progress_file() -> Path:
    """The append-only record of exercises, hints and predictions."""
    return home() / "progress.jsonl"


def membership_file() -> Path:
    """Which classroom the learner has joined; not there as long as they have joined none."""
    return home() / "classroom.json"


def models_folder() -> Path:
    """Where public models are kept once the learner has fetched them."""
    return home() / "models"
