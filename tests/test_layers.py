"""The package reads from left to right: each layer imports only those before it, and no file imports back."""

import ast
from pathlib import Path

import pytest

import mi_course

PACKAGE = Path(mi_course.__file__).parent
LAYERS = ("vocabulary", "data", "models", "methods", "plots", "widgets", "exercises", "commands")
PART_OF = {"__init__": "vocabulary", "__main__": "commands", "cli": "commands", "start": "commands"}
MAY_IMPORT = {layer: set(LAYERS[: number + 1]) for number, layer in enumerate(LAYERS)}
MAY_IMPORT["recipes"] = {"vocabulary", "data", "models", "methods", "recipes"}


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def layer(module):
    """The folder that a module is in; files beside the folders are vocabulary, or the way in."""
    _, _, rest = module.partition(".")
    first = rest.partition(".")[0] or "__init__"
    return first if (PACKAGE / first).is_dir() else PART_OF.get(first, "vocabulary")


def imports(module, modules=MODULES):
    """Every module of the package that ``module`` imports anywhere, also inside its functions."""
    path = modules[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            below = {f"{origin}.{alias.name}" for alias in node.names}
            found |= {name if name in modules else origin for name in below}
    return {name for name in found if name in modules and name != module}


def cycle(graph):
    """One way from a module back to itself, or nothing."""
    done, path = set(), []

    def visit(module):
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return None
        path.append(module)
        for target in sorted(graph[module]):
            if found := visit(target):
                return found
        path.pop()
        done.add(module)
        return None

    return next((found for module in sorted(graph) if (found := visit(module))), None)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_its_layer_and_those_before_it(module):
    allowed = MAY_IMPORT[layer(module)]
    assert {target for target in imports(module) if layer(target) not in allowed} == set()


def test_no_module_imports_itself_on_a_detour():
    assert cycle({module: imports(module) for module in MODULES}) is None


def test_nothing_imports_recipes():
    importers = {
        m for m in MODULES if layer(m) != "recipes" and any(layer(t) == "recipes" for t in imports(m))
    }
    assert importers == set()


def test_the_package_itself_imports_none_of_its_modules():
    assert imports("mi_course") == set()


def test_no_file_is_a_drawer_for_everything():
    forbidden = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not [module for module in MODULES if forbidden & set(module.split("."))]


def test_the_reading_of_imports_sees_every_form(tmp_path):
    for name, text in {
        "p/__init__.py": "",
        "p/a.py": "import p.b\n",
        "p/b.py": "def f():\n    from p import c\n",
        "p/c.py": "from .d import x\nimport os\n",
        "p/d.py": "if 1:\n    from . import a as y\n    from p.e import z\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    modules = {f"p.{path.stem}": path for path in tmp_path.glob("p/[a-z].py")}
    graph = {module: imports(module, modules) for module in modules}
    assert graph == {"p.a": {"p.b"}, "p.b": {"p.c"}, "p.c": {"p.d"}, "p.d": {"p.a"}}
    assert cycle(graph) == ["p.a", "p.b", "p.c", "p.d", "p.a"]
