"""A JupyterLab started by `mi-course lab`, for tests that talk to it; stopped at the end."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

SECONDS_TO_START = 60
TOKEN = "for-the-tests"


class Running:
    """A JupyterLab that answers. ``url`` ends with a slash."""

    def __init__(self, process: subprocess.Popen, url: str):
        self.process = process
        self.url = url
        self.token = TOKEN

    def get(self, path: str):
        """What the server answers under ``path``, read as JSON."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"token {TOKEN}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)


@contextlib.contextmanager
def running(folder: Path, *arguments: str, scratch: Path):
    """Run `mi-course lab folder` on a free port until the block ends. ``scratch``: an empty folder of ours."""
    environment = {
        **os.environ,
        "JUPYTER_RUNTIME_DIR": str(scratch / "runtime"),
        "JUPYTER_CONFIG_DIR": str(scratch / "config"),
        "JUPYTER_DATA_DIR": str(scratch / "data"),
        "JUPYTERLAB_WORKSPACES_DIR": str(scratch / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(scratch / "settings"),
    }
    command = [
        sys.executable,
        "-m",
        "mi_course",
        "lab",
        str(folder),
        "--no-browser",
        "--port",
        "0",
        *arguments,
    ]
    command += ["--", f"--IdentityProvider.token={TOKEN}"]
    log = scratch / "server.log"
    scratch.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        yield Running(process, _wait_for_url(process, scratch / "runtime", log))
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_url(process: subprocess.Popen, runtime: Path, log: Path) -> str:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(ValueError, OSError):
                url = json.loads(path.read_text())["url"]
                urllib.request.urlopen(f"{url}api", timeout=5).close()
                return url
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()}")
