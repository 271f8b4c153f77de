"""A real JupyterHub on this machine, with the course's configuration, in a room of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import requests

from tests.hub import open_folders
from tests.hub.learner import Learner

CLONE = Path(__file__).resolve().parents[2]
PROGRAMS = CLONE / "binder" / "hub"
sys.path.insert(0, str(PROGRAMS))  # the programs of a hub import each other by their plain names

SECONDS_TO_START = 120


class CannotRun(Exception):
    """Why no hub can be run here."""


class Hub:
    """JupyterHub and its proxy on free ports of the loopback; what it makes is deleted at the end.

    with Hub() as hub:
        ada = hub.learner("ada")
    """

    def __init__(self, memory: str = "2G") -> None:
        # Not in pytest's own folder, which is closed to other users, and a short name: see `room.LONGEST`.
        self._folder = Path(tempfile.mkdtemp(prefix="mi-hub-", dir="/tmp"))
        self._folder.chmod(0o755)
        self.log = self._folder / "hub.log"
        self.port = _three_free_ports()
        self._environment = {
            **os.environ,
            "MI_COURSE_HUB_FOLDER": str(self._folder / "room"),
            "MI_COURSE_HUB_IP": "127.0.0.1",
            "MI_COURSE_HUB_PORT": str(self.port),
            "MI_COURSE_HUB_MEMORY": memory,
            "PYTHONPATH": str(CLONE),
        }
        self._process: subprocess.Popen | None = None
        self._everything: set[psutil.Process] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def room(self):
        """The hub's own description of its folder."""
        from room import Room

        return Room(self._folder / "room", "127.0.0.1", self.port, "", (), "", "")

    def slip(self, name: str) -> str:
        """The password of a seat."""
        from seats import password

        return password(self.room.seat_secret.read_text("utf-8"), name)

    def learner(self, name: str) -> Learner:
        """Somebody with the slip of this seat."""
        return Learner(self.address, name, self.slip(name))

    def __enter__(self) -> Hub:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self) -> None:
        """Start the hub and wait until it answers."""
        prefix = []
        if os.geteuid() == 0:
            scratch = Path(tempfile.mkdtemp(dir=self._folder))
            node = Path(shutil.which("node")).resolve().parents[1]
            prefix = open_folders.command([Path(sys.base_prefix), Path(sys.prefix), CLONE, node], scratch)
            if prefix is None:
                raise CannotRun(f"other users cannot reach {sys.prefix}, and no mount namespace can be made")
        command = [sys.executable, "-m", "jupyterhub", "-f", str(PROGRAMS / "jupyterhub_config.py")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*prefix, *command], cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if requests.get(f"{self.address}/hub/health", timeout=5).ok:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"the hub did not start:\n{self.log.read_text()[-4000:]}")

    def crash(self) -> None:
        """End the hub at once, as a full memory would. Its proxy and the learners' servers go on."""
        self.processes()  # remembers them: without a hub they are nobody's children
        self._process.kill()
        self._process.wait(30)

    def processes(self) -> set[psutil.Process]:
        """All that the hub has started and that still runs, itself included."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._everything.add(psutil.Process(self._process.pid))
        for process in list(self._everything):
            with contextlib.suppress(psutil.NoSuchProcess):
                self._everything |= set(process.children(recursive=True))
        return {process for process in self._everything if process.is_running()}

    def __exit__(self, *_) -> None:
        if self._process is not None:
            found = self.processes()
            for process in found:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.terminate()
            for process in psutil.wait_procs(found, timeout=10)[1]:
                process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def _three_free_ports() -> int:
    """The first of three ports in a row that nobody listens on."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        try:
            for number in (port + 1, port + 2):
                with socket.socket() as other:
                    other.bind(("127.0.0.1", number))
        except (OSError, OverflowError):
            continue
        return port
