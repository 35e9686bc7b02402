"""Imports point down. The order is the design's: a line imports only from lines below it, and no two modules import each other."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = (
    ("__main__",),
    ("cli",),
    ("sweeps",),
    ("run", "doctor"),
    ("winner", "report"),
    ("coordinator",),
    ("tracking", "export"),
    ("executors",),
    ("worker",),
    ("ledger", "bundle"),
    ("catalog",),
    ("data",),
    ("tasks",),
    ("sources",),
    ("messages", "config", "direction"),
    ("errors", "rounding"),
    ("encoding",),
)
RANK = {name: len(LAYERS) - level for level, names in enumerate(LAYERS) for name in names}
FILES = sorted((ROOT / "automl").rglob("*.py"))
NAMES = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in FILES}
MODULES = set(NAMES.values())


@cache
def imports(path: Path) -> tuple[tuple[str, bool], ...]:
    """Return pairs of a module and whether it is imported when the file is."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[str, bool]]:
    tree = ast.parse(path.read_text())
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # `from package import module` needs that module; `from package import name` needs the package.
            home = ".".join(filter(None, (_package(path, node.level), node.module)))
            modules = {f"{home}.{alias.name}" for alias in node.names} & MODULES
            yield from ((module, id(node) in top) for module in modules or {home})


def _package(path: Path, dots: int) -> str:
    """What the dots of a relative import stand for; empty for none."""
    return ".".join(path.relative_to(ROOT).parts[:-dots]) if dots else ""


def part_of(path: Path) -> str:
    """`automl/coordinator/study.py` belongs to `search`."""
    return path.relative_to(ROOT / "automl").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        return  # the public API reaches down to run, bundle and tasks, lazily
    for module, _ in imports(path):
        names = module.split(".")
        if names[0] == "automl" and len(names) > 1 and names[1] in RANK and names[1] != part:
            assert RANK[names[1]] < RANK[part], f"{path.name} imports {module}, which is not below {part}"


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {
        name: {module for module, top in imports(path) if top and module in MODULES - {name}}
        for path, name in NAMES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


def test_the_encoders_code_works_under_any_name_and_needs_numpy_alone() -> None:
    for path in (ROOT / "automl" / "encoding").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                continue
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert {name.partition(".")[0] for name in names} <= {"numpy", *sys.stdlib_module_names}, path


def test_no_file_of_the_encoders_hides_what_the_package_offers() -> None:
    import automl.encoding

    names = {path.stem for path in (ROOT / "automl" / "encoding").glob("*.py")}
    assert not names & set(automl.encoding.__all__)


@pytest.mark.parametrize("package", ["search_spaces", "lightning_modules"])
def test_leaf_packages_import_neither_automl_nor_each_other(package: str) -> None:
    for path in (ROOT / package).glob("*.py"):
        foreign = {"automl", "search_spaces", "lightning_modules"} - {package}
        assert not foreign & {module.split(".")[0] for module, _ in imports(path)}, path


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("mlflow", ("tracking",)),
        (
            "optuna",
            (
                "coordinator/study.py",
                "coordinator/tpe.py",
                "coordinator/window.py",
                "tracking/optuna_view.py",
                "doctor/searches.py",
            ),
        ),
        ("sqlalchemy", ("ledger", "tracking")),
        ("torch", ("worker", "bundle")),
        ("captum", ("worker",)),
        ("tokenizers", ("data",)),
        ("pytorch_lightning", ("worker",)),
        ("typer", ("cli",)),
        ("search_spaces", ("catalog.py",)),
        ("lightning_modules", ("catalog.py", "worker")),
    ],
)
def test_a_library_has_its_home(library: str, homes: tuple[str, ...]) -> None:
    for path in FILES:
        place = str(path.relative_to(ROOT / "automl"))
        if not place.startswith(homes):
            assert library not in {module.split(".")[0] for module, _ in imports(path)}, place


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from automl.cli.main import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split()
    assert not {"torch", "mlflow", "optuna", "pandas", "numpy", "sqlalchemy", "pytorch_lightning"} & set(loaded)


def test_the_coordinators_modules_do_not_import_torch() -> None:
    code = "import sys, automl.run; print('torch' in sys.modules, 'mlflow' in sys.modules, 'pytorch_lightning' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "False", "False"]


def test_the_public_function_is_hidden_by_no_package_of_its_name() -> None:
    """`import automl.x` sets an attribute `x`: a second `automl.search(...)` in a notebook once found a package there."""
    import automl
    import automl.run

    assert not [name for name in automl.__all__ if (Path(automl.__file__).parent / name).exists()]
    assert callable(automl.search)
