"""A real JupyterLab in a real Chromium: open a notebook, run it, use its widgets as a learner would.

with JupyterLab(folder) as lab, Browser(chromium, lab) as browser:
    notebook = browser.open("01_alexnet.ipynb")
    notebook.run_all()
    explorer = notebook.explorers()[0]
    explorer.move_everything()
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from mi_course.commands.lab import JUPYTER_CONFIG

SECONDS_TO_START = 180
SECONDS_TO_RUN = 240
SECONDS_TO_DRAW = 30

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SHOWN = """part => Array.from(part.querySelectorAll('.widget-html:not(.mi-explorer-status)'))
                       .map(shown => shown.innerHTML).join()"""
"""JavaScript: all that an explorer shows beside its controls and its status."""

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


class JupyterLab:
    """A server on a free port, with our settings and none of this machine's user."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.token = secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def __enter__(self) -> JupyterLab:
        own = self.folder.parent / f"{self.folder.name}-jupyter"
        environment = {
            **os.environ,
            "JUPYTER_CONFIG_PATH": str(JUPYTER_CONFIG),
            **{
                variable: str(own / name)
                for variable, name in {
                    "JUPYTER_CONFIG_DIR": "config",
                    "JUPYTER_DATA_DIR": "data",
                    "JUPYTER_RUNTIME_DIR": "runtime",
                    "JUPYTERLAB_SETTINGS_DIR": "settings",
                    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
                }.items()
            },
        }
        own.mkdir(parents=True)
        self.log = own / "log.txt"
        self._process = subprocess.Popen(
            [
                *(
                    sys.executable,
                    "-m",
                    "jupyterlab",
                    "--no-browser",
                    "--expose-app-in-browser",
                    "--allow-root",
                ),
                *("--ip=127.0.0.1", f"--port={self.port}", "--ServerApp.port_retries=0"),
                *(f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.folder}"),
            ],
            env=environment,
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
        )
        self._wait_until_it_answers()
        return self

    def __exit__(self, *_):
        self._process.terminate()  # JupyterLab shuts its kernels down
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                urllib.request.urlopen(
                    f"http://127.0.0.1:{self.port}/api?token={self.token}", timeout=5
                ).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        self.__exit__()
        raise RuntimeError(f"JupyterLab did not start on port {self.port}:\n{self.log.read_text()[-3000:]}")


