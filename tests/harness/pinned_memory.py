"""Page-locked memory of the stand-in for CuPy: ordinary memory that is known to be pinned."""

from __future__ import annotations

import weakref

import numpy


class PinnedMemory(bytearray):
    """``cupy.cuda.PinnedMemoryPointer``: a buffer of bytes."""

    __hash__ = object.__hash__  # type: ignore[assignment]


_living: weakref.WeakSet[PinnedMemory] = weakref.WeakSet()


def alloc_pinned_memory(size: int) -> PinnedMemory:
    """``cupy.cuda.alloc_pinned_memory``; in multiples of 512 bytes, as CuPy's pool, and full of nonsense."""
    made = PinnedMemory(b"\xaa" * (-(-size // 512) * 512))
    _living.add(made)
    return made


def is_memory_pinned(pointer: int) -> bool:
    """Whether the address lies in such memory."""
    for each in list(_living):
        start = numpy.frombuffer(each, "uint8").ctypes.data
        if start <= pointer < start + len(each):
            return True
    return False


def pinned_blocks() -> int:
    """How many there are."""
    return len(_living)
