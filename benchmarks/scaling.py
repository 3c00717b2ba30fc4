"""How time and memory of a training step grow: with the batch, the image, the channels, the depth, and the threads.

    python benchmarks/scaling.py
    python benchmarks/scaling.py --axes batch threads --plot scaling.png
    python benchmarks/scaling.py --axes batch=1,64 depth --rounds 1

A network of convolutions (3 × 3, each with a rectifier), global average pooling and a linear layer is trained for a
few steps at each point of an axis, minitorch and torch in turn, each in processes of its own (as in ``steps.py``).
Memory is the most that the process ever held, less what it held after a step on one pixel: the library's own.

Where time ∝ size^e, the exponent e is the slope in a plot of logarithms; it is fitted to all points of the axis. A
step costs work in proportion to batch and depth (e = 1), and to the square of image size and channels (e = 2); less
means that overhead still counts. With n threads e = −1 would be ideal. Memory is mostly that of the activations, kept
for backward: it grows as the work does, but with the channels only in proportion (e = 1).
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import harness
import numpy
from networks import Network
from steps import LIBRARIES, measure_here, measure_in_turn

import minitorch

BASE = {"batch": 16, "image": 16, "channels": 32, "depth": 3}
AXES = {
    "batch": [1, 2, 4, 8, 16, 32, 64],
    "image": [4, 8, 16, 32, 64],
    "channels": [4, 8, 16, 32, 64, 128],
    "depth": [1, 2, 4, 8, 16],
    "threads": [],  # as many as there are
}
Axis = tuple[str, list[int]]
QUANTITIES = {"time": "ms a step", "memory": "MiB at most"}


def parse_axis(text: str) -> Axis:
    """``batch`` or ``batch=1,4,16``: an axis and its points."""
    name, _, points = text.partition("=")
    if name not in AXES:
        raise argparse.ArgumentTypeError(f"unknown axis {name!r}; there are {', '.join(AXES)}")
    try:
        values = [int(point) for point in points.split(",")] if points else AXES[name] or thread_counts()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{points!r} is not a list of whole numbers such as 1,4,16") from None
    if min(values) < 1:
        raise argparse.ArgumentTypeError(f"sizes must be at least 1, got {points}")
    return name, values


def thread_counts() -> list[int]:
    """1, 2, 4, … up to the number of threads that there are."""
    most = minitorch.get_num_threads()
    return [2**power for power in range(most.bit_length()) if 2**power < most] + [most]


def network(batch: int, image: int, channels: int, depth: int) -> Network:
    """The network with these sizes."""

    def build(nn: Any) -> Any:
        layers: list[Any] = []
        for index in range(depth):
            layers += [nn.Conv2d(channels if index else 3, channels, 3, padding=1), nn.ReLU()]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))

    return Network("scaling", build, (batch, 3, image, image))


def sizes_at(axis: str, value: int) -> dict[str, int]:
    """The sizes of the network at one point; the number of threads is none of them."""
    return BASE if axis == "threads" else BASE | {axis: value}


def measure_point(axis: str, value: int, libraries: tuple[str, ...], options: argparse.Namespace) -> harness.Row:
    """One point of an axis."""
    row = harness.Row(f"{axis} {value}", facts={"axis": axis, "value": value})
    with_threads = argparse.Namespace(**vars(options))
    with_threads.threads = value if axis == "threads" else options.threads
    return measure_in_turn(row, __file__, ["--axes", f"{axis}={value}"], libraries, with_threads)


def quantity(row: harness.Row, name: str, what: str) -> float | None:
    """The time or the memory of one library's step, or None where that was not measured."""
    return row.milliseconds.get(name) if what == "time" else row.facts.get(f"{name}_step_MiB")


def exponent(rows: list[harness.Row], name: str, what: str) -> float | None:
    """The slope of log time (or memory) against log size, by least squares."""
    measured = [(row.facts["value"], quantity(row, name, what)) for row in rows]
    points = [(math.log(value), math.log(found)) for value, found in measured if found]
    if len({x for x, _ in points}) < 2:
        return None
    xs, ys = zip(*points)
    return float(numpy.polyfit(xs, ys, 1)[0])


