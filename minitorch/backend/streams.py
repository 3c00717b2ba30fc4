"""Streams, events and the current device of a GPU, as CuPy has them.

CuPy destroys a stream that nobody holds, and the memory that its pool keeps for the stream is lost to all others. So
streams are made once, ``STREAMS`` of each priority and device, and handed out in turn, as torch does.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from minitorch.backend import accelerator

STREAMS = 32  # of a device and a priority
_pools: dict[tuple[int, int, int], _Pool] = {}  # by array module, device and priority
_lock = threading.Lock()


class _Pool:
    """Streams of one device and one priority."""

    def __init__(self) -> None:
        self.streams: list[Any] = []
        self.turns = itertools.cycle(range(STREAMS))


class _Foreign:
    """A stream of somebody else's, as CuPy's protocol for streams wants it."""

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.pointer


def set_device(index: int) -> None:
    """Make the GPU the one that ``"cuda"`` means, for this thread."""
    accelerator.require(index).cuda.Device(index).use()


@contextmanager
def on_device(index: int) -> Iterator[None]:
    """Another GPU for a while."""
    with accelerator.require(index).cuda.Device(index):
        yield


def synchronize_device(index: int) -> None:
    """Wait for all work on the GPU."""
    accelerator.require(index).cuda.Device(index).synchronize()


def stream_of_pool(index: int, priority: int) -> Any:
    """A stream that does not wait for the default stream, nor that for it; the next in turn."""
    cuda = accelerator.require(index).cuda
    with _lock:
        pool = _pools.setdefault((id(cuda), index, priority), _Pool())
        turn = next(pool.turns)
        if turn == len(pool.streams):
            with cuda.Device(index):
                pool.streams.append(cuda.Stream(non_blocking=True, priority=priority))
        return pool.streams[turn]


def highest_priority(index: int) -> int:
    """The lowest number that the GPU knows."""
    return _highest_priority(accelerator.require(index), index)


@cache
def _highest_priority(module: Any, index: int) -> int:
    with module.cuda.Device(index):  # asked for less than there is, CUDA takes the nearest
        return int(module.cuda.Stream(non_blocking=True, priority=-1000).priority)


def foreign_stream(index: int, pointer: int) -> Any:
    """A stream that another library has made."""
    cuda = accelerator.require(index).cuda
    with cuda.Device(index):
        return cuda.Stream.from_external(_Foreign(pointer))


def current_stream(index: int) -> Any:
    """The stream that work on this GPU goes to, in this thread."""
    return accelerator.require(index).cuda.get_current_stream(index)


def default_stream() -> Any:
    """The stream that work goes to if nothing else is said."""
    return accelerator.require().cuda.Stream.null


def use_stream(index: int, stream: Any) -> None:
    """Make the GPU the current one, and the stream the one that work on it goes to."""
    set_device(index)
    stream.use()


def make_event(index: int, enable_timing: bool, blocking: bool, interprocess: bool) -> Any:
    """An event of this GPU."""
    cuda = accelerator.require(index).cuda
    with cuda.Device(index):
        return cuda.Event(block=blocking, disable_timing=not enable_timing, interprocess=interprocess)


def elapsed_time(start: Any, end: Any) -> float:
    """Milliseconds between two events that keep the time."""
    return float(accelerator.require().cuda.get_elapsed_time(start, end))


def keep_for_stream(array: Any, stream: Any) -> None:
    """Memory of the array is not reused before the stream has done what it has been given when the array dies."""
    if array.nbytes:
        accelerator.memory().in_flight.until_freed(array.data.mem, stream, int(array.device.id))


def device_properties(index: int) -> dict[str, Any]:
    """What CUDA says of the GPU."""
    found: dict[str, Any] = accelerator.require(index).cuda.runtime.getDeviceProperties(index)
    return found


def can_access_peer(index: int, peer: int) -> bool:
    """Whether one GPU reads and writes the memory of the other."""
    return bool(accelerator.require().cuda.runtime.deviceCanAccessPeer(index, peer))
