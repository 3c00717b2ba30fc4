"""One op in both libraries on the same random data: the contestants of a row, and the error between them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from harness import (
    Row,
    describe_machine,
    devices,
    figure,
    find_torch,
    geometric_mean,
    measure,
    print_table,
    progress,
    require_matplotlib,
    run_backward,
    run_forward,
    save,
    synchronizer,
)

import minitorch


@dataclass
class Case:
    """A row of a table: ``function(package, *tensors)`` on arrays of these shapes.

    flop: floating-point operations of a forward pass (None: the column is left out).
    reference: the textbook loops, called with the same arrays, for cases small enough to wait for.
    integers: for each input that holds class numbers, how many classes.
    """

    name: str
    function: Callable[..., Any]
    shapes: Sequence[tuple[int, ...]]
    flop: float | None = None
    reference: Callable[..., Any] | None = None
    integers: tuple[int | None, ...] = ()
    without_grad: tuple[int, ...] = ()


def make_arrays(case: Case, dtype: str) -> list[numpy.ndarray]:
    """Random values (never zeros: hardware and libraries treat those specially), the same on every run."""
    generator = numpy.random.default_rng(0)
    arrays = []
    for index, shape in enumerate(case.shapes):
        classes = case.integers[index] if index < len(case.integers) else None
        if classes is None:
            arrays.append(generator.standard_normal(shape).astype(dtype))
        else:
            arrays.append(generator.integers(0, classes, shape))
    return arrays


def _tensors(package: Any, case: Case, arrays: Sequence[numpy.ndarray], device: str) -> list[Any]:
    made = []
    for index, array in enumerate(arrays):
        tensor = package.from_numpy(array.copy()).to(device)
        needs_grad = array.dtype.kind == "f" and index not in case.without_grad
        made.append(tensor.requires_grad_() if needs_grad else tensor)
    return made


def _contestant(package: Any, case: Case, arrays: Sequence[numpy.ndarray], device: str, backward: bool) -> Any:
    inputs = _tensors(package, case, arrays, device)

    def function(*values: Any) -> Any:
        return case.function(package, *values)

    if not backward:
        return run_forward(function, inputs, package.no_grad)
    output = function(*inputs)
    cotangent = numpy.random.default_rng(1).standard_normal(tuple(output.shape)).astype(arrays[0].dtype)
    return run_backward(function, inputs, package.from_numpy(numpy.asarray(cotangent)).to(device))


def worst_error(case: Case, arrays: Sequence[numpy.ndarray], torch: Any, device: str) -> float:
    """The largest difference between the two libraries' outputs, relative to the largest output."""
    results = []
    for package in (minitorch, torch):
        inputs = [tensor.detach() for tensor in _tensors(package, case, arrays, device)]
        results.append(numpy.asarray(case.function(package, *inputs).cpu().numpy(), dtype="float64"))
    return float(abs(results[0] - results[1]).max() / max(abs(results[1]).max(), 1e-30))


def run_case(case: Case, options: argparse.Namespace, device: str) -> Row:
    """Measure one case on one device."""
    arrays = make_arrays(case, options.dtype)
    torch = find_torch(device)
    contestants = {"minitorch": _contestant(minitorch, case, arrays, device, options.backward)}
    if torch is not None:
        contestants["torch"] = _contestant(torch, case, arrays, device, options.backward)
    row = measure(case.name, contestants, options.seconds, synchronizer(device, torch))
    if torch is not None:
        row.facts["error"] = worst_error(case, arrays, torch, device)
    if case.flop is not None:
        row.facts["GFLOP"] = case.flop * (3 if options.backward else 1) / 1e9
    if case.reference is not None and device == "cpu" and not options.backward:
        row.facts["reference_ms"] = _time_once(case, arrays)
    return row


def _time_once(case: Case, arrays: Sequence[numpy.ndarray]) -> float:
    import time

    assert case.reference is not None
    doubles = [array.astype("float64") if array.dtype.kind == "f" else array for array in arrays]
    start = time.perf_counter()
    case.reference(*doubles)
    return (time.perf_counter() - start) * 1e3


def run_benchmark(title: str, cases: Sequence[Case], options: argparse.Namespace) -> list[Row]:
    """Measure all cases on all devices asked for, and print one table a device."""
    what = "forward + backward" if options.backward else "forward"
    require_matplotlib(options)
    chosen = devices(options)
    print(f"{title}, {what}, {options.dtype}\n{describe_machine()}")
    all_rows: dict[str, list[Row]] = {}
    for device in chosen:
        if device == "cuda":
            print(_tf32_state())
        rows = [run_case(case, options, device) for case in progress(cases, f"{title} on {device}")]
        all_rows[device] = rows
        print()
        _print_rows(device, rows, all_rows.get("cpu") if device == "cuda" else None)
    last = list(all_rows.values())[-1]
    save(last, options, f"{title} ({what}, {options.dtype})", "minitorch", "torch")
    return last


def _tf32_state() -> str:
    import os

    torch = find_torch("cuda")
    theirs = "-" if torch is None else f"matmul {torch.backends.cuda.matmul.allow_tf32}"
    return f"TF32: minitorch (CuPy) {os.environ.get('CUPY_TF32', '0') == '1'}, torch {theirs}"


def _print_rows(device: str, rows: Sequence[Row], cpu_rows: Sequence[Row] | None) -> None:
    has_flop = any("GFLOP" in row.facts for row in rows)
    has_reference = any("reference_ms" in row.facts for row in rows)
    header = [f"on {device}"]
    header += ["GFLOP"] if has_flop else []
    header += ["loops ms"] if has_reference else []
    header += ["ours ms", "±", "torch ms", "±", "torch/ours"]
    header += ["GFLOP/s"] if has_flop else []
    header += ["worst error"]
    header += ["CPU/GPU"] if cpu_rows else []
    table = []
    for index, row in enumerate(rows):
        ours = row.milliseconds["minitorch"]
        line = [row.name]
        line += [figure(row.facts.get("GFLOP"))] if has_flop else []
        line += [figure(row.facts.get("reference_ms"))] if has_reference else []
        line += [figure(ours), figure(row.spread["minitorch"], 2)]
        line += [figure(row.milliseconds.get("torch")), figure(row.spread.get("torch"), 2)]
        line += [figure(row.ratio("minitorch", "torch"))]
        line += [figure(row.facts["GFLOP"] / ours * 1e3 if "GFLOP" in row.facts else None)] if has_flop else []
        line += [figure(row.facts.get("error"), 2)]
        line += [figure(cpu_rows[index].milliseconds["minitorch"] / ours)] if cpu_rows else []
        table.append(line)
    print_table(header, table)
    ratios = [ratio for row in rows if (ratio := row.ratio("minitorch", "torch")) is not None]
    if ratios:
        print(f"geometric mean of torch/ours: {geometric_mean(ratios):.2f}")
    elif find_torch(device) is None:
        print("torch is not installed or cannot use this device: its columns are empty")
