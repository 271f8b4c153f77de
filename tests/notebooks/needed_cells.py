"""The cells of a notebook that some of its cells need: tests of a part run no more than that."""

import ast
from collections.abc import Callable

from nbformat import NotebookNode


def needed_for(wanted: Callable[[NotebookNode], bool], cells: list[NotebookNode]) -> list[NotebookNode]:
    """The wanted code cells, and before each of them the cells that define the names it uses, in their order."""
    kept, needed = [], set()
    for cell in reversed(cells):
        if cell.cell_type != "code":
            continue
        gives = names(cell.source, ast.Store)
        if wanted(cell) or gives & needed:
            needed = (needed - gives) | from_before(cell.source)
            kept.insert(0, cell)
    return kept


def names(source: str, context: type) -> set[str]:
    """The names that a cell uses (`ast.Load`) or gives a value (`ast.Store`)."""
    tree = ast.parse(source)
    found = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }
    if context is ast.Store:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(node.name)
    return found


def from_before(source: str) -> set[str]:
    """The names that a cell uses and does not give a value itself."""
    return names(source, ast.Load) - names(source, ast.Store)
