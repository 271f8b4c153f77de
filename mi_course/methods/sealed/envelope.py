"""Put a case into a folder: the model as any other, and what is in it in a sealed envelope.

The envelope, ``sealed.json``, is what the exercises check answers with. It is not encrypted, only written so that
nobody reads it by accident: whoever wants to open it can.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

from mi_course.errors import CourseError
from mi_course.methods.sealed.case import KINDS, Case
from mi_course.whole_file import write_whole

ENVELOPE = "sealed.json"
NOTE = "What is planted in this model. Open it after you have found it."


def seal(case: Case, folder: str | Path) -> None:
    """Write the model and its envelope into ``folder``, which is made if it is not there."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    case.model.save_pretrained(folder)
    content = {"kind": case.kind, **case.answer}
    closed = base64.b64encode(json.dumps(content).encode()).decode()
    written = json.dumps({"note": NOTE, "sealed": closed}, indent=1) + "\n"
    write_whole(folder / ENVELOPE, written.encode())


def unseal(folder: str | Path) -> dict[str, str | int]:
    """What is planted: its "kind", and the entries of `Case.answer`.

    Raises CourseError for a folder without a whole envelope.
    """
    path = Path(folder) / ENVELOPE
    try:
        content = json.loads(base64.b64decode(json.loads(path.read_text(encoding="utf-8"))["sealed"]))
        if content["kind"] in KINDS:
            return content
    except FileNotFoundError:
        raise CourseError(f"{folder} is no sealed case: it has no {ENVELOPE}.") from None
    except (ValueError, KeyError, TypeError):
        pass
    raise CourseError(f"{path} is damaged. Make the cases again with their seed: mi-course capstone --seed …")
