"""The import rules of the library, read from its sources."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "minitorch"

# Who may import whom: a package may use those to its left, and itself.
LAYERS = [
    "dtypes",
    "device",
    "backend",
    "autograd",
    "ops",
    "tensor",
    "amp",
    "nn",
    "optim",
    "utils",
    "vision",
    "serialization",
]
ALLOWED = {
    "dtypes": set(),
    "device": set(),
    "backend": {"device", "dtypes"},
    "autograd": {"backend", "device", "dtypes"},
    "ops": {"autograd", "backend", "device", "dtypes", "memory_format", "return_types"},
    "tensor": {"ops", "autograd", "backend", "device", "dtypes", "memory_format", "return_types"},
    "amp": {"ops", "tensor", "autograd", "backend", "device", "dtypes"},
    "nn": {"ops", "tensor", "autograd", "backend", "device", "dtypes"},
    "optim": {"tensor", "autograd", "backend", "device", "dtypes", "ops"},
    "utils": {"nn", "tensor", "ops", "autograd", "backend", "cuda", "device", "dtypes", "serialization"},
    "vision": {"utils", "serialization", "nn", "tensor", "ops", "autograd", "backend", "device", "dtypes"},
    "serialization": {"nn", "tensor", "ops", "autograd", "backend", "device", "dtypes"},
}
STANDALONE = ("__future__", "math", "numpy", "reference", "collections", "typing", "itertools")
FILES = sorted(LIBRARY.rglob("*.py"))


def _imports(path: Path) -> Iterator[tuple[str, int, bool]]:
    """(module, line, is inside a function) of every import."""
    tree = ast.parse(path.read_text())
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, (ast.FunctionDef, ast.Lambda)) for n in ast.walk(f)}
    typing_only = {
        id(n)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.dump(branch.test)
        for n in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno, id(node) in inside
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "minitorch":
                for alias in node.names:
                    yield f"minitorch.{alias.name}", node.lineno, id(node) in inside
            else:
                yield node.module, node.lineno, id(node) in inside


def _layer(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_imports_point_down(path: Path) -> None:
    layer = _layer(path)
    for module, line, _ in _imports(path):
        parts = module.split(".")
        if parts[0] == "minitorch" and layer in ALLOWED and len(parts) > 1:
            assert parts[1] in ALLOWED[layer] | {layer}, f"{path}:{line}: {layer} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_foreign_modules_stay_where_they_belong(path: Path) -> None:
    for module, line, _ in _imports(path):
        top = module.split(".")[0]
        assert top != "torch", f"{path}:{line}: the library imports torch"
        if _layer(path) != "backend":
            assert top not in ("cupy", "cupyx"), f"{path}:{line}: only backend knows CuPy"
        if _layer(path) in ("autograd", "ops"):
            assert top != "numpy", f"{path}:{line}: {module} would bind the op to the CPU; use array_module"


@pytest.mark.parametrize("path", sorted((ROOT / "reference").glob("*.py")), ids=lambda path: path.name)
def test_reference_stands_alone(path: Path) -> None:
    for module, line, _ in _imports(path):
        assert module.split(".")[0] in (
            "__future__",
            "math",
            "numpy",
            "reference",
            "collections",
            "typing",
            "itertools",
        ), f"{path}:{line}: {module}"


def test_no_star_imports() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert all(alias.name != "*" for alias in node.names), f"{path}:{node.lineno}: star import"


def test_import_needs_only_numpy() -> None:
    """A fresh interpreter imports the library without loading any optional package."""
    program = (
        "import sys, minitorch; "
        "print([name for name in ('torch', 'cupy', 'matplotlib', 'PIL', 'sklearn', 'tqdm') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert result.stdout.strip() == "[]"
