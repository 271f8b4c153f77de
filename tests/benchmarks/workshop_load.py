"""How long a chapter takes, and how much memory, when a room full of learners runs it on one JupyterHub.

Run by hand, as root, in the course's environment with its test packages; no test asserts a time:

    PYTHONPATH=. .venv/bin/python tests/benchmarks/workshop_load.py --learners 10

It starts the real hub and proxy with the course's configuration on this machine, and gives each learner a server, the
chapters (by nbgitpuller) and a kernel. Then all of them run the same chapter at the same time, cell by cell, over the
proxy, as learners who have solved nothing. Everybody presses Run at once and never stops to think, which no room does:
it is the worst case. Times are wall-clock seconds and say something on an idle machine only.

Memory is the proportional set size: a page that several processes share counts in parts, so that sums are right.
"Server" is a learner's JupyterLab, "kernel" a learner's Python with the chapter in it. They are looked at every
two seconds, so a shorter peak can be missed.

Once measured (two cores, 24 GB, November 2026): 10 learners, the last server after 35 s, the last chapter after 296 s,
half of the cells within 0.5 s, 130 MB a server, 660 MB a kernel, 8.1 GB in all, no cell failed.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import tempfile
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.hub import proxy
from tests.hub.learner import Learner
from tests.hub.running import CLONE, Hub

CHAPTER = "06_induction_heads.ipynb"


@dataclass
class Seat:
    """What one learner waited for, in seconds."""

    server: float = 0.0
    chapters: float = 0.0
    kernel: float = 0.0
    cells: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def chapter(self) -> float:
        return sum(self.cells)


def take_seat(learner: Learner, link: dict[str, str]) -> Seat:
    """Log in, start a server, pull the chapters."""
    learner.log_in()
    seat = Seat(server=learner.start_server())
    begun = time.monotonic()
    learner.pull(**link)
    seat.chapters = time.monotonic() - begun
    return seat


def run_chapter(learner: Learner, seat: Seat, folder: str, chapter: str, together: threading.Barrier) -> None:
    """Every code cell from top to bottom, when all are ready."""
    cells = [
        cell["source"] for cell in learner.read(f"{folder}/{chapter}")["cells"] if cell["cell_type"] == "code"
    ]
    begun = time.monotonic()
    try:
        with learner.kernel(folder) as kernel:
            seat.kernel = time.monotonic() - begun
            together.wait()
            for source in cells:
                ran = kernel.run(source)
                seat.cells.append(ran.seconds)
                if ran.error:
                    seat.errors.append(ran.error)
            together.wait()  # kernels end together, so that the memory of all is seen at once
    except BaseException:
        together.abort()  # nobody waits for somebody who does not come
        raise


class Watch(threading.Thread):
    """Looks at the hub's processes again and again; keeps the largest sizes and the processor time."""

    def __init__(self, hub: Hub, every: float = 2.0) -> None:
        super().__init__(daemon=True)
        self._hub, self._every, self._end = hub, every, threading.Event()
        self.most: dict[str, Counter[int]] = defaultdict(Counter)
        """The largest size of each process, by kind and number."""
        self.together: Counter[str] = Counter()
        """The largest size of all processes of a kind together, and of "all"."""
        self.seconds: dict[str, Counter[int]] = defaultdict(Counter)
        """Processor time of each process, by kind and number."""

    def run(self) -> None:
        while not self._end.wait(self._every):
            now: Counter[str] = Counter()
            for process in self._hub.processes():
                try:
                    kind, size = _kind(process), process.memory_full_info().pss
                    used = sum(process.cpu_times()[:2])
                except psutil.Error:
                    continue
                now[kind] += size
                now["all"] += size
                self.most[kind] |= Counter({process.pid: size})
                self.seconds[kind] |= Counter({process.pid: used})
            self.together |= now

    def stop(self) -> None:
        self._end.set()
        self.join()


def _kind(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    if "ipykernel_launcher" in line:
        return "kernel"
    if "jupyterhub.singleuser" in line:
        return "server"
    return "hub and proxy"


def report(seats: list[Seat], watch: Watch) -> None:
    size = psutil.virtual_memory().total / 2**30
    print(
        f"{len(seats)} learners, {os.cpu_count()} cores, {size:.0f} GiB, Python {platform.python_version()}"
    )
    for name, values in {
        "server started after": [seat.server for seat in seats],
        "chapters pulled in": [seat.chapters for seat in seats],
        "kernel started in": [seat.kernel for seat in seats],
        "whole chapter in": [seat.chapter for seat in seats],
    }.items():
        print(f"{name:<22} {statistics.median(values):6.1f} s median {max(values):6.1f} s worst")
    cells = sorted(second for seat in seats for second in seat.cells)
    shares = {f"{share} %": cells[min(len(cells) - 1, len(cells) * share // 100)] for share in (50, 90, 99)}
    print(f"{'a cell':<22} " + "   ".join(f"{name} within {value:.2f} s" for name, value in shares.items()))
    for kind in ("server", "kernel"):
        sizes = [size / 1e6 for size in watch.most[kind].values()]
        used = statistics.median(watch.seconds[kind].values())
        print(
            f"{'a ' + kind:<22} {statistics.median(sizes):6.0f} MB median {max(sizes):5.0f} MB most "
            f"{used:6.1f} s of processor time"
        )
    print(f"{'hub and proxy':<22} {watch.together['hub and proxy'] / 1e6:6.0f} MB")
    print(f"{'all at once, at most':<22} {watch.together['all'] / 1e6:6.0f} MB")
    last, slowest = max(seat.server for seat in seats), max(seat.chapter for seat in seats)
    row = f"{len(seats)} | {last:.0f} s | {slowest:.0f} s | {cells[len(cells) // 2]:.1f} s"
    print(f"as a row of binder/hub/README.md: | {row} | {watch.together['all'] / 1e9:.1f} GB |")
    errors = [error for seat in seats for error in seat.errors]
    print(f"{'cells that failed':<22} {len(errors)}", *sorted(set(errors)), sep="\n  ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--learners", type=int, default=10)
    parser.add_argument("--chapter", default=CHAPTER)
    options = parser.parse_args()
    if proxy.find_or_install() is None:
        raise SystemExit("No configurable-http-proxy: it needs Node.js and npm.")
    names = [f"learner-{number:02}" for number in range(1, options.learners + 1)]
    together = threading.Barrier(len(names))
    with Hub() as hub, ThreadPoolExecutor(len(names)) as pool, tempfile.TemporaryDirectory() as scratch:
        import handout

        link = {
            "repository": handout.rooms_repository(hub.room),
            "branch": handout.BRANCH,
            "into": handout.FOLDER,
        }
        handout.hand_out(link["repository"], _commit_of_the_chapters(Path(scratch)))
        watch = Watch(hub)
        watch.start()
        learners = [hub.learner(name) for name in names]
        seats = list(pool.map(lambda learner: take_seat(learner, link), learners))
        runs = [
            pool.submit(run_chapter, learner, seat, handout.FOLDER, options.chapter, together)
            for learner, seat in zip(learners, seats)
        ]
        for run in runs:
            run.result()
        watch.stop()
        report(seats, watch)


def _commit_of_the_chapters(folder: Path) -> Path:
    """A repository with the chapters as they are in the clone, committed or not."""
    import handout

    shutil.copytree(CLONE / "chapters", folder / "chapters")
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "The chapters"],
    ):
        handout.run_git(folder, *command)
    return folder


if __name__ == "__main__":
    main()
