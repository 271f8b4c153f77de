"""The hub's proxy, a program of Node.js: the one that is here, else one that npm can install into the environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAME = "configurable-http-proxy"
VERSION = "5.3.0"
SECONDS_TO_INSTALL = 180


def find() -> str | None:
    """The path of a proxy that runs on this machine, or None."""
    own = str(Path(sys.prefix) / "bin")
    path = shutil.which(NAME, path=os.pathsep.join([own, os.environ.get("PATH", "")]))
    if path is None or shutil.which("node") is None:
        return None
    runs = subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    return path if runs else None


def find_or_install() -> str | None:
    """The path of a proxy; installs one where there is none, and returns None where that fails."""
    path, npm = find(), shutil.which("npm")
    if path or npm is None:
        return path
    print("No proxy for JupyterHub here; npm is installing one into the environment …", flush=True)
    command = [
        npm,
        "install",
        "--global",
        "--prefix",
        sys.prefix,
        "--no-audit",
        "--no-fund",
        f"{NAME}@{VERSION}",
    ]
    try:
        subprocess.run(command, timeout=SECONDS_TO_INSTALL, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"  {error}", flush=True)
    return find()
