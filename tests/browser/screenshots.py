"""Takes the README's pictures of the widgets out of the running chapters, and says how to show them.

    .venv/bin/python -m tests.browser.screenshots            # every picture, into solutions/images/
    .venv/bin/python -m tests.browser.screenshots attention  # those whose name contains this

A picture is an explorer as a learner meets it: JupyterLab's light theme, every control with its first value.
"""

from __future__ import annotations

import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from mi_course.commands import notebook_folders
from tests import chromium, notebook_environment
from tests.browser import solved_chapters
from tests.browser.browser import Browser
from tests.browser.jupyter_lab import JupyterLab

COLOURS = 256
"""As many as a palette holds: the few bright pixels of a spectrum need one of their own."""


@dataclass(frozen=True)
class Shot:
    """One picture: the ``number``-th explorer of a chapter, and what somebody who cannot see it should know."""

    name: str
    chapter: int
    alt: str
    number: int = 0


SHOTS = (
    Shot(
        "filter-explorer",
        1,
        "The filter explorer: a photograph of a cat, one first-layer filter with its spectrum, and its response.",
    ),
    Shot(
        "feature-studio",
        2,
        "The feature-visualization studio: checkboxes and sliders above an image that was made for one channel, and a "
        "curve of the channel's activation that rises from below -1 to 4 in 40 steps.",
    ),
    Shot(
        "attention-viewer",
        4,
        "The attention viewer: a sentence whose tokens are shaded by how much the last one looks at them, and below it "
        "a small map for each of the 24 heads, to be clicked.",
        number=1,
    ),
    Shot(
        "logit-lens",
        5,
        "The logit lens: a table of tokens and layers with the word that the model would say at each place; the last "
        "column ends with Mary, from layer 1 on.",
    ),
    Shot(
        "patching-map",
        7,
        "The patching map: the effect of one state is 1 at the second name in early layers and at the last word in the "
        "last layer; below, what the clean, the patched and the corrupted run say.",
    ),
    Shot(
        "steering-playground",
        14,
        "The steering playground: one prompt continued twice, as the model is and steered towards the bridge; in the "
        "steered text cable, cables, rail and rails are marked.",
    ),
)


def take(shots: list[Shot], folder: Path, executable: str) -> None:
    """Write the pictures into ``folder``, and print what each weighs and its line for the README."""
    with tempfile.TemporaryDirectory(prefix="mi-course-screenshots-") as scratch:
        notebook_environment.prepare(Path(scratch))
        notebooks = Path(scratch) / "notebooks"
        notebooks.mkdir()
        with JupyterLab(notebooks) as lab, Browser(executable, lab) as browser:
            for shot in shots:
                [path] = solved_chapters.chapters(shot.chapter, shot.chapter)
                notebook = solved_chapters.open_with_explorers(path, lab, browser)
                file = folder / f"{shot.name}.png"
                file.write_bytes(few_colours(picture_of(notebook.explorers()[shot.number])))
                print(
                    f"![{shot.alt}](solutions/images/{file.name})  <!-- {file.stat().st_size / 1000:.0f} kB -->"
                )


def picture_of(explorer) -> bytes:
    """The explorer as it stands on the page, with nothing hovered."""
    explorer.wait_until_drawn()
    explorer.page.mouse.move(2, 2)
    return explorer.part.screenshot(animations="disabled")


def few_colours(png: bytes) -> bytes:
    """The same picture with a palette, and so a fraction of its size."""
    small = io.BytesIO()
    palette = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, kmeans=4, dither=Image.Dither.NONE)
    palette.save(small, "PNG", optimize=True)
    return small.getvalue()


def main(wanted: list[str]) -> int:
    executable = chromium.find()
    if executable is None:
        print(f"No Chromium here; install one, or name it in {chromium.VARIABLE}.")
        return 1
    shots = [shot for shot in SHOTS if not wanted or any(word in shot.name for word in wanted)]
    folder = notebook_folders.solutions() / "images"
    folder.mkdir(exist_ok=True)
    take(shots, folder, executable)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