class Browser:
    """Chromium with one page; it notes every request that leaves this machine, and every error."""

    def __init__(self, executable: str, lab: JupyterLab):
        self._executable, self._lab = executable, lab
        self.outside: list[str] = []
        self.errors: list[str] = []

    def __enter__(self) -> Browser:
        from playwright.sync_api import sync_playwright

        self._playwright = sync_playwright().start()
        self._chromium = self._playwright.chromium.launch(
            executable_path=self._executable, args=CHROMIUM_ARGUMENTS
        )
        self.page = self._chromium.new_page(viewport={"width": 1280, "height": 1000})
        self.page.set_default_timeout(60_000)
        self.page.route("**/*", self._keep_inside)
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        return self

    def __exit__(self, *_):
        self._chromium.close()
        self._playwright.stop()

    def open(self, name: str) -> Notebook:
        """Open a notebook of the server's folder, in a workspace of its own, and wait for its kernel."""
        workspace = re.sub(r"\W+", "-", name) + secrets.token_hex(2)
        self.page.goto(
            f"http://127.0.0.1:{self._lab.port}/lab/workspaces/{workspace}/tree/{name}?token={self._lab.token}"
        )
        self.page.wait_for_function(
            """() => window.jupyterapp?.shell?.currentWidget?.sessionContext
                     ?.session?.kernel?.status === 'idle'""",
            timeout=SECONDS_TO_START * 1000,
        )
        return Notebook(self.page, name)

    def use_theme(self, theme: str) -> None:
        """Switch JupyterLab to the "light" or the "dark" theme."""
        self.page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", THEMES[theme]
        )
        self.page.wait_for_selector(
            f'body[data-jp-theme-light="{str(theme == "light").lower()}"]', state="attached"
        )

    def _keep_inside(self, route) -> None:
        address = urlsplit(route.request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname != "127.0.0.1":
            self.outside.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    def _note_console(self, message) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")


class Notebook:
    """The notebook that is open in the page."""

    def __init__(self, page, name: str):
        self.page, self.name = page, name

    def run_all(self, seconds: float = SECONDS_TO_RUN) -> None:
        """Run every cell from the top and wait for the last one."""
        finished = self.page.evaluate(
            """milliseconds => Promise.race([
                 jupyterapp.commands.execute('notebook:run-all-cells').then(() => true),
                 new Promise(resolve => setTimeout(() => resolve(false), milliseconds)),
               ])""",
            seconds * 1000,
        )
        if not finished:
            raise TimeoutError(f"{self.name} did not reach its last cell within {seconds:.0f} s.")

    def run(self, cell: int) -> None:
        """Run one cell again, counted from 0, and wait for it; its widgets have their first values again."""
        self.page.evaluate(
            """cell => {
                 jupyterapp.shell.currentWidget.content.activeCellIndex = cell;
                 return jupyterapp.commands.execute('notebook:run-cell');
               }""",
            cell,
        )

    def cells(self) -> list[dict]:
        """Every cell as it stands now: source, outputs, execution_count."""
        return self.page.evaluate(
            """() => Array.from(jupyterapp.shell.currentWidget.content.model.cells)
                       .map(cell => cell.toJSON())"""
        )

    def failures(self) -> list[str]:
        """What went wrong in cells, one line each."""
        return [
            f"cell {number}: {output['ename']}: {output['evalue']}"
            for number, cell in enumerate(self.cells())
            for output in cell.get("outputs", ())
            if output["output_type"] == "error"
        ]

    def pictures(self):
        """The images of all outputs, as a Playwright locator."""
        return self.page.locator(".jp-OutputArea-output img")

    def explorers(self) -> list[Explorer]:
        """The explorers on the page, from the top."""
        shown = self.page.locator(".mi-explorer")
        return [Explorer(self.page, shown.nth(index)) for index in range(shown.count())]

    def shut_down(self) -> None:
        """End the kernel, which gives its memory back."""
        self.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")


class Explorer:
    """One explorer on the page, and the learner's hands on its controls."""

    def __init__(self, page, part):
        self.page, self.part = page, part
        self.picture = part.locator(".mi-explorer-picture img")
        self.status = part.locator(".mi-explorer-status")

    def controls(self) -> list:
        """The controls, each as a locator."""
        parts = self.part.locator(".mi-explorer-controls > *")
        return [parts.nth(index) for index in range(parts.count())]

    def wait_until_drawn(self) -> None:
        """Wait until nothing is being drawn; fail with the explorer's own words if it complains."""
        self._wait("part => !part.querySelector('.mi-explorer-status').textContent.includes('working')")
        complaint = self.part.locator(".mi-explorer-status [role=alert]")
        if complaint.count():
            raise AssertionError(complaint.text_content())

    def changes_picture(self, move) -> bool:
        """Do ``move()`` and say whether the picture became another one, or the HTML that stands for one."""
        self.wait_until_drawn()
        before = self.part.evaluate(SHOWN)
        move()
        try:
            self._wait(f"(part, before) => ({SHOWN})(part) !== before", before)
        except TimeoutError:
            return False
        self.wait_until_drawn()
        return True

    def move_everything(self, upload: Path) -> list[str]:
        """Move each control once and return the names of those that changed nothing.

        ``upload`` is the picture that goes into every upload button.
        """
        return [
            control.text_content().strip() or f"control {number}"
            for number, control in enumerate(self.controls())
            if not self.changes_picture(lambda control=control: self.move(control, upload))
        ]

    def move(self, control, upload: Path | None = None) -> None:
        """Give a control another value, by keyboard where it has a handle, by mouse elsewhere."""
        control.scroll_into_view_if_needed()
        classes = control.get_attribute("class")
        if "slider" in classes:
            self.press_slider(control)
        elif "dropdown" in classes or "select" in classes:
            self.choose_other(control)
        elif "widget-upload" in classes:
            self.upload(control, upload)
        elif "widget-radio" in classes:
            control.locator("input[type=radio]:not(:checked)").first.click()
        elif "widget-toggle-buttons" in classes:
            control.locator("button:not(.mod-active)").first.click()
        elif "widget-checkbox" in classes:
            control.locator("input[type=checkbox]").click()
        elif "widget-text" in classes:
            # Without its last word a prompt is still one; a letter more would be a word that no model knows.
            control.locator("input, textarea").press("End")
            self.page.keyboard.press("Control+Backspace")
            self.page.keyboard.press("Tab")
        elif "widget-toggle-button" in classes or "widget-button" in classes:
            control.click()
        elif "mi-written-buttons" in classes or "mi-edit-buttons" in classes:
            control.locator("button").first.click()
        elif "mi-pixel-grid" in classes:
            control.locator("button").nth(9).click()
        else:
            raise NotImplementedError(
                f"The harness does not know how to move a control of class {classes!r}."
            )

    def press_slider(self, slider) -> None:
        """One step with the arrow keys: up, or down from the top."""
        handle = slider.locator(".noUi-handle").first
        handle.focus()
        at_top = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
        self.page.keyboard.press("ArrowLeft" if at_top else "ArrowRight")

    def drag_slider(self, slider, to: float) -> None:
        """Drag the handle with the mouse to a fraction of the slider's length."""
        slider.scroll_into_view_if_needed()
        track, handle = (
            slider.locator(".noUi-base").bounding_box(),
            slider.locator(".noUi-handle").bounding_box(),
        )
        y = handle["y"] + handle["height"] / 2
        self.page.mouse.move(handle["x"] + handle["width"] / 2, y)
        self.page.mouse.down()
        self.page.mouse.move(track["x"] + to * track["width"], y, steps=12)
        self.page.mouse.up()

    def choose_other(self, control) -> None:
        """Choose an option that is not chosen yet, in a drop-down or a list."""
        control.locator("select").select_option(
            index=control.locator("select").evaluate(
                "select => (select.selectedIndex + 1) % select.options.length"
            )
        )

    def upload(self, control, file: Path) -> None:
        """Press the upload button and choose a file."""
        with self.page.expect_file_chooser() as chooser:
            control.click()
        chooser.value.set_files(str(file))

    def _wait(self, condition: str, *arguments, seconds: float = SECONDS_TO_DRAW) -> None:
        deadline = time.monotonic() + seconds
        while not self.part.evaluate(condition, *arguments):
            if time.monotonic() > deadline:
                raise TimeoutError(f"Still not true after {seconds} s: {condition}")
            self.page.wait_for_timeout(50)
