"""Memory that a stream still works on, kept until it no longer does.

Who lets go of an array gives its memory back to CuPy's pool at once, although the work that uses it may only be queued.
That is right as long as one stream does everything: the pool keeps free memory by stream, and what takes it next is
queued behind. It is wrong for the memory of one stream that another stream uses, and for host memory that a copy reads
or writes. Both are put here:

``until_done``   keeps any object until the work that its stream has been given so far is done;
``until_freed``  is for a block of device memory that lives as long as its tensors do. When nobody else holds it, an
                 event is recorded on each stream that used it, and the block goes back to the pool when those events
                 are over (``Tensor.record_stream``).

Nobody waits: every few allocations somebody looks whether something is over (``release``). That somebody else still
holds a block is read from its count of references: a view, or an array that CuPy made on the same memory, counts
whatever it is.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from typing import Any

_SELDOM = 16  # allocations from one look to the next: a look takes some microseconds
_MOST_LOOKED_AT = 32  # shared blocks a look: what allocations pay stays the same however many there are


class _Shared:
    """A block of device memory, and the streams other than its own that use it."""

    __slots__ = ("device", "memory", "streams")

    def __init__(self, memory: Any, device: int) -> None:
        self.memory, self.device = memory, device
        self.streams: dict[int, Any] = {}


def _references(shared: _Shared) -> int:
    return sys.getrefcount(shared.memory)


_ALONE = _references(_Shared(object(), 0))  # what is counted for a block that nobody else holds


class InFlight:
    """What is kept, of one array module."""

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        self.shared: dict[int, _Shared] = {}  # by the block's identity, in the order in which they are looked at
        self.waiting: dict[tuple[int, int], deque[tuple[Any, Any]]] = {}  # (event, object), by device and stream
        self.allocations = 0
        self.lock = threading.Lock()  # one looks at a time; another who wants to look goes on without

    def __bool__(self) -> bool:
        return bool(self.shared or self.waiting)

    def until_done(self, kept: Any, stream: Any, device: int) -> None:
        """Keep the object until the stream has done what it has been given so far."""
        with self.cupy.cuda.Device(device):
            event = self.cupy.cuda.Event(disable_timing=True)
            event.record(stream)
        self.waiting.setdefault((device, stream.ptr), deque()).append((event, kept))

    def until_freed(self, memory: Any, stream: Any, device: int) -> None:
        """Keep the block, after its last tensor has died, until the stream has done what it was given by then."""
        shared = self.shared.get(id(memory))
        if shared is None:
            shared = self.shared[id(memory)] = _Shared(memory, device)
        shared.streams[stream.ptr] = stream

    def allocated(self) -> None:
        """Somebody has allocated memory: ``release`` is called now and then."""
        self.allocations += 1
        if not self.allocations % _SELDOM:
            self.release()

    def release(self, all_blocks: bool = False) -> None:
        """Let go of what is over; look at some of the shared blocks, or at all."""
        if self.lock.acquire(blocking=False):
            try:
                if not _captures(self.cupy.cuda.get_current_stream()):  # no event is asked then
                    self._find_freed(len(self.shared) if all_blocks else min(len(self.shared), _MOST_LOOKED_AT))
                    self._release_done()
            finally:
                self.lock.release()

    def wait(self) -> None:
        """Let go of everything that is only waited for, and wait as long as that takes."""
        if _captures(self.cupy.cuda.get_current_stream()):
            return
        self.release(all_blocks=True)
        for queue in list(self.waiting.values()):
            for event, _ in list(queue):
                event.synchronize()
        self.release()

    def _find_freed(self, count: int) -> None:
        for _ in range(count):
            key = next(iter(self.shared))
            shared = self.shared.pop(key)
            if _references(shared) > _ALONE or any(_captures(stream) for stream in shared.streams.values()):
                self.shared[key] = shared  # its turn comes again, after the others
                continue
            for stream in shared.streams.values():
                self.until_done(shared.memory, stream, shared.device)

    def _release_done(self) -> None:
        for key, queue in list(self.waiting.items()):
            while queue and queue[0][0].done:
                queue.popleft()
            if not queue:
                del self.waiting[key]


def _captures(stream: Any) -> bool:
    """Whether the stream is being captured: an event recorded there would be part of the graph, and never be over."""
    try:
        return bool(stream.is_capturing())
    except RuntimeError:  # the default stream may not even be asked while another one is captured
        return True
