"""What some cells of a notebook need of those before them: tests of a part run no more than that."""

import ast
import symtable
from collections.abc import Callable

from nbformat import NotebookNode


def needed_for(wanted: Callable[[NotebookNode], bool], cells: list[NotebookNode]) -> list[NotebookNode]:
    """The wanted code cells, and before each of them the cells that define the names it uses, in their order."""
    kept, needed = [], set()
    for cell in reversed(cells):
        if cell.cell_type != "code":
            continue
        given, used = names(cell.source)
        if wanted(cell) or given & needed:
            needed = (needed | used) - given
            kept.insert(0, cell)
    return kept


def needed_before(cells: list[str], earlier: list[str]) -> list[str]:
    """What ``cells`` need of the earlier ones: those of their statements that define the names that are used.

    The first cell, which sets up, is whole. What only prints, draws or changes something in place is left out.
    """
    kept, needed = [], set()
    for cell in reversed(cells):
        given, used = names(cell)
        needed = (needed | used) - given
    for number, cell in reversed(list(enumerate(earlier))):
        found = []
        for statement in reversed([cell] if number == 0 else statements(cell)):
            given, used = names(statement)
            if given & needed:
                needed = (needed - given) | used
                found.insert(0, statement)
        if found:
            kept.insert(0, "\n".join(found))
    return kept


def statements(source: str) -> list[str]:
    return [ast.unparse(statement) for statement in ast.parse(source).body]


def names(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell gives a value, and those of the notebook that it uses, in functions too."""
    table = symtable.symtable(source, "cell", "exec")
    symbols = table.get_symbols()
    given = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported() or s.is_namespace()}
    return given, {s.get_name() for s in symbols if s.is_referenced()} | used_inside(table)


def used_inside(table: symtable.SymbolTable) -> set[str]:
    """The notebook's names that functions, classes and comprehensions of a cell use; their own are not among them."""
    found = set()
    for inner in table.get_children():
        found |= {s.get_name() for s in inner.get_symbols() if s.is_referenced() and s.is_global()}
        found |= used_inside(inner)
    return found