def print_axis(axis: str, rows: list[harness.Row], libraries: tuple[str, ...]) -> None:
    """The table of one axis, and its exponents."""
    header = [axis, "ours ms", "±", "torch ms", "±", "torch/ours", "ours MiB", "torch MiB"]
    table = []
    for row in rows:
        line = [str(row.facts["value"])]
        for name in LIBRARIES:
            line += [harness.figure(row.milliseconds.get(name)), harness.figure(row.spread.get(name), 2)]
        line.append(harness.figure(row.ratio(*LIBRARIES)))
        table.append(line + [harness.figure(quantity(row, name, "memory")) for name in LIBRARIES])
    harness.print_table(header, table)
    for what in QUANTITIES:
        fitted = [f"{name} {harness.figure(exponent(rows, name, what), 2)}" for name in libraries]
        print(f"{what} ∝ {axis}^e with e = {', '.join(fitted)}")
    print()


def draw(all_rows: dict[str, list[harness.Row]], libraries: tuple[str, ...], path: Path) -> None:
    """A column an axis, time above memory, all scales logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    size = (3.4 * len(all_rows), 6.4)
    figure, panels = pyplot.subplots(2, len(all_rows), figsize=size, layout="constrained", squeeze=False)
    for column, (axis, rows) in enumerate(all_rows.items()):
        for panel, (what, unit) in zip(panels[:, column], QUANTITIES.items()):
            for name in libraries:
                label = f"{name}: e = {harness.figure(exponent(rows, name, what), 2)}"
                xs, ys = [row.facts["value"] for row in rows], [quantity(row, name, what) for row in rows]
                panel.loglog(xs, ys, "o-", label=label)
            panel.set_xlabel(axis)
            panel.set_ylabel(unit if column == 0 else "")
            panel.legend(fontsize=8)
    figure.suptitle(f"time and memory of a training step\n{harness.describe_machine()}", fontsize=9)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def parse_options() -> argparse.Namespace:
    """The common options, and those of this benchmark."""
    parser = harness.parser(__doc__ or "")
    parser.add_argument(
        "--axes",
        nargs="+",
        type=parse_axis,
        default=[parse_axis(name) for name in AXES],
        metavar="AXIS[=SIZE,SIZE…]",
        help=f"of {', '.join(AXES)}; all points of an axis, or the sizes given",
    )
    parser.add_argument("--rounds", type=int, default=2, help="processes of each library for each point")
    parser.add_argument("--threads", type=int, help="OMP_NUM_THREADS of both libraries, but on the axis of threads")
    parser.add_argument("--child", choices=LIBRARIES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.dtype != "float32" or options.device == "all":
        parser.error("steps are measured in float32, on one device at a time")
    return options


def main() -> None:
    options = parse_options()
    if options.child:
        ((axis, (value,)),) = options.axes
        print(
            json.dumps(measure_here(options.child, network(**sizes_at(axis, value)), options.device, options.seconds))
        )
        return
    harness.require_matplotlib(options)
    (device,) = harness.devices(options)
    libraries = LIBRARIES if harness.find_torch(device) is not None else LIBRARIES[:1]
    print(f"training steps on {device}\n{harness.describe_machine(options.threads)}\n")
    all_rows = {}
    for axis, values in options.axes:
        points = harness.progress(values, axis)
        all_rows[axis] = [measure_point(axis, value, libraries, options) for value in points]
        print_axis(axis, all_rows[axis], libraries)
    plot, options.plot = options.plot, None
    harness.save([row for rows in all_rows.values() for row in rows], options, "scaling", *LIBRARIES)
    if plot:
        draw(all_rows, libraries, plot)
        print(f"plot written to {plot}")


if __name__ == "__main__":
    main()
