"""What an operation costs beside its arithmetic: tensors so small that Python is all that counts, and the import.

    python benchmarks/overhead.py
    python benchmarks/overhead.py --rows add chain import

Each row is repeated a hundred times or so between two looks at the clock; figures are microseconds a repetition.
Importing is measured in processes of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
import numpy

import minitorch

Work = Callable[[], Any]
LIBRARIES = ("minitorch", "torch")


def random(package: Any, *shape: int, requires_grad: bool = False) -> Any:
    """The same random values in either library."""
    values = numpy.random.default_rng(0).standard_normal(shape).astype("float32")
    return package.from_numpy(values).requires_grad_(requires_grad)


def add(package: Any, requires_grad: bool = False) -> Work:
    """Four numbers plus four numbers."""
    a, b = (random(package, 4, requires_grad=requires_grad) for _ in range(2))
    return lambda: a + b


def scale(package: Any) -> Work:
    """Four numbers times one of Python's."""
    a = random(package, 4)
    return lambda: a * 2.5


def add_in_place(package: Any) -> Work:
    """``x += y``."""
    a, b = random(package, 4), random(package, 4)
    return lambda: a.add_(b)


def index(package: Any) -> Work:
    """A row of a matrix."""
    a = random(package, 4, 4)
    return lambda: a[1]


def view(package: Any) -> Work:
    """The same numbers in another shape."""
    a = random(package, 4, 4)
    return lambda: a.view(16)


def chain(package: Any) -> Work:
    """200 operations one after another, and their gradient."""
    x = random(package, 4, requires_grad=True)

    def run() -> None:
        y = x
        for _ in range(100):
            y = y * 1.01 + x
        y.sum().backward()
        x.grad = None

    return run


def linear(package: Any) -> Work:
    """A layer 64 → 64 on a batch of 4, forward and backward."""
    x, weight, bias = (random(package, *shape, requires_grad=True) for shape in ((4, 64), (64, 64), (64,)))
    cotangent = random(package, 4, 64)

    def run() -> None:
        package.nn.functional.linear(x, weight, bias).backward(cotangent)
        x.grad = weight.grad = bias.grad = None

    return run


def cross_entropy(package: Any) -> Work:
    """Four items of ten classes, forward and backward."""
    scores = random(package, 4, 10, requires_grad=True)
    target = package.tensor([1, 9, 3, 0])

    def run() -> None:
        package.nn.functional.cross_entropy(scores, target).backward()
        scores.grad = None

    return run


def optimizer(package: Any) -> Any:
    """SGD with momentum over ten parameters that have gradients."""
    parameters = [package.nn.Parameter(random(package, 16, 4)) for _ in range(10)]
    for parameter in parameters:
        parameter.grad = random(package, 16, 4)
    return package.optim.SGD(parameters, lr=1e-6, momentum=0.9)


def sgd_step(package: Any) -> Work:
    """Its step."""
    step: Work = optimizer(package).step
    return step


def zero_grad(package: Any) -> Work:
    """Its gradients set to None, after they were set to something."""
    made = optimizer(package)
    parameters = made.param_groups[0]["params"]
    gradients = [parameter.grad for parameter in parameters]

    def run() -> None:
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient
        made.zero_grad()

    return run


# name on the command line: (title, what makes the work, repetitions a sample)
ROWS: dict[str, tuple[str, Callable[[Any], Work], int]] = {
    "add": ("add, (4,)", add, 200),
    "add_grad": ("add, (4,), recorded", lambda package: add(package, requires_grad=True), 200),
    "scale": ("multiply by a number", scale, 200),
    "add_": ("x += y", add_in_place, 200),
    "index": ("x[1]", index, 200),
    "view": ("x.view(16)", view, 200),
    "chain": ("200 ops, forward + backward", chain, 1),
    "linear": ("linear 64→64 b4, fwd + bwd", linear, 20),
    "cross_entropy": ("cross_entropy 4×10, fwd + bwd", cross_entropy, 20),
    "sgd": ("SGD step, 10 parameters", sgd_step, 20),
    "zero_grad": ("zero_grad, 10 parameters", zero_grad, 20),
}


def repeated(work: Work, count: int) -> Work:
    """``work`` as often as it takes to be measured."""

    def run() -> None:
        for _ in range(count):
            work()

    return run


def measure_row(name: str, packages: dict[str, Any], seconds: float) -> harness.Row:
    """One row; milliseconds a repetition."""
    if name == "import":
        return measure_import(packages, seconds)
    title, make, count = ROWS[name]
    contestants = {label: repeated(make(package), count) for label, package in packages.items()}
    row = harness.measure(title, contestants, seconds)
    for figures in (row.milliseconds, row.spread):
        figures.update({label: value / count for label, value in figures.items()})
    return row


def measure_import(packages: dict[str, Any], seconds: float) -> harness.Row:
    """``import`` in a fresh process, less what an empty process takes; NumPy's own is a fact beside.

    Both libraries are compiled to bytecode by then, as installed ones are: the first process does that.
    """

    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    folder = Path(__file__).resolve().parent.parent

    def contestant(code: str) -> Work:
        command = [sys.executable, "-c", code]
        return lambda: subprocess.run(command, check=True, cwd=folder, env=environment)

    contestants = {label: contestant(f"import {label}") for label in packages}
    contestants |= {"empty": contestant("pass"), "numpy": contestant("import numpy")}
    row = harness.measure("import", contestants, seconds)
    empty = row.milliseconds.pop("empty")
    row.milliseconds = {label: value - empty for label, value in row.milliseconds.items()}
    row.facts["numpy_ms"] = row.milliseconds.pop("numpy")
    return row


def print_rows(rows: list[harness.Row]) -> None:
    """The table, in microseconds, and the geometric mean."""
    header = ["small tensors", "ours µs", "±", "torch µs", "±", "torch/ours"]
    table = []
    for row in rows:
        line = [row.name]
        for label in LIBRARIES:
            milliseconds, spread = row.milliseconds.get(label), row.spread.get(label)
            line.append(harness.figure(None if milliseconds is None else milliseconds * 1e3))
            line.append(harness.figure(None if spread is None else spread * 1e3, 2))
        table.append([*line, harness.figure(row.ratio(*LIBRARIES))])
    harness.print_table(header, table)
    ratios = [ratio for row in rows if (ratio := row.ratio(*LIBRARIES)) is not None]
    if ratios:
        print(f"geometric mean of torch/ours: {harness.geometric_mean(ratios):.2f}")
    for row in rows:
        if "numpy_ms" in row.facts:
            print(f"of the import, NumPy's own: {row.facts['numpy_ms'] * 1e3:,.0f} µs")


def parse_options() -> argparse.Namespace:
    """The common options, and the rows."""
    parser = harness.parser(__doc__ or "")
    names = [*ROWS, "import"]
    parser.add_argument("--rows", nargs="+", choices=names, default=names, metavar="ROW")
    options = parser.parse_args()
    if options.dtype != "float32" or options.device != "cpu" or options.backward:
        parser.error("overhead is measured in float32 on the CPU; the rows say whether they go backward")
    return options


def main() -> None:
    options = parse_options()
    harness.require_matplotlib(options)
    torch = harness.find_torch("cpu")
    packages = {"minitorch": minitorch} | ({} if torch is None else {"torch": torch})
    print(f"overhead\n{harness.describe_machine()}\n")
    rows = []
    for name in harness.progress(options.rows, "overhead"):
        rows.append(measure_row(name, packages, options.seconds))
    print_rows(rows)
    harness.save(rows, options, "overhead", *LIBRARIES)


if __name__ == "__main__":
    main()
