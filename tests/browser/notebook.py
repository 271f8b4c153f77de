"""The notebook that is open in JupyterLab: run it, read what its cells say, find its explorers."""

from __future__ import annotations

from tests.browser.explorer import Explorer

SECONDS_TO_RUN = 240


class Notebook:
    """The notebook that is open in the page."""

    def __init__(self, page, name: str):
        self.page, self.name = page, name

    def run_all(self, seconds: float = SECONDS_TO_RUN) -> None:
        """Run every cell from the top and wait for the last one."""
        finished = self.page.evaluate(
            """milliseconds => Promise.race([
                 jupyterapp.commands.execute('notebook:run-all-cells').then(() => true),
                 new Promise(resolve => setTimeout(() => resolve(false), milliseconds)),
               ])""",
            seconds * 1000,
        )
        if not finished:
            raise TimeoutError(f"{self.name} did not reach its last cell within {seconds:.0f} s.")

    def run(self, cell: int) -> None:
        """Run one cell again, counted from 0, and wait for it; its widgets have their first values again."""
        self.page.evaluate(
            """cell => {
                 jupyterapp.shell.currentWidget.content.activeCellIndex = cell;
                 return jupyterapp.commands.execute('notebook:run-cell');
               }""",
            cell,
        )

    def cells(self) -> list[dict]:
        """Every cell as it stands now: source, outputs, execution_count."""
        return self.page.evaluate(
            """() => Array.from(jupyterapp.shell.currentWidget.content.model.cells)
                       .map(cell => cell.toJSON())"""
        )

    def failures(self) -> list[str]:
        """What went wrong in cells, one line each."""
        return self.page.evaluate(
            """() => Array.from(jupyterapp.shell.currentWidget.content.model.cells).flatMap((cell, number) =>
                 (cell.toJSON().outputs ?? []).filter(output => output.output_type === 'error')
                   .map(output => `cell ${number}: ${output.ename}: ${output.evalue}`))"""
        )

    def outputs(self):
        """What stands below each code cell, as a Playwright locator of as many."""
        return self.page.locator(".jp-CodeCell .jp-Cell-outputWrapper")

    def pictures(self):
        """The images of all outputs, as a Playwright locator."""
        return self.page.locator(".jp-OutputArea-output img")

    def explorers(self) -> list[Explorer]:
        """The explorers on the page, from the top."""
        shown = self.page.locator(".mi-explorer")
        return [Explorer(self.page, shown.nth(index)) for index in range(shown.count())]
