"""What each solved notebook costs: seconds from its first cell to its last, processor seconds, and peak memory.

Run by hand, on a machine that does nothing else (Linux or macOS); no test asserts a time:

    python -m tests.benchmarks.notebook_costs            # every chapter, and a server with one of them open
    python -m tests.benchmarks.notebook_costs 04 13      # some chapters

Each notebook runs as `mi-course build --execute` runs it: in a kernel of its own, from top to bottom, with nothing
solved before. Memory is the kernel's greatest resident size, as the operating system counted it. The server is the
one that `mi-course lab` starts; it is measured after it has opened the largest notebook and given it a kernel. What it
prints is the table of the README, where what was once measured stands.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil

from mi_course.commands import notebook_folders, stored_run
from tests.commands import jupyterlab_server

ASK = """import json, resource, sys
_used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([_used.ru_utime + _used.ru_stime, _used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)]))"""
"""The last cell of a measured notebook: this kernel's processor seconds, and its greatest memory in bytes."""


@dataclass(frozen=True)
class Costs:
    """Of one notebook: seconds on the clock (``wall``) and of the processor (``cpu``), and peak memory in bytes."""

    wall: float
    cpu: float
    memory: int


def costs(path: Path) -> Costs:
    """Run the notebook at ``path`` and say what it took."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(ASK))
    begun = time.monotonic()
    stored_run.run(notebook, path.parent)
    cpu, memory = json.loads(notebook.cells[-1].outputs[0].text)
    return Costs(time.monotonic() - begun, cpu, memory)


def server_memory(path: Path) -> int:
    """Bytes that a `mi-course lab` takes, without its kernels, once it has opened the notebook at ``path``."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        jupyterlab_server.running(
            Path(scratch) / "notebooks", "--solutions", scratch=Path(scratch)
        ) as server,
    ):
        server.get(f"api/contents/solutions/{path.name}")
        session = {"kernel": {"name": "python3"}, "name": path.name, "path": path.name, "type": "notebook"}
        request = urllib.request.Request(
            server.url + "api/sessions",
            json.dumps(session).encode(),
            {"Authorization": f"token {server.token}", "Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=60).close()
        return psutil.Process(server.process.pid).memory_info().rss


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", metavar="NN", help="default: all, and the server")
    chosen = parser.parse_args(arguments).chapters
    every = sorted(notebook_folders.solutions().glob("[0-9][0-9]_*.ipynb"))
    print("| notebook | seconds | processor seconds | memory, GB |\n|---|---|---|---|")
    for path in every:
        if not chosen or path.stem[:2] in chosen:
            took = costs(path)
            print(f"| {path.stem} | {took.wall:.0f} | {took.cpu:.0f} | {took.memory / 1e9:.2f} |", flush=True)
    if not chosen:
        largest = max(every, key=lambda path: path.stat().st_size)
        print(f"| JupyterLab's server, beside them | | | {server_memory(largest) / 1e9:.2f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
