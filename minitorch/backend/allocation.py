"""The memory of a GPU: how much is in use, how much was at most, and the error when there is no more.

CuPy's pool hands out all memory, to our ops and to CuPy's own. It is asked through a function of ours
(``cupy.cuda.set_allocator``), so that every allocation, whoever makes it, is counted and fails with
``OutOfMemoryError``. A memory hook of CuPy's would see frees, too, but costs four calls of Python functions for each
block that comes and goes, and sees one thread only.

**The peak without a look at frees.** The pool knows what is in use, but adds it up block by block. So we add up only
what is handed out. What is in use cannot have passed the known peak before as much was handed out as was missing to
it when the pool was last asked; only then the pool is asked again. The peak is exact, an allocation costs one addition
and one comparison more, and a training step asks a dozen times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.backend.in_flight import InFlight

_UNIT = 512  # CuPy's pool hands out multiples of it


class OutOfMemoryError(RuntimeError):
    """The GPU has not as much memory left as was asked for. What exists stays as it is, and can be used on.

    >>> issubclass(OutOfMemoryError, RuntimeError)
    True
    """


OutOfMemoryError.__module__ = "minitorch"  # where it is found


class _Ledger:
    """What is known of one GPU's memory, in bytes."""

    __slots__ = ("failures", "next_look", "peak", "reserved_peak", "total")

    def __init__(self) -> None:
        self.total = 0  # handed out since the start
        self.next_look = 0  # for a smaller total the peak cannot have been passed
        self.peak = self.reserved_peak = self.failures = 0

    def look(self, pool: Any) -> int:
        """Ask the pool of the current device what is in use."""
        used = int(pool.used_bytes())
        self.peak = max(self.peak, used)
        self.reserved_peak = max(self.reserved_peak, int(pool.total_bytes()))
        self.next_look = self.total + self.peak - used
        return used


class DeviceMemory:
    """The allocator of one array module, and what it has counted. Device numbers must be those of GPUs."""

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        self.pool = cupy.get_default_memory_pool()
        self.in_flight = InFlight(cupy)
        self.ledgers = [_Ledger() for _ in range(int(cupy.cuda.runtime.getDeviceCount()))]
        self.allocate = self.guarded(cupy.cuda.get_allocator())
        cupy.cuda.set_allocator(self.allocate)

    def guarded(self, malloc: Callable[[int], Any], may_wait: bool = True) -> Callable[[int], Any]:
        """An allocator for CuPy that asks ``malloc``, counts, and raises our OutOfMemoryError.

        ``may_wait`` is false in the capture of a CUDA graph, where nobody may wait for the device to free memory.
        """
        in_flight, ledgers, pool = self.in_flight, self.ledgers, self.pool
        cupy_error = self.cupy.cuda.memory.OutOfMemoryError

        def allocate(size: int) -> Any:
            if may_wait and (in_flight.shared or in_flight.waiting):
                in_flight.allocated()
            try:
                memory = malloc(size)
            except cupy_error:
                memory = None
            if memory is None:
                memory = self._try_again(malloc, size, may_wait)
            # Threads do not change places within these lines. If they did, one allocation would be counted late.
            ledger = ledgers[memory.device_id]
            ledger.total += (size + _UNIT - 1) // _UNIT * _UNIT
            if ledger.total > ledger.next_look:
                ledger.look(pool)
            return memory

        return allocate

    def _try_again(self, malloc: Callable[[int], Any], size: int, may_wait: bool) -> Any:
        """Once more, after everything that nobody uses was given back: CuPy does so only where there is no limit."""
        index = int(self.cupy.cuda.runtime.getDevice())
        if may_wait:
            self.in_flight.wait()
            self.empty_cache(index)
        try:
            return malloc(size)
        except self.cupy.cuda.memory.OutOfMemoryError:
            self.ledgers[index].failures += 1
            message = self._out_of_memory(index, size)
        raise OutOfMemoryError(message)  # out here, so that CuPy's error is not its context

    def _out_of_memory(self, index: int, size: int) -> str:
        free, total = self.free_and_total(index)
        used, reserved, limit = self.used(index), self.reserved(index), self.limit(index)
        allowed = f"{_readable(limit)} allowed; " if limit else ""
        return (
            f"CUDA out of memory. Tried to allocate {_readable(size)}. GPU {index} has a total capacity of "
            f"{_readable(total)} of which {_readable(free)} is free. {allowed}Of the allocated memory "
            f"{_readable(used)} is allocated by minitorch, and {_readable(reserved - used)} is reserved by minitorch "
            "but unallocated."
        )

    # ------------------------------------------------------------------------------------------------ what is known

    def used(self, index: int) -> int:
        """Bytes of living arrays."""
        self.in_flight.release(all_blocks=True)
        with self.cupy.cuda.Device(index):
            return self.ledgers[index].look(self.pool)

    def reserved(self, index: int) -> int:
        """Bytes that the pool has taken from the GPU: used ones and free ones."""
        with self.cupy.cuda.Device(index):
            return int(self.pool.total_bytes())

    def peak(self, index: int) -> int:
        """The most that ``used`` has been."""
        self.used(index)
        return self.ledgers[index].peak

    def reserved_peak(self, index: int) -> int:
        """The most that ``reserved`` has been, as far as it was seen: whenever it is about to shrink, and at peaks."""
        self.used(index)
        return self.ledgers[index].reserved_peak

    def reset_peaks(self, index: int) -> None:
        """Start again from what is used and reserved now."""
        ledger = self.ledgers[index]
        ledger.peak = ledger.reserved_peak = 0
        self.used(index)

    def handed_out(self, index: int) -> int:
        """Bytes of all allocations so far."""
        return self.ledgers[index].total

    def failures(self, index: int) -> int:
        """How many OutOfMemoryErrors there were."""
        return self.ledgers[index].failures

    def free_and_total(self, index: int) -> tuple[int, int]:
        """Bytes that the GPU has left for anybody, and bytes that it has."""
        with self.cupy.cuda.Device(index):
            free, total = self.cupy.cuda.runtime.memGetInfo()
        return int(free), int(total)

    # ------------------------------------------------------------------------------------------------ what is changed

    def empty_cache(self, index: int) -> None:
        """Give free blocks back to the GPU."""
        with self.cupy.cuda.Device(index):
            self.ledgers[index].look(self.pool)
            self.pool.free_all_blocks()

    def limit(self, index: int) -> int:
        """The most bytes that the pool may take, 0 without a limit."""
        with self.cupy.cuda.Device(index):
            return int(self.pool.get_limit())

    def set_limit(self, index: int, size: int) -> None:
        """Let the pool take at most so many bytes (0: no limit)."""
        with self.cupy.cuda.Device(index):
            self.pool.set_limit(size=size)


def _readable(size: int) -> str:
    """A number of bytes as torch writes it.

    >>> _readable(1000), _readable(2 << 30)
    ('1000 bytes', '2.00 GiB')
    """
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size > 1 << power:
            return f"{size / (1 << power):.2f} {unit}"
    return f"{size} bytes"
