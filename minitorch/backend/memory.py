"""Freed memory stays with the process, so that the next step of a training finds it again.

By default, glibc returns the memory of a large array to the operating system as soon as the array dies. The next
array of that size is fresh memory, each page of which the system must find and clear when it is first written:
a step that allocates 20 MB takes 5,000 such page faults. Told to keep freed memory, ``malloc`` hands it out again,
and a steady step has no page fault at all (measured: 31 → 24 ms for a LeNet step, 95 → 91 ms for one with batch
norm). Arrays above 32 MB still go back at once. Nobody's memory is reused while it is seen: this is the C library's
own free list.
"""

from __future__ import annotations

import ctypes
import os

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's numbers for what mallopt changes
_LARGEST_KEPT = 32 << 20  # glibc allows no more
_SETTINGS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def keep_freed_memory() -> bool:
    """Tell glibc so, unless the environment has its own settings; False where there is no glibc."""
    if any(name in os.environ for name in _SETTINGS):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or another system
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT) and mallopt(_TRIM_THRESHOLD, 2**31 - 1))
