"""A Chromium with one page, in which JupyterLab stays loaded while one notebook after the other is opened."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.browser.jupyter_lab import SECONDS_TO_START, JupyterLab
from tests.browser.notebook import Notebook

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MILLISECONDS_TO_ANSWER = 60_000

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

FORGET = """import gc, ipywidgets, torch
ipywidgets.Widget.close_all()
torch.set_grad_enabled(True)
get_ipython().run_line_magic('reset', '-f')
__import__('gc').collect()"""
"""Python: the kernel as the next notebook finds it, without names, widgets and switches of the one before."""

CLOSE_ALL = """async forget => {
  for (const shown of Array.from(jupyterapp.shell.widgets('main'))) {
    const kernel = shown.sessionContext?.session?.kernel;
    if (kernel) await (kernel.status === 'idle' ? kernel.requestExecute({code: forget}).done : kernel.restart());
    shown.dispose();
  }
}"""
"""JavaScript: takes every notebook off the page, unsaved. A kernel that hangs in one begins anew."""

IS_READY = """name => {
  const shown = window.jupyterapp?.shell?.currentWidget;
  return shown?.context?.path === name && shown.context.isReady
         && shown.sessionContext?.session?.kernel?.status === 'idle';
}"""


class Browser:
    """Chromium with one page; it notes every request that leaves this machine, and every error."""

    def __init__(self, executable: str, lab: JupyterLab):
        self._executable, self._lab = executable, lab
        self._loaded = False
        self.outside: list[str] = []
        self.errors: list[str] = []

    def __enter__(self) -> Browser:
        from playwright.sync_api import sync_playwright

        self._playwright = sync_playwright().start()
        self._chromium = self._playwright.chromium.launch(executable_path=self._executable, args=ARGUMENTS)
        self.page = self._chromium.new_page(viewport={"width": 1280, "height": 1000})
        self.page.set_default_timeout(MILLISECONDS_TO_ANSWER)
        self.page.route(lambda address: not is_here(address), self._refuse)
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        return self

    def __exit__(self, *_):
        self._chromium.close()
        self._playwright.stop()

    def open(self, name: str) -> Notebook:
        """Open a notebook of the server's folder instead of the one before, and wait for the kernel."""
        if self._loaded:
            self.page.evaluate(CLOSE_ALL, FORGET)
        self._lab.hand_kernel_to(name)
        if self._loaded:
            self.page.evaluate("path => void jupyterapp.commands.execute('docmanager:open', {path})", name)
        else:
            self.page.goto(self._lab.address(f"lab/tree/{name}"))
            self._loaded = True
        self.page.wait_for_function(IS_READY, arg=name, timeout=SECONDS_TO_START * 1000)
        return Notebook(self.page, name)

    def empty_page(self):
        """A page of its own for what is no notebook."""
        return self._chromium.new_page()

    def use_theme(self, theme: str) -> None:
        """Switch JupyterLab to the "light" or the "dark" theme."""
        self.page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", THEMES[theme]
        )
        self.page.wait_for_selector(
            f'body[data-jp-theme-light="{str(theme == "light").lower()}"]', state="attached"
        )

    def _refuse(self, route) -> None:
        self.outside.append(route.request.url)
        route.abort()

    def _note_console(self, message) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")


def is_here(address: str) -> bool:
    """Whether what has this address is on this machine."""
    parts = urlsplit(address)
    return parts.scheme not in ("http", "https", "ws", "wss") or parts.hostname == "127.0.0.1"
