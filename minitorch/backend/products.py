"""Matrix products of raw arrays: on a CPU, large ones are split over the threads.

BLAS could do that by itself, but its threads wait for one another by spinning: where another program (or our own
threads, see ``threads.py``) wants the core, a product that takes 1 ms then takes 10. Our threads sleep.
"""

from __future__ import annotations

from minitorch.backend.arrays import Array, array_module, is_on_cpu
from minitorch.backend.threads import LEAST_FLOP, get_num_threads, one_blas_thread, parallel, split

_ONE_THREAD_FLOP = 1.8e4  # BLAS does not use a second thread below about this


def matrix_product(a: Array, b: Array) -> Array:
    """a @ b."""
    flop = 2 * a.size * (b.shape[-1] if b.ndim > 1 else 1) if a.ndim > 1 else 2 * b.size
    if flop < _ONE_THREAD_FLOP or a.dtype.kind != "f" or not is_on_cpu(a) or get_num_threads() == 1:
        return a @ b
    if flop >= 2 * LEAST_FLOP and a.dtype == b.dtype:
        if a.ndim == b.ndim == 2:
            return _split_product(a, b, flop)
        if a.ndim > 2 and a.shape[:-2] == b.shape[:-2] and len(a) > 1:
            return _split_batch(a, b, flop)
    with one_blas_thread:
        return a @ b


def _split_product(a: Array, b: Array, flop: float) -> Array:
    """Each thread computes some of the product's rows or columns, whichever there are more of."""
    xp = array_module(a)
    output = xp.empty((a.shape[0], b.shape[1]), a.dtype)

    def rows(part: slice) -> None:
        xp.matmul(a[part], b, out=output[part])

    def columns(part: slice) -> None:
        xp.matmul(a, b[:, part], out=output[:, part])

    is_tall = output.shape[0] >= output.shape[1]
    parallel(split(max(output.shape), flop, LEAST_FLOP), rows if is_tall else columns)
    return output


def _split_batch(a: Array, b: Array, flop: float) -> Array:
    """Each thread computes some of the products."""
    xp = array_module(a)
    output = xp.empty((*a.shape[:-1], b.shape[-1]), a.dtype)
    parallel(split(len(a), flop, LEAST_FLOP), lambda part: xp.matmul(a[part], b[part], out=output[part]))
    return output
