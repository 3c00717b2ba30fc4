"""Capturing the work of a stream in a graph, on the stand-in for CuPy.

As on a GPU, what is captured is not done: when the capture ends, all memory is again as it was when it began, and what
was allocated meanwhile is full of nan. A launch of the graph does everything once more, in the same memory. What CUDA
or CuPy refuses while capturing is refused: waits, copies from and to the host, cuBLAS, sorting by Thrust. A
capture in which CUDA refused something ends without a graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from tests.harness.strict_array import StrictArray, live_arrays, strict

CUBLAS = {"matmul", "dot", "vdot", "inner", "outer", "tensordot", "einsum"}
SPOILED = "cudaErrorStreamCaptureInvalidated: operation failed due to a previous error during capture"
THRUST = {"sort", "argsort", "lexsort", "partition", "argpartition", "median", "percentile", "quantile"}


# Neither moves nor computes anything; `getitem`, `reshape` and `array` may
WITHOUT_WORK = {"empty", "empty_like", "broadcast_to", "transpose", "swapaxes", "squeeze", "expand_dims", "__len__"}


class CaptureError(RuntimeError):
    """``cudaErrorStreamCaptureUnsupported``: not while a stream is being captured."""


class Graph:
    """``cupy.cuda.Graph``."""

    def __init__(self, work: list[tuple[str, Callable[[], None]]]) -> None:
        self._work = work
        self.names = [name for name, _ in work if name not in WITHOUT_WORK]  # of the operations, for tests

    def launch(self, stream: Any = None) -> None:
        """Do all of the work once more."""
        if strict.recorder is not None:
            raise CaptureError("a graph is launched while a stream is being captured")
        for _, again in self._work:
            again()

    def debug_dot_str(self, flags: int = 0) -> str:
        """The operations in the language of Graphviz."""
        return "digraph dot {" + " ".join(f'"{name}";' for name in self.names) + "}"

    def upload(self, stream: Any = None) -> None: ...


class Capture:
    """The capture that goes on."""

    def __init__(self) -> None:
        self.work: list[tuple[str, Callable[[], None]]] = []
        self.before = {id(owner): (owner, owner.copy()) for owner in _owners()}
        self.is_spoiled = False
        self.watch, strict.watch = strict.watch, self.refuse
        strict.recorder = self.record

    def record(self, name: str, result: Any, compute: Callable[[], Any]) -> None:
        """Keep an operation that has just been done."""
        if self.is_spoiled:
            raise CaptureError(SPOILED)
        dtypes = [each.dtype.kind for each in _arrays(result)]
        if name in CUBLAS and "f" in dtypes:
            raise NotImplementedError(f"{name}: calling cuBLAS API during stream capture is currently unsupported")
        if name in THRUST:
            self.is_spoiled = True
            raise CaptureError(f"{name}: Thrust waits for the stream, which is not permitted when it is capturing")
        self.work.append((name, lambda: _refill(result, compute())))

    def refuse(self, event: str) -> None:
        """Raise an error for a wait or a copy. CUDA, which is asked to wait, spoils the capture; CuPy looks before."""
        self.is_spoiled = self.is_spoiled or "synchronize" in event.lower()
        raise CaptureError(
            f"cudaErrorStreamCaptureUnsupported: operation not permitted when stream is capturing: {event}"
        )

    def end(self) -> Graph:
        """Undo what was done, and give it as a graph."""
        strict.recorder, strict.watch = None, self.watch
        for owner in _owners():
            known = self.before.get(id(owner))
            if known is not None:
                owner[...] = known[1]
            elif owner.dtype.kind == "f":
                owner.fill(numpy.nan)
        if self.is_spoiled:
            raise CaptureError(SPOILED)
        return Graph(self.work)


def _owners() -> list[numpy.ndarray]:
    """The arrays that own the memory of all device arrays."""
    owners = {}
    for array in live_arrays():
        while isinstance(array.base, numpy.ndarray):
            array = array.base
        owners[id(array)] = array
    return list(owners.values())


def _arrays(result: Any) -> list[StrictArray]:
    if isinstance(result, (list, tuple)):
        return [array for each in result for array in _arrays(each)]
    return [result] if isinstance(result, StrictArray) else []


def _refill(result: Any, again: Any) -> None:
    """Write what an operation gives now into the memory of what it gave when it was captured."""
    if isinstance(again, (list, tuple)):
        for old, new in zip(result, again):
            _refill(old, new)
    elif isinstance(result, StrictArray):
        new = numpy.asarray(again)
        if not numpy.may_share_memory(result._host, new):  # else it is a view, or was written in place
            result._host[...] = new
