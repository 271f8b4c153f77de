"""Every test of the course, one after the other, and a summary: `python3 -m mi_course.start test`.

Arguments go to pytest's run over tests/, for instance `-k lab`.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests import chromium
from tests.hub import proxy

CLONE = Path(__file__).resolve().parent.parent
# In the order of collection, which begins with the browser: the longest files first, so that both workers end together.
PYTEST = (sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
NBVAL = (
    *PYTEST,
    *("-p", "tests.notebook_environment"),
    *("--nbval-current-env", "--nbval-cell-timeout", "300"),
    *("--nbval-sanitize-with", "tests/nbval_sanitize.cfg"),
)


def steps(arguments: list[str]) -> dict[str, list[str]]:
    """The commands of the programme, by what they show."""
    ruff = [sys.executable, "-m", "ruff"]
    return {
        "style": [*ruff, "check", "."],
        "layout": [*ruff, "format", "--check", "."],
        "tests": [*PYTEST, "tests", *arguments],
        # A chapter stores no outputs, so nothing of it is compared: it has to run, with nothing solved.
        "solutions repeat their outputs, chapters run": [*NBVAL, "--nbval", "solutions", "chapters"],
    }


def main(arguments: list[str]) -> int:
    browser, hubs_proxy = chromium.find_or_install(), proxy.find_or_install()
    # Two workers share the machine; threads of torch on top of them only wait for each other.
    environment = {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONUNBUFFERED": "1"}
    if browser:
        environment[chromium.VARIABLE] = browser
    verdicts = []
    for name, command in steps(arguments).items():
        print(f"\n=== {name}", flush=True)
        begun = time.monotonic()
        passed = subprocess.run(command, cwd=CLONE, env=environment).returncode == 0
        verdicts.append((passed, f"{name} ({time.monotonic() - begun:.0f} s)"))

    print("\n=== Summary")
    for passed, line in verdicts:
        print(f"{'passed' if passed else 'FAILED'}  {line}")
    if not browser:
        print("skipped  browser tests: no Chromium on this machine, and none could be installed")
    if not hubs_proxy:
        print(
            "skipped  the hub's tests: no configurable-http-proxy, and none could be installed (needs Node.js)"
        )
    everything = all(passed for passed, _ in verdicts)
    print("\nAll passed." if everything else "\nSomething failed; see above.")
    return 0 if everything else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
