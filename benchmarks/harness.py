"""What every benchmark shares: options, alternating measurement, the table, JSON and plots.

A ratio of two times taken minutes apart says little on a shared machine. So the contestants of a row take turns
of some milliseconds, A B A B …, and the row shows medians, the spread (half the distance between the quartiles) and the
ratio of the medians. Above 1, minitorch is faster.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# A benchmark is run as a script (python benchmarks/conv.py): its parent folder is the project.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy
import threadpoolctl

import minitorch

Contestant = Callable[[], Any]

PAUSE = 0.005  # seconds
TURN = 0.02


@dataclass
class Row:
    """One measured case: milliseconds by contestant, and what else is known about it."""

    name: str
    milliseconds: dict[str, float] = field(default_factory=dict)
    spread: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def ratio(self, ours: str, theirs: str) -> float | None:
        """Time of ``theirs`` over time of ``ours``: above 1, ours is faster."""
        if ours not in self.milliseconds or theirs not in self.milliseconds:
            return None
        return self.milliseconds[theirs] / self.milliseconds[ours]


def parser(description: str) -> argparse.ArgumentParser:
    """The options that all benchmarks have."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--device", choices=["cpu", "cuda", "all"], default="cpu", help="where to compute")
    made.add_argument("--dtype", choices=["float32", "float64", "float16"], default="float32")
    made.add_argument("--backward", action="store_true", help="measure forward and backward together")
    made.add_argument("--seconds", type=float, default=1.0, help="time spent on each contestant of a row")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    made.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the ratios (needs matplotlib)")
    return made


def devices(options: argparse.Namespace) -> list[str]:
    """The devices asked for; without a GPU, ``--device cuda`` ends the script with code 2 and one line."""
    if options.device == "cpu":
        return ["cpu"]
    try:
        minitorch.zeros(1, device="cuda")
    except RuntimeError as error:
        if options.device == "cuda":
            print(error, file=sys.stderr)
            raise SystemExit(2) from None
        print(f"GPU columns left out: {error}", file=sys.stderr)
        return ["cpu"]
    return ["cuda"] if options.device == "cuda" else ["cpu", "cuda"]


def require_matplotlib(options: argparse.Namespace) -> None:
    """End the script before it measures anything if its plot could not be drawn."""
    if options.plot and importlib.util.find_spec("matplotlib") is None:
        print("--plot needs matplotlib: pip install 'minitorch[bench]'", file=sys.stderr)
        raise SystemExit(2)


def find_torch(device: str) -> Any:
    """torch, if it is installed and can use ``device``; else None, and the column says why."""
    try:
        import torch
    except ImportError:
        return None
    return torch if device == "cpu" or torch.cuda.is_available() else None


def synchronizer(device: str, torch: Any) -> Callable[[], None]:
    """What waits until ``device`` has finished; nothing to wait for on the CPU."""
    if device == "cpu":
        return lambda: None

    def wait() -> None:
        minitorch.cuda.synchronize()
        if torch is not None:
            torch.cuda.synchronize()

    return wait


def measure(
    name: str, contestants: dict[str, Contestant], seconds: float, wait: Callable[[], None] = lambda: None
) -> Row:
    """Run the contestants in turn until each has had ``seconds``; medians and spreads in milliseconds.

    A turn is some milliseconds long and begins with a pause: threads of the one before may still spin, waiting for
    more work, and would take a core from the next (measured: short ops looked half as fast as they are).
    """
    samples: dict[str, list[float]] = {each: [] for each in contestants}
    for run in contestants.values():  # warm-up: first calls allocate, compile and fill caches
        for _ in range(2):
            run()
    wait()
    end = time.perf_counter() + seconds * max(len(contestants), 1)
    while time.perf_counter() < end or any(len(each) < 3 for each in samples.values()):
        for label, run in contestants.items():
            time.sleep(PAUSE)
            samples[label] += take_turn(run, wait)
    row = Row(name)
    for label, times in samples.items():
        quartiles = statistics.quantiles(times, n=4)
        row.milliseconds[label] = statistics.median(times)
        row.spread[label] = (quartiles[2] - quartiles[0]) / 2
    return row


def take_turn(run: Contestant, wait: Callable[[], None]) -> list[float]:
    """The milliseconds of each run in a turn, but for the first one if there are more: it wakes and warms up."""
    times: list[float] = []
    end = time.perf_counter() + TURN
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        wait()
        times.append((time.perf_counter() - start) * 1e3)
    return times[1:] or times


