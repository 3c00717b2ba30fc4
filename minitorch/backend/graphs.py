"""CUDA graphs: the work of a stream, captured once and launched as a whole, again and again.

A training step is some hundred kernels, most of them short, and the host takes longer to launch each than the GPU to
run it. While a stream is *captured*, what is launched on it is not run but written down. The result is a graph, whose
launch does everything once more: same kernels, same arguments, same addresses. Three things follow.

**Memory.** An address in a graph must stay the graph's own. So what is allocated during a capture comes from a ``Pool``
that only graphs use, and that keeps every byte it got from CUDA until the last graph with it is gone. Inside of it,
memory that was freed during the capture is reused, as in any pool: kernels of a graph run in order.

**The host** is not there when a graph runs. What looks at a value in the middle of the work cannot be captured, nor
can copies from or to the host. CuPy and CUDA refuse both; ``capture_errors.py`` makes that an error which names the
operation.

**Libraries.** CuPy refuses to call cuBLAS while capturing; ``avoids_cublas`` says when products must be kernels of our
own. Random numbers need a state on the device: see ``CapturedGenerator``.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import weakref
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Protocol

from minitorch.backend import accelerator
from minitorch.backend.capture_errors import CaptureError, message, operation_here, spoiled

Handle = tuple[int, int]


class CapturedGenerator(Protocol):
    """A random generator whose state lies on the device while a graph is captured, and when it runs.

    Kernels that were captured read [seed, offset] there, so that each launch of the graph can find other numbers.
    """

    def begin_capture(self) -> None:
        """Numbers drawn from now on belong to a graph."""

    def end_capture(self) -> int:
        """How far one run of the graph moves the generator on."""

    def before_replay(self, total: int) -> None:
        """Write the present state to where the graph's kernels read it, and move on by ``total``."""


# Generators that take part in every capture: those that numbers on a GPU come from by default.
default_generators: list[CapturedGenerator] = []


class _ThisThread(threading.local):
    capture: Capture | None = None
    own_products = False

    def __init__(self) -> None:
        self.streams: dict[Any, Any] = {}  # for captures, by array module and device


_this_thread = _ThisThread()


def is_capturing() -> bool:
    """Whether this thread is capturing a graph."""
    return _this_thread.capture is not None


def is_current_stream_capturing() -> bool:
    """Whether this thread is capturing a graph, on the stream that is current."""
    capture = _this_thread.capture
    return capture is not None and bool(accelerator.require().cuda.get_current_stream() == capture.stream)


def avoids_cublas() -> bool:
    """Whether products on a GPU are to be kernels of ours: in a capture, and in the steps that prepare one."""
    return _this_thread.own_products or _this_thread.capture is not None


@contextlib.contextmanager
def own_products() -> Iterator[None]:
    """Compute products as in a capture: the steps before one compile the kernels and round as the graph will."""
    before, _this_thread.own_products = _this_thread.own_products, True
    try:
        yield
    finally:
        _this_thread.own_products = before


# ----------------------------------------------------------------------------------------------- memory


class Pool:
    """Device memory of one graph, or of several that never run at the same time.

    CuPy's pool gives its free blocks back to CUDA when memory runs out, and then a graph would write to what is no
    longer its own. ``segments`` holds every piece of memory that the pool got, so that none is given back.
    """

    def __init__(self, handle: Handle) -> None:
        cuda = accelerator.require().cuda
        self.handle = handle
        self.segments: list[Any] = []
        self.memory = cuda.MemoryPool(partial(_reserve, self.segments))
        weakref.finalize(self, _retire, cuda.Device(), self.memory, self.segments).atexit = False

    def reserved(self) -> int:
        """How many bytes of the device the pool holds."""
        return sum(int(segment.size) for segment in self.segments)


def _reserve(segments: list[Any], size: int) -> Any:
    """Fresh memory of the device. It is a function, not a method: a cycle would keep the memory until it is found."""
    cuda = accelerator.require().cuda
    memory = cuda.Memory(size)
    segments.append(memory)
    return cuda.MemoryPointer(memory, 0)


# CuPy's pools whose graphs are gone, with their devices. Free blocks of a pool are lost with it, so it must outlive the
# tensors in it.
_retired: list[tuple[Any, Any]] = []


def _retire(device: Any, memory: Any, segments: list[Any]) -> None:
    """No graph needs the memory any more: give it back to CUDA as soon as no tensor lies in it."""
    segments.clear()
    _retired.append((device, memory))
    if not is_capturing():
        _free_retired()


def _free_retired() -> None:
    for _ in range(len(_retired)):
        device, memory = _retired.pop(0)
        with device:
            memory.free_all_blocks()
            if memory.total_bytes():
                _retired.append((device, memory))


