"""A JupyterLab server on this machine, with our settings; its notebooks share one kernel, one after the other.

A kernel of its own for every notebook would cost each of them the import of torch. That a chapter runs in a fresh
kernel is what nbval shows.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from mi_course.commands.lab import JUPYTER_CONFIG

SECONDS_TO_START = 180
SECONDS_TO_ANSWER = 60

OWN_FOLDERS = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
}
"""What this machine's user has in these folders has no part in a test."""


class JupyterLab:
    """A server on a free port, with our settings and none of this machine's user."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.token = secrets.token_hex(16)
        self._session: str | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def __enter__(self) -> JupyterLab:
        own = self.folder.parent / f"{self.folder.name}-jupyter"
        own.mkdir(parents=True)
        self.log = own / "log.txt"
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab"),
                *("--no-browser", "--expose-app-in-browser", "--allow-root"),
                *("--ip=127.0.0.1", f"--port={self.port}", "--ServerApp.port_retries=0"),
                *(f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.folder}"),
            ],
            env={
                **os.environ,
                "JUPYTER_CONFIG_PATH": str(JUPYTER_CONFIG),
                **{variable: str(own / name) for variable, name in OWN_FOLDERS.items()},
            },
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

    def address(self, path: str) -> str:
        """Where a page of this server is."""
        return f"http://127.0.0.1:{self.port}/{path}?token={self.token}"

    def hand_kernel_to(self, name: str) -> None:
        """The notebook of this name is the one that the kernel belongs to from now on."""
        session = {"path": name, "name": name, "type": "notebook"}
        if self._session is None:
            self._session = self._ask("POST", "api/sessions", session | {"kernel": {"name": "python3"}})["id"]
        else:
            self._ask("PATCH", f"api/sessions/{self._session}", session)

    def _ask(self, method: str, path: str, body: dict) -> dict:
        request = urllib.request.Request(
            self.address(path),
            method=method,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=SECONDS_TO_ANSWER) as answer:
            return json.load(answer)

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                urllib.request.urlopen(self.address("api"), timeout=5).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        self.__exit__()
        raise RuntimeError(f"JupyterLab did not start on port {self.port}:\n{self.log.read_text()[-3000:]}")
