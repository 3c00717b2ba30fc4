"""How many threads compute: BLAS's own, through threadpoolctl where it is installed.

Without threadpoolctl the number is what the environment says (OMP_NUM_THREADS) or the number of cores, and
asking for another raises an error that says what to install.
"""

from __future__ import annotations

import functools
import os
from typing import Any

_requested: int | None = None


def get_num_threads() -> int:
    """The number of threads that matrix products may use."""
    if _requested is not None:
        return _requested
    environment = os.environ.get("OMP_NUM_THREADS", "")
    if environment.isdecimal():
        return int(environment)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_num_threads(number: int) -> None:
    """Let matrix products use ``number`` threads.

    Raises: RuntimeError for a number below 1, or without threadpoolctl.
    """
    global _requested
    if number < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, got {number}")
    find_thread_pools().limit(limits=number)
    _requested = number


@functools.cache
def find_thread_pools() -> Any:
    """What controls the threads of the libraries in this process; RuntimeError without threadpoolctl.

    The search takes some time and is made once: processes forked later inherit what was found.
    """
    try:
        import threadpoolctl
    except ImportError as error:
        raise RuntimeError("set_num_threads needs threadpoolctl: pip install threadpoolctl") from error
    return threadpoolctl.ThreadpoolController()
