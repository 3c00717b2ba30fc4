"""A whole CuPy without a GPU: the arrays of ``strict_array.py``, kernels by the emulator, streams, events, pools.

``with installed() as cupy:`` makes ``minitorch.device("cuda")`` work. The arrays are refused wherever CuPy would refuse
them, fresh memory is full of nan, kernels are run by ``cuda_emulator`` with all its checks, and everything is done at
once: a stream is a name, an event a time. So this shows that the library *calls* CuPy rightly and that its kernels are
right. It shows nothing about speed, and nothing about what happens when work on several streams overlaps.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from collections.abc import Iterator
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy

from minitorch.backend import accelerator
from tests.harness.cuda_emulator import EmulatedCompileError, EmulatedModule
from tests.harness.fake_memory import (
    MEMORY,
    DefaultMemoryPool,
    Memory,
    MemoryPointer,
    MemoryPool,
    OutOfMemoryError,
    using_allocator,
)
from tests.harness.pinned_memory import alloc_pinned_memory, is_memory_pinned
from tests.harness.stream_capture import Capture, CaptureError, Graph
from tests.harness.strict_array import StrictArray, count_wait, strict

ATTRIBUTES = {"MultiProcessorCount": 4, "MaxThreadsPerBlock": 1024, "WarpSize": 32, "ClockRate": 1_000_000}
_POISON = {"f": numpy.nan, "c": numpy.nan, "i": -77, "u": 177}


class Device:
    """``cupy.cuda.Device``: there is one, number 0."""

    attributes = ATTRIBUTES
    compute_capability = "80"
    mem_info = (MEMORY, MEMORY)

    def __init__(self, device: Any = None) -> None:
        self.id = 0 if device is None else int(device)
        if self.id != 0:
            raise RuntimeError("cudaErrorInvalidDevice: invalid device ordinal")

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None: ...

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device)

    def __hash__(self) -> int:
        return 0

    def __int__(self) -> int:
        return self.id

    def use(self) -> None: ...

    def synchronize(self) -> None:
        count_wait("Device.synchronize()")


_pointers = itertools.count(5000)


class Event:
    """``cupy.cuda.Event``: the moment when it was recorded."""

    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False) -> None:
        if interprocess and not disable_timing:
            raise ValueError("Timing must be disabled for interprocess events")
        self.disable_timing, self.time = disable_timing, None

        self.ptr = next(_pointers)

    done = True  # all work is done at once

    def record(self, stream: Any = None) -> None:
        self.time = time.perf_counter()

    def synchronize(self) -> None:
        count_wait("Event.synchronize()")


def get_elapsed_time(start: Event, end: Event) -> float:
    """Milliseconds between two recorded events that keep the time."""
    if start.disable_timing or end.disable_timing or start.time is None or end.time is None:
        raise RuntimeError("cudaErrorInvalidResourceHandle: invalid resource handle")
    return 1000 * (end.time - start.time)


class Stream:
    """``cupy.cuda.Stream``: which one is current is all that there is to it."""

    null: Stream
    _stack: list[Stream] = []
    _count = 0
    _capture: Capture | None = None
    done = True

    def __init__(
        self, null: bool = False, non_blocking: bool = False, ptds: bool = False, priority: Any = None
    ) -> None:
        self.non_blocking, self.priority, self.device_id = non_blocking, max(min(priority or 0, 0), -5), 0
        self.ptr = 0 if null else 1000 + Stream._count
        Stream._count += not null

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self.ptr == other.ptr

    def __hash__(self) -> int:
        return self.ptr

    def __enter__(self) -> Stream:
        Stream._stack.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        Stream._stack.pop()

    @classmethod
    def from_external(cls, obj: Any) -> Stream:
        """A stream of another library."""
        version, pointer = obj.__cuda_stream__()
        made = cls(non_blocking=True)
        made.ptr, made.version, made.owner = pointer, version, obj
        return made

    def use(self) -> Stream:
        Stream._stack[-1] = self
        return self

    def record(self, event: Event | None = None) -> Event:
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        if not isinstance(event, Event):
            raise TypeError("an event is waited for")

    def synchronize(self) -> None:
        count_wait("Stream.synchronize()")

    def begin_capture(self, mode: Any = None) -> None:
        if self.ptr == 0 or not self.non_blocking:
            raise CaptureError("cudaErrorStreamCaptureImplicit: only a non-blocking stream can be captured")
        if Stream._capture is not None or Stream._stack[-1] is not self:
            raise CaptureError("cudaErrorIllegalState: capture the current stream, and one at a time")
        Stream._capture = Capture()

    def end_capture(self) -> Graph:
        capture, Stream._capture = Stream._capture, None
        if capture is None:
            raise CaptureError("cudaErrorIllegalState: no capture goes on")
        return capture.end()

    def is_capturing(self) -> bool:
        return Stream._capture is not None and Stream._stack[-1] is self


Stream.null = Stream(null=True)
Stream._stack.append(Stream.null)


class FakeCupy(ModuleType):
    """The module: what ``strict`` has, and more."""

    RawModule = EmulatedModule
    ndarray = StrictArray

    def __init__(self) -> None:
        super().__init__("cupy")
        self.pool = DefaultMemoryPool()
        self.cuda = _cuda(self.pool)
        self.allocator = self.pool.malloc
        self.cuda.get_allocator = lambda: self.allocator
        self.cuda.set_allocator = partial(setattr, self, "allocator")
        self.random = SimpleNamespace()
        self.get_default_memory_pool = lambda: self.pool
        self.get_default_pinned_memory_pool = lambda: SimpleNamespace(
            free_all_blocks=lambda: None, n_free_blocks=lambda: 0
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(strict, name)

    def empty(self, shape: Any, dtype: Any = float, order: str = "C") -> Any:
        """Memory that nobody wrote to: nan, or numbers that no test expects."""
        size = math.prod(shape if isinstance(shape, (tuple, list)) else (shape,)) * numpy.dtype(dtype).itemsize
        if size > MEMORY:
            self.allocator(size)  # more than NumPy could be asked for, perhaps
        return _poisoned(strict.empty(shape, dtype, order=order))

    def empty_like(self, prototype: Any, dtype: Any = None, order: str = "K") -> Any:
        return _poisoned(strict.empty_like(prototype, dtype, order=order))


def _poisoned(array: StrictArray) -> StrictArray:
    if array.dtype.kind in _POISON:
        array._host.fill(_POISON[array.dtype.kind])
    return array


def _cuda(pool: DefaultMemoryPool) -> Any:
    def wait() -> None:
        count_wait("deviceSynchronize()")

    properties = {"name": b"Emulated GPU", "totalGlobalMem": MEMORY, "major": 8, "minor": 0, "multiProcessorCount": 4}
    properties |= {"integrated": 0, "isMultiGpuBoard": 0, "maxThreadsPerMultiProcessor": 2048, "warpSize": 32}
    properties |= {"regsPerMultiprocessor": 65536, "sharedMemPerBlock": 49152, "sharedMemPerBlockOptin": 166912}
    properties |= {"sharedMemPerMultiprocessor": 167936, "l2CacheSize": 41943040}
    properties |= {"pciBusID": 1, "pciDeviceID": 0, "pciDomainID": 0}
    runtime = SimpleNamespace(
        getDeviceCount=lambda: 1,
        getDevice=lambda: 0,
        setDevice=Device,
        deviceSynchronize=wait,
        getDeviceProperties=lambda index: properties,
        memGetInfo=lambda: (MEMORY - pool.used_bytes(), MEMORY),
        deviceCanAccessPeer=lambda index, peer: 0,
        driverGetVersion=lambda: 13000,
        runtimeGetVersion=lambda: 13000,
    )
    return SimpleNamespace(
        is_available=lambda: True,
        runtime=runtime,
        Device=Device,
        Stream=Stream,
        Event=Event,
        Graph=Graph,
        Memory=Memory,
        MemoryPointer=MemoryPointer,
        MemoryPool=MemoryPool,
        using_allocator=using_allocator,
        get_elapsed_time=get_elapsed_time,
        get_current_stream=lambda device_id=-1: Stream._stack[-1],
        memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
        compiler=SimpleNamespace(CompileException=EmulatedCompileError),
        alloc_pinned_memory=alloc_pinned_memory,
        pinned_memory=SimpleNamespace(alloc_pinned_memory=alloc_pinned_memory, is_memory_pinned=is_memory_pinned),
    )


@contextlib.contextmanager
def installed() -> Iterator[Any]:
    """Put the stand-in in CuPy's place; yields it."""
    previous = accelerator.install(fake)
    strict.allocator = lambda owner: fake.allocator(owner.nbytes)
    try:
        yield fake
    finally:
        fake.pool.set_limit(0)
        strict.allocator = None
        accelerator.install(previous)


fake = FakeCupy()  # one for all tests: kernel files keep what they compiled with it
