"""``--device cuda`` of the benchmarks, as far as that goes without a GPU: everything but the times is real."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pytest

import minitorch
from minitorch.backend import accelerator

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


class Event:
    """An event of a GPU on which every call takes a millisecond."""

    calls = 0

    def record(self) -> None:
        self.calls = Event.calls

    def synchronize(self) -> None: ...


@pytest.fixture
def timing(emulated: Any, monkeypatch: Any) -> Any:
    """The module, on a device with such events."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    cuda = accelerator.require().cuda
    monkeypatch.setattr(cuda, "Event", Event, raising=False)
    elapsed = lambda start, end: float(end.calls - start.calls)  # noqa: E731
    monkeypatch.setattr(cuda, "get_elapsed_time", elapsed, raising=False)
    properties = lambda index: {"name": b"an emulated GPU"}  # noqa: E731
    monkeypatch.setattr(cuda.runtime, "getDeviceProperties", properties, raising=False)
    import cuda_timing

    return cuda_timing


def test_time_is_that_of_a_call(timing: Any) -> None:
    def run() -> None:
        Event.calls += 2

    row = timing.measure("two calls", {"minitorch": run}, 0.01, None)
    assert row.milliseconds == {"minitorch": 2.0}
    assert row.spread == {"minitorch": 0.0}


def test_the_roof(timing: Any) -> None:
    ceilings = timing.Ceilings(flop=1e12, bytes=1e9)
    assert ceilings.floor(2e9, 1e6) == 2.0  # bound by arithmetic
    assert ceilings.floor(2e9, 5e6) == 5.0  # bound by memory


def test_both_sides_round_alike(timing: Any) -> None:
    backends = minitorch.backends
    before = backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32
    try:
        timing.allow_tf32(True, None)
        assert "TF32 in minitorch: products on, convolutions on" in timing.describe_device(None)
        timing.allow_tf32(False, None)
        assert "TF32 in minitorch: products off, convolutions off" in timing.describe_device(None)
    finally:
        backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32 = before


def test_the_table_of_convolutions(timing: Any, monkeypatch: Any, capsys: Any) -> None:
    """Both algorithms run, and each has a line with its share of the ceiling."""
    import cases
    import conv

    monkeypatch.setattr(timing, "measure_ceilings", lambda dtype: timing.Ceilings(1e12, 1e9))
    monkeypatch.setattr(timing, "_timer", lambda torch: lambda run, calls: (run(), 1.0)[1])
    options = argparse.Namespace(device="cuda", dtype="float32", backward=True, seconds=0, json=None, plot=None)
    rows = cases.run_benchmark("conv2d", conv.select("2x5x5:8k3p1"), options)
    assert rows[0].milliseconds == {"minitorch": 1.0, "columns": 1.0}
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("own")]
    assert [line[-5] for line in lines[1:]] == ["minitorch", "columns"]
    assert minitorch.backends.cudnn.enabled
    assert "harness" in sys.modules


def test_bytes_of_memory_bound_ops(timing: Any, monkeypatch: Any, capsys: Any) -> None:
    """What a pass moves at least, forward alone and with backward: the table shows it as a rate."""
    import batch_norm
    import cases
    import pool
    import softmax

    monkeypatch.setattr(timing, "measure_ceilings", lambda dtype: timing.Ceilings(1e12, 1e9))
    monkeypatch.setattr(timing, "_timer", lambda torch: lambda run, calls: (run(), 1.0)[1])
    rows = [
        (pool.pool_case("max_pool2d", (2, 3, 8, 8), 2, 2), 6 * (64 + 16), 2 * 6 * (64 + 16)),
        (batch_norm.batch_norm_case((2, 3, 4, 4), True), 3 * 96, 8 * 96),
        (softmax.softmax_case("softmax", (4, 10)), 2 * 40, 5 * 40),
        (softmax.cross_entropy_case((4, 10)), 40, 3 * 40),
    ]
    for backward in (False, True):
        options = argparse.Namespace(device="cuda", dtype="float32", backward=backward, seconds=0, json=None, plot=None)
        found = cases.run_benchmark("memory", [case for case, *_ in rows], options)
        for row, (_, forward, both) in zip(found, rows):
            assert row.facts["GB"] == pytest.approx((both if backward else forward) * 4 / 1e9)
    assert "of the ceiling" in capsys.readouterr().out
