"""Times on a GPU: events around queued calls, and the ceilings that no kernel can beat.

A call returns as soon as its work is queued, so that a clock on the host would time the queueing. An event is a mark in
the queue that takes the time when the GPU reaches it. Several calls stand between two events: the GPU then works
without pause, if it is slower than the host. (If not, the pauses belong to the time of an eager call, for both sides.)
The same data is used again and again, so that what fits in the L2 cache is read from there, in both libraries.

**Roofline.** Work of F operations on B bytes cannot take less than max(F / rate, B / bandwidth). Rate and bandwidth are
not taken from a data sheet but measured on the device: the largest rate of a big matrix product, the largest of a copy.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from harness import Contestant, Row

from minitorch.backend import accelerator

CALLS = 10  # between two events
PRODUCT_SIZE = 8192
COPY_BYTES = 1 << 29


class Ceilings(NamedTuple):
    """What this device reaches at most: operations and bytes a second."""

    flop: float
    bytes: float

    def floor(self, flop: float, moved: float) -> float:
        """The least time for that much work, in milliseconds."""
        return max(flop / self.flop, moved / self.bytes) * 1e3


def measure(name: str, contestants: dict[str, Contestant], seconds: float, torch: Any) -> Row:
    """Milliseconds a call: the contestants in turn, until each has had ``seconds``."""
    timers = {label: _timer(torch if label == "torch" else None) for label in contestants}
    samples: dict[str, list[float]] = {label: [] for label in contestants}
    for label, run in contestants.items():  # warm-up: kernels are compiled, memory pools filled
        timers[label](run, 3)
    end = time.perf_counter() + seconds * len(contestants)
    while time.perf_counter() < end or any(len(each) < 3 for each in samples.values()):
        for label, run in contestants.items():
            samples[label].append(timers[label](run, CALLS))
    row = Row(name)
    for label, times in samples.items():
        quartiles = statistics.quantiles(times, n=4)
        row.milliseconds[label] = statistics.median(times)
        row.spread[label] = (quartiles[2] - quartiles[0]) / 2
    return row


def _timer(torch: Any) -> Callable[[Contestant, int], float]:
    """A function (run, calls) → milliseconds a call, by the events of the library whose stream the work is on."""

    def by_torch(run: Contestant, calls: int) -> float:
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(calls):
            run()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) / calls

    def by_cupy(run: Contestant, calls: int) -> float:
        cuda = accelerator.require().cuda
        start, end = cuda.Event(), cuda.Event()
        start.record()
        for _ in range(calls):
            run()
        end.record()
        end.synchronize()
        return float(cuda.get_elapsed_time(start, end)) / calls

    return by_cupy if torch is None else by_torch


def measure_ceilings(dtype: str, size: int = PRODUCT_SIZE, copied: int = COPY_BYTES) -> Ceilings:
    """A matrix product by cuBLAS (with TF32 if that is allowed for products) and a copy, each at its best of five."""
    xp, time_of = accelerator.require(), _timer(None)
    a, b = [xp.asarray(_random(size, dtype, seed)) for seed in (0, 1)]
    product, source = xp.empty_like(a), xp.arange(copied // 4, dtype="float32")
    target = xp.empty_like(source)
    fastest_product = min(time_of(lambda: xp.matmul(a, b, out=product), 3) for _ in range(5))
    fastest_copy = min(time_of(lambda: xp.copyto(target, source), 3) for _ in range(5))
    return Ceilings(2 * size**3 / fastest_product * 1e3, 2 * copied / fastest_copy * 1e3)


def _random(size: int, dtype: str, seed: int) -> Any:
    import numpy

    return numpy.random.default_rng(seed).standard_normal((size, size), dtype="float32").astype(dtype)


def describe_device(torch: Any) -> str:
    """The GPU, and how each side treats float32."""
    import minitorch

    properties = accelerator.require().cuda.runtime.getDeviceProperties(0)
    name = properties["name"]
    lines = [name.decode() if isinstance(name, bytes) else str(name)]
    for label, package in (("minitorch", minitorch), ("torch", torch)):
        if package is not None:
            backends = package.backends
            matmul, convolution = backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32
            lines.append(f"TF32 in {label}: products {_on(matmul)}, convolutions {_on(convolution)}")
    return "\n".join(lines)


def _on(allowed: bool) -> str:
    return "on" if allowed else "off"


def allow_tf32(allowed: bool, torch: Any) -> None:
    """The same rounding on both sides, for products and convolutions."""
    import minitorch

    for package in (minitorch, torch):
        if package is not None:
            package.backends.cuda.matmul.allow_tf32 = allowed
            package.backends.cudnn.allow_tf32 = allowed
