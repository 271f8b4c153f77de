"""A Chromium for the browser tests: one that is here, else one that can be installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VARIABLE = "MI_COURSE_CHROMIUM"
"""Environment variable that names the browser to use."""

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
SECONDS_TO_INSTALL = 300


def find() -> str | None:
    """The path of a Chromium that runs on this machine, or None."""
    candidates = [os.environ.get(VARIABLE), *map(shutil.which, NAMES), *PLACES]
    found = next((path for path in candidates if path and _runs(path)), None)
    if found is None and (path := _playwrights()) and _runs(path):
        return path
    return found


def find_or_install() -> str | None:
    """The path of a Chromium; installs one where there is none, and returns None where that fails."""
    if path := find():
        return path
    print("No Chromium here; trying to install one for the browser tests …", flush=True)
    ways = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        ways += [
            ["apt-get", "update"],
            ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"],
        ]
    for command in ways:
        try:
            subprocess.run(command, timeout=SECONDS_TO_INSTALL, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"  {error}", flush=True)
        if path := find():
            return path
    return None


def _playwrights() -> str | None:
    """Where Playwright keeps its own Chromium, if Playwright is installed."""
    try:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            return playwright.chromium.executable_path
    except Exception:  # whatever keeps Playwright from starting, it has no browser for us then
        return None


def _runs(path: str) -> bool:
    """Whether this program starts: some systems have a `chromium-browser` that only asks to install it."""
    if not Path(path).is_file():
        return False
    if os.name == "nt":
        return True  # on Windows --version opens a window
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
