"""What ``import minitorch`` loads, and that what it leaves for later is there when it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import minitorch

ROOT = Path(__file__).parent.parent
LATER = ("linalg", "nn", "optim", "serialization", "utils")


def run(program: str) -> str:
    """What a fresh interpreter prints."""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    return result.stdout.strip()


def test_large_subpackages_are_imported_at_their_first_use() -> None:
    loaded = run("import sys, minitorch; print(*[name for name in sys.modules if name.startswith('minitorch.')])")
    packages = {name.split(".")[1] for name in loaded.split()}
    assert {"autograd", "backend", "ops", "tensor"} <= packages
    assert packages.isdisjoint({*LATER, "vision"})


def test_slow_modules_of_others_are_imported_at_their_first_use() -> None:
    slow = ("threadpoolctl", "multiprocessing", "zipfile", "pickle", "inspect", "traceback", "typing_extensions")
    alone = run(f"import sys, numpy; print(*[name for name in {slow} if name in sys.modules])").split()
    loaded = run(f"import sys, minitorch; print(*[name for name in {slow} if name in sys.modules])").split()
    assert set(loaded) <= set(alone)


@pytest.mark.parametrize(
    "use",
    [
        "torch.nn.Linear(2, 2)",
        "torch.nn.functional.relu(torch.ones(1))",
        "torch.optim.lr_scheduler.StepLR",
        "torch.utils.data.DataLoader",
        "torch.linalg.norm(torch.ones(1))",
        "torch.save, torch.load, torch.serialization.save",
    ],
)
def test_each_is_there_when_it_is_used(use: str) -> None:
    run(f"import minitorch as torch; {use}")


@pytest.mark.parametrize(
    "statement", ["import minitorch.utils.data as data; data.DataLoader", "from minitorch import nn"]
)
def test_each_can_be_imported_by_its_name(statement: str) -> None:
    run(statement)


def test_names_are_complete() -> None:
    listed = run("import minitorch; print(*dir(minitorch))").split()
    assert set(minitorch.__all__) <= set(listed)
    run("from minitorch import *; nn.Linear, save")
    for name in minitorch.__all__:
        assert getattr(minitorch, name) is getattr(minitorch, name)


def test_unknown_names_raise() -> None:
    with pytest.raises(AttributeError, match="module 'minitorch' has no attribute 'no_such_name'"):
        _ = minitorch.no_such_name  # type: ignore[attr-defined]
    assert not hasattr(minitorch, "vision_of_nothing")
