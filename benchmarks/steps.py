"""Whole training steps of the notes' networks, minitorch against torch.

    python benchmarks/steps.py
    python benchmarks/steps.py --networks mlp lenet --rounds 5 --plot steps.png

A step is forward, cross-entropy, backward and SGD with momentum. Each library runs in processes of its own, so that
threads and memory of one do not disturb the other, and the processes take turns: A B A B … Each warms up, measures
some steps, and reports their times and the most memory it ever held. The table shows the median over all steps of
all turns, the spread (half the distance between the quartiles), and the ratio of the medians.

With ``--device cuda`` there are two more columns: the same step captured in a CUDA graph and replayed, by
``minitorch.cuda.make_graphed_step`` and by ``torch.cuda.graph``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
import numpy
from networks import NETWORKS, Network

LIBRARIES = ("minitorch", "torch")
GRAPHS = ("minitorch-graph", "torch-graph")
WARMUP = 3  # the first steps create momentum buffers, start threads, compile kernels and fill caches
STEPS_AT_ONCE = {"cpu": 1, "cuda": 10}  # between two waits for the device, which a training loop does not do, either
SMALLEST = Network(
    "one pixel", lambda nn: nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU(), nn.Flatten()), (1, 1, 1, 1), 1
)


def training_step(library: Any, network: Network, device: str, graphed: bool = False) -> Callable[[], Any]:
    """One step on random data (never zeros: hardware and libraries treat those specially), as a function."""
    library.manual_seed(0)
    generator = numpy.random.default_rng(0)
    images = library.from_numpy(generator.standard_normal(network.shape).astype("float32")).to(device)
    labels = library.from_numpy(generator.integers(0, network.classes, network.shape[0])).to(device)
    model = network.build(library.nn).to(device)
    optimizer = library.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    criterion = library.nn.CrossEntropyLoss()

    def step(images: Any, labels: Any) -> Any:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    if not graphed:
        return lambda: step(images, labels)
    if library.__name__ == "minitorch":
        return library.cuda.make_graphed_step(step, images, labels, warmup=WARMUP)
    return captured_by_torch(library, lambda: step(images, labels))


def captured_by_torch(torch: Any, step: Callable[[], Any]) -> Callable[[], Any]:
    """The step as a graph, as torch's notes on CUDA graphs do it."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARMUP):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step()

    def replay() -> Any:
        graph.replay()
        return loss

    return replay


def measure_here(name: str, network: Network, device: str, seconds: float) -> dict[str, Any]:
    """What a child process does: warm up, then run steps for ``seconds`` (but at least three).

    A network with an operation that cannot be captured in a graph gives the reason instead of times.
    """
    library = __import__(name.split("-")[0])
    training_step(library, SMALLEST, device)()  # loads what the libraries load at first use
    before = peak_memory()
    try:
        step = training_step(library, network, device, graphed=name in GRAPHS)
    except RuntimeError as error:
        if "captur" not in str(error):
            raise
        return {"refused": str(error)}
    wait = library.cuda.synchronize if device == "cuda" else lambda: None
    for _ in range(WARMUP):
        loss = step()
    wait()
    times: list[float] = []
    end = time.perf_counter() + seconds
    steps = STEPS_AT_ONCE[device]
    while time.perf_counter() < end or len(times) < 3:
        start, used = time.perf_counter(), time.process_time()
        for _ in range(steps):
            loss = step()
        wait()
        times.append((time.perf_counter() - start) * 1e3 / steps)
        used = (time.process_time() - used) / steps
    return {
        "milliseconds": times,
        "peak_MiB": peak_memory(),
        "before_MiB": before,
        "cpu_milliseconds": used * 1e3,
        "loss": float(loss.item()),
    }