def geometric_mean(values: Iterable[float]) -> float:
    """The mean that treats twice as fast and half as fast alike."""
    return statistics.geometric_mean(list(values))


def progress(items: Sequence[Any], title: str) -> Iterable[Any]:
    """The items with a progress bar, where tqdm is installed and someone is watching."""
    try:
        from tqdm import tqdm
    except ImportError:
        return items
    return tqdm(items, desc=title, leave=False, disable=not sys.stderr.isatty())


def describe_machine(threads: int | None = None) -> str:
    """What the figures below were measured on: the machine and the threads used, and below that the software.

    ``threads``: how many the measuring processes get, if they are others than this one.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    ours, theirs = minitorch.get_num_threads(), "torch not installed"
    try:
        import torch

        theirs = f"torch {torch.__version__}"
        used = f"threads used: {ours} (torch {torch.get_num_threads()})"
    except ImportError:
        used = f"threads used: {ours}"
    hardware = f"{processor()}, {cores} cores, {used if threads is None else f'threads used: {threads}'}"
    return f"{hardware}\nPython {platform.python_version()}, NumPy {numpy.__version__} with {blas()}, {theirs}"


def processor() -> str:
    """The processor's name, where the system tells it, and its architecture."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return f"{name} ({platform.machine()})" if name else platform.machine()


def blas() -> str:
    """NumPy's BLAS and the processor that its kernels were written for: not the fastest there are, on some machines."""
    found = [each for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"]
    found.sort(key=lambda library: "numpy" not in library["filepath"])  # other packages may bring theirs along
    if not found:
        return "an unknown BLAS"
    kernels = found[0].get("architecture")
    return f"{found[0]['internal_api']} {found[0]['version']}" + (f" ({kernels} kernels)" if kernels else "")


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table with aligned columns: the first to the left, figures to the right."""
    widths = [max(len(str(cell)) for cell in column) for column in zip(header, *rows)]
    for index, row in enumerate([header, ["-" * width for width in widths], *rows]):
        cells = [str(cell) for cell in row]
        line = [cells[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:])]
        print("  ".join(line) if index != 1 else "  ".join(cells))


def figure(value: float | None, digits: int = 3) -> str:
    """A figure to a few significant digits; ``-`` for what was not measured."""
    if value is None:
        return "-"
    return f"{value:.{digits}g}" if abs(value) < 1000 else f"{value:,.0f}"


def save(rows: Sequence[Row], options: argparse.Namespace, title: str, ours: str, theirs: str) -> None:
    """Write what ``--json`` and ``--plot`` ask for."""
    if options.json:
        machine = describe_machine(getattr(options, "threads", None))
        content = {"title": title, "machine": machine, "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(content, indent=2))
        print(f"rows written to {options.json}")
    if options.plot:
        draw_ratios(rows, options.plot, title, ours, theirs)
        print(f"plot written to {options.plot}")


def draw_ratios(rows: Sequence[Row], path: Path, title: str, ours: str, theirs: str) -> None:
    """A bar a row: torch's time over ours."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shown = [(row.name, row.ratio(ours, theirs)) for row in rows if row.ratio(ours, theirs) is not None]
    names, ratios = [name for name, _ in shown], [ratio for _, ratio in shown]
    figure_, axes = pyplot.subplots(figsize=(9, 1.5 + 0.3 * len(names)), layout="constrained")
    axes.barh(names, ratios, color=["tab:green" if ratio >= 1 else "tab:blue" for ratio in ratios])
    axes.axvline(1, color="black", linewidth=1)
    axes.invert_yaxis()
    axes.set_xlabel(f"time of {theirs} / time of {ours} (above 1: minitorch is faster)")
    axes.set_title(f"{title}\n{describe_machine()}", fontsize=9)
    figure_.savefig(path, dpi=120)
    pyplot.close(figure_)


def run_forward(function: Callable[..., Any], inputs: Sequence[Any], no_grad: Callable[[], Any]) -> Contestant:
    """A contestant that computes ``function(*inputs)`` without recording it."""

    def run() -> Any:
        with no_grad():
            return function(*inputs)

    return run


def run_backward(function: Callable[..., Any], inputs: Sequence[Any], cotangent: Any) -> Contestant:
    """A contestant that computes ``function(*inputs)`` and the gradients of all inputs that want one."""
    wanted = [value for value in inputs if getattr(value, "requires_grad", False)]

    def run() -> Any:
        function(*inputs).backward(cotangent)
        for value in wanted:
            value.grad = None

    return run
