"""The package is optional, and says what it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def _run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)


def test_minitorch_does_not_import_vision() -> None:
    result = _run("import sys, minitorch; print([name for name in sys.modules if name.startswith('minitorch.vision')])")
    assert result.stdout.strip() == "[]", result.stderr


def test_without_pillow_the_error_names_the_remedy() -> None:
    result = _run("import sys; sys.modules['PIL'] = None; import minitorch.vision")
    assert "ImportError" in result.stderr
    assert "pip install 'minitorch[vision]'" in result.stderr


def test_without_tqdm_it_works() -> None:
    result = _run(
        "import sys; sys.modules['tqdm'] = None; from minitorch.vision import datasets; print(datasets.MNIST.__name__)"
    )
    assert result.stdout.strip() == "MNIST", result.stderr
