"""A learner at a hub, as a browser would be one: logs in, starts a server, gets the chapters, runs cells.

ada = Learner("http://127.0.0.1:8000", "ada", password)
ada.log_in()
ada.start_server()
ada.pull(repository, branch="chapters", into="mi-course")
with ada.kernel() as kernel:
    print(kernel.run("1 + 1").text)
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import requests
import websocket

SECONDS_TO_START = 300
SECONDS_FOR_A_CELL = 300


@dataclass(frozen=True)
class Ran:
    """What one cell did."""

    text: str
    """What it printed, and its last value."""
    error: str
    """The name and message of the exception; empty if there was none."""
    seconds: float
    """From sending it until the kernel was idle again."""


class Learner:
    """One learner's session with the hub at ``address``."""

    def __init__(self, address: str, name: str, password: str) -> None:
        self.address, self.name, self._password = address.rstrip("/"), name, password
        self._session = requests.Session()

    def log_in(self) -> None:
        """Through the form of the log-in page, then with a token of the learner's own."""
        page = f"{self.address}/hub/login"
        self._session.get(page, timeout=60).raise_for_status()
        form = {"username": self.name, "password": self._password, "_xsrf": self._session.cookies["_xsrf"]}
        answer = self._session.post(page, data=form, allow_redirects=False, timeout=60)
        if answer.status_code != 302:
            raise PermissionError(f"{self.name} may not come in: status {answer.status_code}")
        self._session.get(f"{self.address}/hub/home", timeout=60).raise_for_status()
        token = self._session.post(
            f"{self.address}/hub/api/users/{self.name}/tokens",
            headers={"X-XSRFToken": self._session.cookies["_xsrf"]},
            timeout=60,
        )
        token.raise_for_status()
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"token {token.json()['token']}"

    def start_server(self) -> float:
        """Ask for a server and wait until it answers; returns the seconds that took."""
        begun = time.monotonic()
        self._request("POST", f"/hub/api/users/{self.name}/server")
        while time.monotonic() < begun + SECONDS_TO_START:
            if self._request("GET", f"/hub/api/users/{self.name}").json()["server"]:
                self.get("api/status")
                return time.monotonic() - begun
            time.sleep(0.2)
        raise TimeoutError(f"the server of {self.name} did not start in {SECONDS_TO_START} s")

    def stop_server(self) -> None:
        """Stop it with all its kernels."""
        self._request("DELETE", f"/hub/api/users/{self.name}/server")

    def get(self, path: str, of: str | None = None) -> requests.Response:
        """What a server answers under ``path``: the learner's own, or that ``of`` somebody else."""
        return self._request("GET", f"/user/{of or self.name}/{path}")

    def read(self, path: str) -> dict:
        """A notebook of the learner's, as JSON."""
        return self.get(f"api/contents/{quote(path)}").json()["content"]

    def save(self, path: str, notebook: dict) -> None:
        """Save a notebook, as JupyterLab does."""
        model = {"type": "notebook", "format": "json", "content": notebook}
        self._request("PUT", f"/user/{self.name}/api/contents/{quote(path)}", json=model)

    def pull(self, repository: str, *, branch: str, into: str) -> list[str]:
        """Open a link of nbgitpuller; returns what git said. Raises RuntimeError if it failed."""
        with self._session.get(
            f"{self.address}/user/{self.name}/git-pull/api",
            params={"repo": repository, "branch": branch, "targetpath": into},
            stream=True,
            timeout=SECONDS_FOR_A_CELL,
        ) as events:
            events.raise_for_status()
            said = [json.loads(line[6:]) for line in events.iter_lines() if line.startswith(b"data: ")]
        if said[-1]["phase"] != "finished":
            raise RuntimeError(f"nbgitpuller: {said[-1].get('message')}\n{said[-1].get('output')}")
        return [event["output"] for event in said if "output" in event]

    @contextlib.contextmanager
    def kernel(self, folder: str = "") -> Iterator[Kernel]:
        """A kernel that works in ``folder``, until the block ends."""
        model = {"name": "python3", "path": f"{folder}/untitled.ipynb" if folder else ""}
        id = self._request("POST", f"/user/{self.name}/api/kernels", json=model).json()["id"]
        kernel = self.connect(id)
        try:
            yield kernel
        finally:
            kernel.close()
            self._request("DELETE", f"/user/{self.name}/api/kernels/{id}")

    def connect(self, id: str) -> Kernel:
        """A connection to a kernel that runs."""
        channels = f"ws{self.address.removeprefix('http')}/user/{self.name}/api/kernels/{id}/channels"
        header = {"Authorization": self._session.headers["Authorization"]}
        return Kernel(id, websocket.create_connection(channels, header=header, timeout=SECONDS_FOR_A_CELL))

    def _request(self, method: str, path: str, **options) -> requests.Response:
        answer = self._session.request(
            method, self.address + path, allow_redirects=False, timeout=SECONDS_TO_START, **options
        )
        if answer.status_code in (401, 403) or answer.is_redirect:
            raise PermissionError(f"{self.name} may not {method} {path}: status {answer.status_code}")
        answer.raise_for_status()
        return answer


class Kernel:
    """A kernel's channels, over the hub's proxy."""

    def __init__(self, id: str, socket: websocket.WebSocket) -> None:
        self.id, self._socket = id, socket

    def close(self) -> None:
        """Close the connection. The kernel goes on."""
        self._socket.close()

    def run(self, code: str) -> Ran:
        """Run one cell and wait until the kernel has answered and is idle."""
        id, begun = secrets.token_hex(8), time.monotonic()
        header = {
            "msg_id": id,
            "msg_type": "execute_request",
            "session": "tests",
            "username": "",
            "version": "5.3",
        }
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        message = {
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": "shell",
        }
        self._socket.send(json.dumps(message))
        text, error, waiting_for = [], "", {"execute_reply", "idle"}
        while waiting_for:
            message = json.loads(self._socket.recv())
            if message["parent_header"].get("msg_id") != id:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                text.append(content["text"])
            elif kind in ("execute_result", "display_data"):
                text.append(content["data"].get("text/plain", ""))
            elif kind == "error":
                error = f"{content['ename']}: {content['evalue']}"
            waiting_for -= {kind, content.get("execution_state")}
        return Ran("".join(text), error, time.monotonic() - begun)
