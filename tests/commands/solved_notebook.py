"""A small solved notebook, as authors write them: two exercises, one inside a function, one at the margin."""

import nbformat
from nbformat import NotebookNode, v4

FUNCTION = '''def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    two = 2

    return two * x
    ### END SOLUTION


print(1)'''

VALUE = """answer = ...
### BEGIN SOLUTION
answer = 3
### END SOLUTION
answer"""


def notebook(*cells: NotebookNode | str) -> NotebookNode:
    """A notebook of these cells; a text is a code cell."""
    made = v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "mine"}, "other": 1})
    for number, cell in enumerate(cells):
        node = v4.new_code_cell(cell) if isinstance(cell, str) else cell
        node.id = f"cell-{number}"
        made.cells.append(node)
    return made


def solved() -> NotebookNode:
    return notebook(v4.new_markdown_cell("# Title"), FUNCTION, VALUE)


def save(made: NotebookNode, path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, path)
