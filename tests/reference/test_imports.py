"""The definitions stand alone: they import NumPy, the standard library and each other."""

import ast
from pathlib import Path

import pytest

import reference

FILES = sorted(Path(reference.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_definition_imports_only_numpy_math_and_its_siblings(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= {"numpy", "math"}
        elif isinstance(node, ast.ImportFrom):
            assert node.module.split(".")[0] == "reference"