_pools: weakref.WeakValueDictionary[Handle, Pool] = weakref.WeakValueDictionary()
_numbers = itertools.count(1)


def new_handle() -> Handle:
    """The name of a pool that does not exist yet."""
    return 0, next(_numbers)


def pool_of(handle: Handle | None) -> Pool:
    """The pool with this name, made if no graph has it; a fresh one for None."""
    name = new_handle() if handle is None else handle
    pool = _pools.get(name)
    if pool is None:
        pool = _pools[name] = Pool(name)
    return pool


# --------------------------------------------------------------------------------------------- captures


class Capture:
    """A capture of the current stream, from ``begin`` to ``end`` or ``abort``."""

    def __init__(self, pool: Pool, generators: Sequence[CapturedGenerator]) -> None:
        self.pool, self.generators = pool, generators
        self.stream: Any = None
        self._allocator = contextlib.ExitStack()

    def begin(self) -> None:
        """Write down what is launched on the current stream from now on, by this thread.

        Raises: RuntimeError for the default stream, which CUDA cannot capture, and while a capture goes on.
        """
        cuda = accelerator.require().cuda
        stream = cuda.get_current_stream()
        if is_capturing():
            raise RuntimeError("a CUDA graph is being captured already: captures cannot be nested")
        if stream.ptr in (0, 1):
            raise RuntimeError(
                "CUDA graphs must be captured on a non-default stream. "
                "(However, after capture, it's ok to replay them on the default stream.)"
            )
        for generator in self.generators:  # they may still copy to the device now
            generator.begin_capture()
        try:
            # CuPy asks for the "relaxed" mode: in the others CUDA would refuse the pool when it grows.
            stream.begin_capture()
        except BaseException:
            self._leave()
            raise
        self.stream, _this_thread.capture = stream, self
        self._allocator.enter_context(
            cuda.using_allocator(accelerator.memory().guarded(self.pool.memory.malloc, may_wait=False))
        )

    def end(self) -> Graph:
        """The graph of what was written down.

        Raises: RuntimeError if another stream is current, or if something that cannot be captured spoiled the capture.
        """
        if accelerator.require().cuda.get_current_stream() != self.stream:
            self.abort()
            raise RuntimeError("Capture must end on the same stream it began on.")
        totals = self._leave()
        try:
            executable = self.stream.end_capture()
        except RuntimeError as error:
            raise spoiled(error) from error
        executable.upload(self.stream)  # else the first replay would take the time that this takes
        return Graph(executable, self.pool, list(zip(self.generators, totals)))

    def abort(self) -> None:
        """Leave the capture after an error; the stream can be used again."""
        self._leave()
        with contextlib.suppress(RuntimeError):  # CUDA says once more that the capture was spoiled
            self.stream.end_capture()

    def _leave(self) -> list[int]:
        """The thread is as it was before: its allocator, its generators; returns how far these went."""
        _this_thread.capture = None
        self._allocator.close()
        return [generator.end_capture() for generator in self.generators]


class Graph:
    """What was captured, ready to be launched, with the memory it works in."""

    def __init__(self, executable: Any, pool: Pool, generators: list[tuple[CapturedGenerator, int]]) -> None:
        self.executable, self.pool, self.generators = executable, pool, generators
        self.device = accelerator.require().cuda.Device()

    def replay(self) -> None:
        """Do all of it once more, on the current stream, and do not wait."""
        with self.device:
            for generator, total in self.generators:
                generator.before_replay(total)
            self.executable.launch()


@contextlib.contextmanager
def side_stream(stream: Any = None) -> Iterator[Any]:
    """Work on another stream: after all that was given to the current one, and before what it is given afterwards."""
    cuda = accelerator.require().cuda
    current = cuda.get_current_stream()
    chosen = capture_stream() if stream is None else stream
    chosen.wait_event(current.record())
    try:
        with chosen:
            yield chosen
    finally:
        current.wait_event(chosen.record())


def capture_stream() -> Any:
    """This thread's stream for captures on the current device: always the same one, whose memory pools know it."""
    cupy = accelerator.require()
    key = (cupy, cupy.cuda.runtime.getDevice())
    if key not in _this_thread.streams:
        _this_thread.streams[key] = cupy.cuda.Stream(non_blocking=True)
    return _this_thread.streams[key]


def check_capture(reason: str) -> None:
    """Raise an error that names the operation, if this thread is capturing."""
    if _this_thread.capture is not None:
        raise CaptureError(message(operation_here(), reason))


def free_memory() -> None:
    """Wait for the device and give back what no array uses: the graph's memory comes from there."""
    cupy = accelerator.require()
    cupy.cuda.Device().synchronize()
    _free_retired()
    cupy.get_default_memory_pool().free_all_blocks()
