"""Memory pools of the stand-in for CuPy, as far as they count: who holds how much. The arrays lie in NumPy's memory.

The default pool counts what live arrays hold. Another pool is asked through ``using_allocator``: then every new array
gets a block of it, which goes back to the pool when the array, with all its views, has died.
"""

from __future__ import annotations

import contextlib
import itertools
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy

from tests.harness.strict_array import live_arrays, strict

MEMORY = 1 << 30  # of the device, in bytes
UNIT = 512  # CuPy's pools hand out multiples of it
_blocks: dict[int, Any] = {}  # by the id of the array that owns memory: its block of a pool that is not the default
_addresses = itertools.count(1 << 40, MEMORY)


class OutOfMemoryError(MemoryError):
    """As CuPy's, raised when the pool's limit, or the device's memory, is passed."""

    def __init__(self, size: int, total: int, limit: int = 0) -> None:
        limited = f", limit set to: {limit:,} bytes" if limit else ""
        super().__init__(f"Out of memory allocating {size:,} bytes (allocated so far: {total:,} bytes{limited}).")


class Memory:
    """``cupy.cuda.Memory``: a piece of the device's memory."""

    def __init__(self, size: int) -> None:
        self.size, self.ptr, self.device_id = size, next(_addresses), 0


class MemoryPointer:
    """``cupy.cuda.MemoryPointer``."""

    def __init__(self, mem: Any, offset: int) -> None:
        self.mem, self.ptr, self.device_id = mem, mem.ptr + offset, 0


class PooledMemory:
    """A block that a pool has handed out; it goes back when nobody has it any more."""

    def __init__(self, memory: Memory, pool: weakref.ref[MemoryPool]) -> None:
        self.memory, self.pool, self.size, self.ptr = memory, pool, memory.size, memory.ptr

    def __del__(self) -> None:
        pool = self.pool()
        if pool is not None:
            pool.free.append(self.memory)
            pool.in_use -= self.size


class MemoryPool:
    """``cupy.cuda.MemoryPool``, without splitting blocks."""

    def __init__(self, allocator: Callable[[int], Any] | None = None) -> None:
        self.allocator = allocator or (lambda size: MemoryPointer(Memory(size), 0))
        self.free: list[Memory] = []
        self.limit = self.held = self.in_use = 0

    def malloc(self, size: int) -> MemoryPointer:
        size = max(-(-size // UNIT), 1) * UNIT
        fitting = sorted((block for block in self.free if block.size >= size), key=lambda block: block.size)
        if fitting:
            self.free.remove(fitting[0])
            memory = fitting[0]
        else:
            memory = self.allocator(size).mem
            self.held += memory.size
        self.in_use += memory.size
        return MemoryPointer(PooledMemory(memory, weakref.ref(self)), 0)

    def used_bytes(self) -> int:
        return self.in_use

    def total_bytes(self) -> int:
        return self.held

    def free_bytes(self) -> int:
        return self.total_bytes() - self.used_bytes()

    def free_all_blocks(self, stream: Any = None) -> None:
        self.held -= sum(block.size for block in self.free)
        self.free.clear()

    def n_free_blocks(self) -> int:
        return len(self.free)

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        self.limit = int(MEMORY * fraction) if fraction is not None else size or 0

    def get_limit(self) -> int:
        return self.limit


class DefaultMemoryPool(MemoryPool):
    """The pool of all arrays that were made without ``using_allocator``, in units of 512 bytes."""

    def malloc(self, size: int) -> Any:
        """Refuse what does not fit. The arrays lie in NumPy's memory, and a new one is among the used already."""
        used, limit = self.used_bytes(), min(self.limit or MEMORY, MEMORY)
        if max(used, size) > limit:
            raise OutOfMemoryError(size, max(used - size, 0), self.limit)
        return SimpleNamespace(device_id=0, mem=None, ptr=0)

    def used_bytes(self) -> int:
        owners = {}
        for array in live_arrays():
            while isinstance(array.base, numpy.ndarray):
                array = array.base
            if id(array) not in _blocks:
                owners[id(array)] = -(-array.nbytes // UNIT) * UNIT
        used = sum(owners.values())
        self.held = max(self.held, used)
        return used

    def total_bytes(self) -> int:
        self.used_bytes()
        return self.held

    def free_all_blocks(self, stream: Any = None) -> None:
        self.held = 0

    def n_free_blocks(self) -> int:
        return int(self.free_bytes() > 0)


@contextlib.contextmanager
def using_allocator(allocator: Callable[[int], Any]) -> Iterator[None]:
    """Let arrays that are made meanwhile have memory from ``allocator``."""
    before, strict.allocator = strict.allocator, partial(_give_block, allocator)
    try:
        yield
    finally:
        strict.allocator = before


def _give_block(allocator: Callable[[int], Any], owner: numpy.ndarray) -> None:
    if owner.nbytes:
        _blocks[id(owner)] = allocator(owner.nbytes).mem
        weakref.finalize(owner, _blocks.pop, id(owner), None).atexit = False


def block_of(array: Any) -> Any:
    """The block that the array's memory was counted as; None in the default pool."""
    owner = array._host
    while isinstance(owner.base, numpy.ndarray):
        owner = owner.base
    return _blocks.get(id(owner))
