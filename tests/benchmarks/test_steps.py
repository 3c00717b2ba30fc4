"""The benchmark of training steps, as far as that goes without a GPU: everything but the times is real."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def steps(monkeypatch: Any) -> ModuleType:
    """The script as a module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import steps

    return steps


def tiny(steps: ModuleType) -> Any:
    return steps.Network("tiny", lambda nn: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), (5, 3), 2)


def test_a_graph_does_the_steps_of_the_library(steps: ModuleType, emulated: Any) -> None:
    """After the warm-up of the benchmark both have trained as long, and have the same loss."""
    results = {name: steps.measure_here(name, tiny(steps), "cuda", 0) for name in ("minitorch", "minitorch-graph")}
    for result in results.values():
        assert len(result["milliseconds"]) == 3
        assert min(result["milliseconds"]) > 0
    eager, graphed = (result["loss"] for result in results.values())
    assert graphed == pytest.approx(eager, rel=1e-4)


def test_what_cannot_be_captured_has_a_reason(steps: ModuleType, emulated: Any) -> None:
    def looks_at_it(nn: Any) -> Any:
        class Looks(nn.Module):
            def forward(self, x: Any) -> Any:
                return x if x.sum() > -1e9 else -x

        return nn.Sequential(nn.Linear(3, 2), Looks())

    network = steps.Network("looks", looks_at_it, (5, 3), 2)
    assert "loss" in steps.measure_here("minitorch", network, "cuda", 0)
    refused = steps.measure_here("minitorch-graph", network, "cuda", 0)
    assert refused["refused"].startswith("Tensor.__bool__ cannot be captured")


def test_four_contestants_and_three_ratios(steps: ModuleType, monkeypatch: Any, capsys: Any, tmp_path: Any) -> None:
    times = {"minitorch": 4.0, "torch": 2.0, "minitorch-graph": 0.5, "torch-graph": 1.0}

    def child(script: str, name: str, arguments: list[str], options: argparse.Namespace) -> dict[str, Any]:
        if arguments[1] == "lenet" and name == "minitorch-graph":
            return {"refused": "dropout cannot be captured"}
        numbers = {"peak_MiB": 1.0, "before_MiB": 0.5, "cpu_milliseconds": 1.0, "loss": 1.0}
        return {"milliseconds": [times[name]] * 3, **numbers}

    monkeypatch.setattr(steps, "run_child", child)
    monkeypatch.setattr(steps.harness, "devices", lambda options: ["cuda"])
    monkeypatch.setattr(steps.harness, "find_torch", lambda device: object())
    command = ["steps.py", "--device", "cuda", "--networks", "mlp", "lenet", "--json", str(tmp_path / "rows.json")]
    monkeypatch.setattr(sys, "argv", command)
    steps.main()
    lines = capsys.readouterr().out.splitlines()
    first = next(line for line in lines if line.startswith("MLP"))
    assert first.split()[-11:] == ["4", "0", "2", "0", "0.5", "0", "1", "0", "0.5", "2", "4"]
    second = next(line for line in lines if line.startswith("LeNet"))
    assert second.split()[-7:] == ["-", "-", "1", "0", "0.5", "-", "-"]
    assert "geometric mean of graph/graph: 2.00" in lines
    assert any("minitorch-graph: dropout cannot be captured" in line for line in lines)
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert rows[0]["milliseconds"] == times

    monkeypatch.setattr(sys, "argv", [*command, "--no-graphs"])
    steps.main()
    assert "graph" not in capsys.readouterr().out


def test_on_the_cpu_there_are_no_graphs(steps: ModuleType) -> None:
    assert set(steps.measure_here("torch", tiny(steps), "cpu", 0)) >= {"milliseconds", "loss", "peak_MiB"}
