"""benchmarks/scaling.py: exponents fitted to known laws, and a run of a few points from option to table and plot."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def scaling(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module; it finds its neighbours as scripts do."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("scaling")


def test_exponents_of_known_laws(scaling: Any) -> None:
    rows = [
        scaling.harness.Row("", {"minitorch": 3.0 * size**2}, facts={"value": size, "minitorch_step_MiB": memory})
        for size, memory in ((1, 0.0), (2, 10.0), (4, 20.0), (8, 40.0))
    ]
    assert scaling.exponent(rows, "minitorch", "time") == pytest.approx(2)
    assert scaling.exponent(rows, "minitorch", "memory") == pytest.approx(1), "points without growth are left out"
    assert scaling.exponent(rows[:1], "minitorch", "time") is None
    assert scaling.exponent(rows, "torch", "time") is None


def test_axes(scaling: Any) -> None:
    assert scaling.parse_axis("batch") == ("batch", scaling.AXES["batch"])
    assert scaling.parse_axis("depth=1,3") == ("depth", [1, 3])
    assert scaling.parse_axis("threads")[1][0] == 1
    for wrong in ("width", "batch=a", "batch=0"):
        with pytest.raises(scaling.argparse.ArgumentTypeError):
            scaling.parse_axis(wrong)


def test_a_run(scaling: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Four times the batch: more memory in both libraries; the heading names the machine's BLAS."""
    options = ["--axes", "batch=32,128", "--rounds", "1", "--seconds", "0.01", "--threads", "1"]
    files = ["--json", str(tmp_path / "rows.json"), "--plot", str(tmp_path / "plot.png")]
    monkeypatch.setattr(sys, "argv", ["scaling.py", *options, *files])
    scaling.main()
    printed = capsys.readouterr().out
    assert "threads used: 1" in printed.splitlines()[1]
    assert "blas" in printed.splitlines()[2].lower()
    for what in ("time", "memory"):
        assert f"{what} ∝ batch^e with e = minitorch" in printed
    small, large = json.loads((tmp_path / "rows.json").read_text())["rows"]
    for name in ("minitorch", "torch"):
        assert large["milliseconds"][name] > small["milliseconds"][name]
        assert large["facts"][f"{name}_step_MiB"] > small["facts"][f"{name}_step_MiB"] > 0
    assert (tmp_path / "plot.png").stat().st_size > 10_000
