"""One op in both libraries on the same random data: the contestants of a row, and the error between them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import cuda_timing
import numpy
from harness import (
    Contestant,
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
    channels_last: whether images, and the gradient of the output, have their channels last in memory.
    numbers: how many numbers a forward pass reads and writes at least (None: no share of the roofline on a GPU).
    backward_numbers: those of a backward pass (None: twice as many as forward).
    variants: other ways in which minitorch computes the same on a GPU, each a context; they get columns of their own.
    """

    name: str
    function: Callable[..., Any]
    shapes: Sequence[tuple[int, ...]]
    flop: float | None = None
    reference: Callable[..., Any] | None = None
    integers: tuple[int | None, ...] = ()
    without_grad: tuple[int, ...] = ()
    channels_last: bool = False
    numbers: float | None = None
    backward_numbers: float | None = None
    variants: dict[str, Callable[[], AbstractContextManager[Any]]] = field(default_factory=dict)


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
        tensor = _laid_out(package, case, package.from_numpy(array.copy()).to(device))
        needs_grad = array.dtype.kind == "f" and index not in case.without_grad
        made.append(tensor.requires_grad_() if needs_grad else tensor)
    return made


def _laid_out(package: Any, case: Case, tensor: Any) -> Any:
    is_image = case.channels_last and tensor.ndim == 4
    return tensor.to(memory_format=package.channels_last) if is_image else tensor


def _contestant(package: Any, case: Case, arrays: Sequence[numpy.ndarray], device: str, backward: bool) -> Any:
    inputs = _tensors(package, case, arrays, device)

    def function(*values: Any) -> Any:
        return case.function(package, *values)

    if not backward:
        return run_forward(function, inputs, package.no_grad)
    output = function(*inputs)
    cotangent = numpy.random.default_rng(1).standard_normal(tuple(output.shape)).astype(arrays[0].dtype)
    cotangent = _laid_out(package, case, package.from_numpy(numpy.asarray(cotangent)).to(device))
    return run_backward(function, inputs, cotangent)


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
    if device == "cuda":
        for label, context in case.variants.items():
            contestants[label] = _within(context, contestants["minitorch"])
        row = cuda_timing.measure(case.name, contestants, options.seconds, torch)
        if case.numbers is not None:
            row.facts["GB"] = _numbers_moved(case, options.backward) * arrays[0].itemsize / 1e9
    else:
        row = measure(case.name, contestants, options.seconds, synchronizer(device, torch))
    if torch is not None:
        row.facts["error"] = worst_error(case, arrays, torch, device)
    if case.flop is not None:
        row.facts["GFLOP"] = case.flop * (3 if options.backward else 1) / 1e9
    if case.reference is not None and device == "cpu" and not options.backward:
        row.facts["reference_ms"] = _time_once(case, arrays)
    return row


def _numbers_moved(case: Case, backward: bool) -> float:
    forward = case.numbers or 0.0
    if not backward:
        return forward
    return forward + (2 * forward if case.backward_numbers is None else case.backward_numbers)


def _within(context: Callable[[], AbstractContextManager[Any]], run: Contestant) -> Contestant:
    def run_within() -> Any:
        with context():
            return run()

    return run_within


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
        ceilings = _describe_gpu(options) if device == "cuda" else None
        rows = [run_case(case, options, device) for case in progress(cases, f"{title} on {device}")]
        all_rows[device] = rows
        print()
        _print_rows(device, rows, all_rows.get("cpu") if device == "cuda" else None)
        if ceilings is not None:
            _print_rooflines(rows, ceilings)
    last = list(all_rows.values())[-1]
    save(last, options, f"{title} ({what}, {options.dtype})", "minitorch", "torch")
    return last


def _describe_gpu(options: argparse.Namespace) -> cuda_timing.Ceilings:
    """Print what the figures are measured on, and what could be reached there."""
    print(cuda_timing.describe_device(find_torch("cuda")))
    ceilings = cuda_timing.measure_ceilings(options.dtype)
    print(f"ceilings: {ceilings.flop / 1e12:.1f} TFLOP/s (matrix product), {ceilings.bytes / 1e9:.0f} GB/s (copy)")
    return ceilings


def _print_rooflines(rows: Sequence[Row], ceilings: cuda_timing.Ceilings) -> None:
    """For each way of computing: rates, and the share of what the device could do (1: at the ceiling)."""
    table = []
    for row in rows:
        flop, moved = row.facts.get("GFLOP", 0.0) * 1e9, row.facts.get("GB", 0.0) * 1e9
        for label, milliseconds in row.milliseconds.items():
            seconds, share = milliseconds / 1e3, ceilings.floor(flop, moved) / milliseconds
            rates = (figure(flop / seconds / 1e9), figure(moved / seconds / 1e9))
            table.append([row.name, label, figure(milliseconds), *rates, figure(share, 2)])
    print()
    print_table(["roofline", "by", "ms", "GFLOP/s", "GB/s", "of the ceiling"], table)


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