def peak_memory() -> float:
    """The most memory that this process has held, in MiB.

    Not simply ``ru_maxrss``: on Linux that starts from what the parent held when it started this process.
    """
    status = Path("/proc/self/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_child(script: str, name: str, arguments: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """Measure in one library in a fresh process: ``script --child name arguments`` prints what was found."""
    command = [sys.executable, script, "--child", name, *arguments]
    command += ["--device", options.device, "--seconds", str(options.seconds)]
    environment = dict(os.environ)
    if options.threads:
        environment["OMP_NUM_THREADS"] = str(options.threads)
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name} on {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def measure_in_turn(
    row: harness.Row, script: str, arguments: list[str], libraries: tuple[str, ...], options: argparse.Namespace
) -> harness.Row:
    """The row, filled by processes of each library in turn; see ``run_child``."""
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in libraries}
    for _ in range(options.rounds):
        for name in libraries:
            results[name].append(run_child(script, name, arguments, options))
    for name, runs in results.items():
        if "refused" in runs[0]:
            row.facts[f"{name}_refused"] = runs[0]["refused"]
            continue
        times = [each for run in runs for each in run["milliseconds"]]
        quartiles = statistics.quantiles(times, n=4)
        row.milliseconds[name], row.spread[name] = statistics.median(times), (quartiles[2] - quartiles[0]) / 2
        row.facts[f"{name}_best_ms"] = min(times)
        row.facts[f"{name}_peak_MiB"] = max(run["peak_MiB"] for run in runs)
        row.facts[f"{name}_step_MiB"] = max(run["peak_MiB"] - run["before_MiB"] for run in runs)
        row.facts[f"{name}_cpu_ms"] = statistics.median(run["cpu_milliseconds"] for run in runs)
    return row


def print_rows(rows: list[harness.Row]) -> None:
    """The table and the geometric means."""
    header = ["one step", "ours ms", "±", "torch ms", "±", "torch/ours", "best/best", "ours MiB", "torch MiB"]
    table = []
    for row in rows:
        line = [row.name, *times_of(row, LIBRARIES)]
        line += [harness.figure(row.ratio(*LIBRARIES)), harness.figure(best_ratio(row))]
        line += [harness.figure(row.facts.get(f"{name}_peak_MiB")) for name in LIBRARIES]
        table.append(line)
    harness.print_table(header, table)
    ratios = [ratio for row in rows if (ratio := row.ratio(*LIBRARIES)) is not None]
    bests = [ratio for row in rows if (ratio := best_ratio(row)) is not None]
    if ratios:
        medians, minima = harness.geometric_mean(ratios), harness.geometric_mean(bests)
        print(f"geometric mean of torch/ours: {medians:.2f} (of each side's fastest step: {minima:.2f})")


def times_of(row: harness.Row, names: tuple[str, ...]) -> list[str]:
    """Two cells for each contestant: the median and the spread."""
    cells = []
    for name in names:
        cells += [harness.figure(row.milliseconds.get(name)), harness.figure(row.spread.get(name), 2)]
    return cells


def print_rows_with_graphs(rows: list[harness.Row]) -> None:
    """The table of a GPU: steps launched op by op (eager), and as graphs."""
    pairs = [LIBRARIES, GRAPHS, (GRAPHS[0], LIBRARIES[1])]
    titles = ["torch/ours", "graph/graph", "torch/our graph"]
    header = ["one step", "ours ms", "±", "torch ms", "±", "our graph ms", "±", "torch graph ms", "±", *titles]
    cells = [
        [row.name, *times_of(row, LIBRARIES + GRAPHS), *(harness.figure(row.ratio(*pair)) for pair in pairs)]
        for row in rows
    ]
    harness.print_table(header, cells)
    for title, pair in zip(titles, pairs):
        ratios = [ratio for row in rows if (ratio := row.ratio(*pair)) is not None]
        if ratios:
            print(f"geometric mean of {title}: {harness.geometric_mean(ratios):.2f}")
    for row in rows:
        for name in GRAPHS:
            if f"{name}_refused" in row.facts:
                print(f"{row.name}, {name}: {row.facts[f'{name}_refused']}")


def best_ratio(row: harness.Row) -> float | None:
    """The ratio of the fastest steps: what a machine without other work would show."""
    ours, theirs = (row.facts.get(f"{name}_best_ms") for name in LIBRARIES)
    return None if ours is None or theirs is None else theirs / ours


def parse_options() -> argparse.Namespace:
    """The common options, and those of this benchmark."""
    parser = harness.parser(__doc__ or "")
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each library for each network")
    parser.add_argument("--threads", type=int, help="OMP_NUM_THREADS of both libraries")
    parser.add_argument("--no-graphs", action="store_true", help="on a GPU, measure no steps that are CUDA graphs")
    parser.add_argument("--child", choices=LIBRARIES + GRAPHS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.dtype != "float32" or options.device == "all":
        parser.error("steps are measured in float32, on one device at a time")
    return options


def main() -> None:
    options = parse_options()
    if options.child:
        network = NETWORKS[options.networks[0]]
        print(json.dumps(measure_here(options.child, network, options.device, options.seconds)))
        return
    (device,) = harness.devices(options)
    with_graphs = device == "cuda" and not options.no_graphs
    sides = 2 if harness.find_torch(device) is not None else 1
    contestants = LIBRARIES[:sides] + (GRAPHS[:sides] if with_graphs else ())
    machine = harness.describe_machine(options.threads)
    print(f"training steps on {device}: forward, backward, SGD with momentum\n{machine}\n")
    rows = [
        measure_in_turn(harness.Row(NETWORKS[key].name), __file__, ["--networks", key], contestants, options)
        for key in harness.progress(options.networks, "networks")
    ]
    (print_rows_with_graphs if with_graphs else print_rows)(rows)
    harness.save(rows, options, f"training steps ({device})", *LIBRARIES)


if __name__ == "__main__":
    main()
