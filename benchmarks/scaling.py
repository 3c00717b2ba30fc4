"""How the time of a training step grows: with the batch, the image, the channels, the depth, and the threads.

    python benchmarks/scaling.py
    python benchmarks/scaling.py --axes batch threads --plot scaling.png

A network of convolutions (3 × 3, each with a rectifier), global average pooling and a linear layer is trained for a
few steps at each point of an axis, minitorch and torch in turn. Where time ∝ size^e, the exponent e is the slope in
a plot of logarithms; it is fitted to all points of the axis. A step costs work in proportion to batch and depth
(e = 1), and to the square of image size and channels (e = 2); less means that overhead still counts. With n threads
e = −1 would be ideal.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import harness
import numpy

import minitorch

BASE = {"batch": 16, "image": 16, "channels": 32, "depth": 3}
AXES = {
    "batch": [1, 2, 4, 8, 16, 32, 64],
    "image": [4, 8, 16, 32, 64],
    "channels": [4, 8, 16, 32, 64, 128],
    "depth": [1, 2, 4, 8, 16],
    "threads": [1],
}


def thread_counts() -> list[int]:
    """1, 2, 4, … up to the number of threads that there are."""
    most = minitorch.get_num_threads()
    return [2**power for power in range(most.bit_length()) if 2**power < most] + [most]


def make_step(library: Any, device: str, batch: int, image: int, channels: int, depth: int) -> harness.Contestant:
    """A training step of the network with these sizes."""
    library.manual_seed(0)
    nn = library.nn
    layers: list[Any] = []
    for index in range(depth):
        layers += [nn.Conv2d(channels if index else 3, channels, 3, padding=1), nn.ReLU()]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)).to(device)
    optimizer = library.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    generator = numpy.random.default_rng(0)
    images = library.from_numpy(generator.standard_normal((batch, 3, image, image)).astype("float32")).to(device)
    labels = library.from_numpy(generator.integers(0, 10, batch)).to(device)

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return step


def measure_point(axis: str, value: int, libraries: dict[str, Any], options: argparse.Namespace) -> harness.Row:
    """One point of an axis."""
    sizes = BASE if axis == "threads" else BASE | {axis: value}
    before = {name: library.get_num_threads() for name, library in libraries.items()}
    if axis == "threads":
        for library in libraries.values():
            library.set_num_threads(value)
    steps = {name: make_step(library, options.device, **sizes) for name, library in libraries.items()}
    wait = harness.synchronizer(options.device, libraries.get("torch"))
    row = harness.measure(f"{axis} {value}", steps, options.seconds, wait)
    for name, library in libraries.items():
        library.set_num_threads(before[name])
    row.facts |= {"axis": axis, "value": value}
    return row


def exponent(rows: list[harness.Row], name: str) -> float | None:
    """The slope of log time against log size, by least squares."""
    points = [(math.log(row.facts["value"]), math.log(row.milliseconds[name])) for row in rows]
    if len(points) < 2:
        return None
    xs, ys = zip(*points)
    return float(numpy.polyfit(xs, ys, 1)[0])


def print_axis(axis: str, rows: list[harness.Row], libraries: dict[str, Any]) -> None:
    """The table of one axis, and its exponents."""
    header = [axis, "ours ms", "±", "torch ms", "±", "torch/ours"]
    table = []
    for row in rows:
        line = [str(row.facts["value"])]
        for name in ("minitorch", "torch"):
            line += [harness.figure(row.milliseconds.get(name)), harness.figure(row.spread.get(name), 2)]
        table.append([*line, harness.figure(row.ratio("minitorch", "torch"))])
    harness.print_table(header, table)
    fitted = [f"{name} {harness.figure(exponent(rows, name), 2)}" for name in libraries]
    print(f"time ∝ {axis}^e with e = {', '.join(fitted)}\n")


def draw(all_rows: dict[str, list[harness.Row]], libraries: dict[str, Any], path: Path) -> None:
    """A panel an axis, both scales logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(all_rows), figsize=(3.4 * len(all_rows), 3.6), layout="constrained")
    for panel, (axis, rows) in zip(numpy.atleast_1d(panels), all_rows.items()):
        for name in libraries:
            label = f"{name}: e = {harness.figure(exponent(rows, name), 2)}"
            xs, ys = [row.facts["value"] for row in rows], [row.milliseconds[name] for row in rows]
            panel.loglog(xs, ys, "o-", label=label)
        panel.set_xlabel(axis)
        panel.legend(fontsize=8)
    numpy.atleast_1d(panels)[0].set_ylabel("ms a training step")
    figure.suptitle(f"time of a training step\n{harness.describe_machine()}", fontsize=9)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def main() -> None:
    parser = harness.parser(__doc__ or "")
    parser.add_argument("--axes", nargs="+", choices=list(AXES), default=list(AXES), metavar="AXIS")
    options = parser.parse_args()
    if options.dtype != "float32" or options.device == "all":
        parser.error("steps are measured in float32, on one device at a time")
    (device,) = harness.devices(options)
    torch = harness.find_torch(device)
    libraries = {"minitorch": minitorch} | ({} if torch is None else {"torch": torch})
    print(f"training steps on {device}\n{harness.describe_machine()}\n")
    all_rows = {}
    for axis in options.axes:
        values = thread_counts() if axis == "threads" else AXES[axis]
        all_rows[axis] = [measure_point(axis, value, libraries, options) for value in harness.progress(values, axis)]
        print_axis(axis, all_rows[axis], libraries)
    plot, options.plot = options.plot, None
    harness.save([row for rows in all_rows.values() for row in rows], options, "scaling", "minitorch", "torch")
    if plot:
        draw(all_rows, libraries, plot)
        print(f"plot written to {plot}")


if __name__ == "__main__":
    main()
